"""Who can sign in at the built-in issuer: people with passwords, and client systems."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from servicekit.identity import ROLES
from servicekit.languages import DEFAULT_LANGUAGE, Language

from gateway.issuer.passwords import hash_password, matches

USERS_FILE: Final = "users.json"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def _known_role(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"unknown role; choose from {', '.join(sorted(ROLES))}")
    return role


class Subject(BaseModel):
    """What a token says about the one it is issued to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[Annotated[str, AfterValidator(_known_role)], ...] = ()
    # Dotted path of the region they are responsible for; empty: none.
    domain: str = Field("", pattern=r"^([a-z0-9]+(\.[a-z0-9]+)*)?$")
    customer_id: str | None = None
    locale: Language = DEFAULT_LANGUAGE


class Person(Subject):
    """Somebody who signs in with a password."""

    user: str = Field(min_length=1, max_length=100)
    # As passwords.hash_password writes it.
    password: str = ""


class Client(Subject):
    """A system that signs in with a secret, or (without one) an app that people sign in through."""

    client: str = Field(min_length=1, max_length=100)
    secret: str = ""
    redirect_uris: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """It can't keep a secret: a page in a browser, an app on a device."""
        return not self.secret

    def may_redirect_to(self, uri: str) -> bool:
        """Whether `uri` is registered, exactly; on the user's own machine the port is free (RFC 8252 §7.3)."""
        return uri in self.redirect_uris or _without_loopback_port(uri) in self.redirect_uris


class Registry(BaseModel):
    """The content of users.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: tuple[Person, ...] = ()
    clients: tuple[Client, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Registry:
        """Raises OSError when the file can't be read, ValueError with field and reason when it is not as it must be."""
        return cls.model_validate_json((folder / USERS_FILE).read_text(encoding="utf-8"))

    def person(self, user: str) -> Person | None:
        return next((person for person in self.people if person.user == user), None)

    def client(self, client: str) -> Client | None:
        return next((known for known in self.clients if known.client == client), None)

    def sign_in(self, user: str, password: str) -> Person | None:
        """The person with this user name and password. Takes its time: call it in a thread."""
        person = self.person(user)
        stored = person.password if person and person.password else _hash_of_nobody()
        # Checked for unknown names too: the time must not tell which names exist.
        return person if matches(password, stored) and person else None

    def authenticate(self, client: str, secret: str) -> Client | None:
        """The client system with this id and secret. Takes its time: call it in a thread."""
        known = self.client(client)
        stored = known.secret if known and known.secret else _hash_of_nobody()
        return known if matches(secret, stored) and known else None


@cache
def _hash_of_nobody() -> str:
    return hash_password(secrets.token_urlsafe())


def _without_loopback_port(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        if parts.hostname not in _LOOPBACK or parts.username is not None or parts.port is None:
            return uri
    except ValueError:
        return uri
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host).geturl()
