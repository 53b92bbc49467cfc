"""The page on which a person signs in, in Chinese or English. Plain HTML: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from string import Template
from typing import Final
from urllib.parse import urlsplit

from servicekit.languages import Language

_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "zh-CN": {
        "title": "登录 闭环",
        "for_client": "继续使用 {client}",
        "user": "用户名",
        "password": "密码",
        "submit": "登录",
        "refused": "用户名或密码不正确，请检查后重试。",
    },
    "en": {
        "title": "Sign in to Bihuan",
        "for_client": "to go on to {client}",
        "user": "User name",
        "password": "Password",
        "submit": "Sign in",
        "refused": "The user name or the password is wrong. Check both and try again.",
    },
}

_PAGE: Final = Template("""<!doctype html>
<html lang="$language">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  body { font: 16px/1.5 system-ui, "Noto Sans CJK SC", sans-serif }
  body { display: grid; place-items: center; min-height: 90vh }
  form { display: grid; gap: .75rem; width: 19rem }
  h1 { font-size: 1.3rem; margin: 0 } p { margin: 0 } .refused { color: #b00020 }
  label { display: grid; gap: .25rem } input, button { font: inherit; padding: .5rem; border-radius: .3rem }
  input { border: 1px solid #888 } button { border: 0; background: #14532d; color: #fff }
</style>
<form method="post" action="$action">
  <h1>$title</h1>
  <p>$for_client</p>
  $refused
  <label>$user_label<input name="username" value="$user" autocomplete="username" autofocus required></label>
  <label>$password_label<input name="password" type="password" autocomplete="current-password" required></label>
  $hidden
  <button>$submit</button>
</form>
</html>
""")


def sign_in_page(
    language: Language, action: str, client: str, kept: Mapping[str, str], *, refused_user: str | None = None
) -> str:
    """The page; `kept` comes back with the form. `refused_user` is the name that was just refused."""
    texts = _TEXTS[language]
    hidden = "\n  ".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in kept.items()
    )
    return _PAGE.substitute(
        language=language,
        title=texts["title"],
        action=escape(action),
        for_client=escape(texts["for_client"].format(client=client)),
        refused="" if refused_user is None else f'<p class="refused" role="alert">{texts["refused"]}</p>',
        user_label=texts["user"],
        password_label=texts["password"],
        user=escape(refused_user or ""),
        hidden=hidden,
        submit=texts["submit"],
    )


def page_headers(redirect_uri: str) -> dict[str, str]:
    """Nothing runs on the page, nobody frames it, nothing remembers it; browsers let the form lead to the app."""
    parts = urlsplit(redirect_uri)
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    return {
        "Content-Security-Policy": f"{policy} {parts.scheme}://{parts.netloc}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
