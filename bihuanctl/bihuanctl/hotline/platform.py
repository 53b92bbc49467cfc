"""The voice platform's side of HTTP: pages fetched in the name of a channel client."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

import httpx

from bihuanctl.hotline.trouble import Thrown
from bihuanctl.platform.accounts import Account

# The account of the built-in issuer that voice platforms use.
PLATFORM_ACCOUNT: Final = "channel-hotline"
ENTRY: Final = "/hotline"
_MEDIA_TYPE: Final = "application/voicexml+xml"


class VoicePlatform:
    """Fetches with HTTP Basic, as voice platforms do; keeps the pages for whoever wants to look at them."""

    def __init__(self, account: Account) -> None:
        self._http = httpx.Client(auth=(account.name, account.password), trust_env=False)
        self.pages: list[bytes] = []

    def fetch(self, url: str, fields: dict[str, str] | None, seconds: float) -> bytes:
        method = "GET" if fields is None else "POST"
        try:
            answer = self._http.request(method, url, data=fields, timeout=seconds)
        except httpx.HTTPError:
            raise Thrown("error.badfetch") from None
        if answer.status_code != httpx.codes.OK:
            raise Thrown(f"error.badfetch.http.{answer.status_code}")
        if answer.headers.get("content-type", "").partition(";")[0] != _MEDIA_TYPE:
            raise Thrown("error.badfetch")
        self.pages.append(answer.content)
        return answer.content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def session_of(number: str) -> dict[str, str]:
    """What a platform knows of a connection: the caller's address, unless the number is withheld (empty)."""
    return {"session.connection.remote.uri": f"tel:{number}"} if number else {}
