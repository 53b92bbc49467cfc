"""Who is at the other end: what every caller can do, however they are made."""

from __future__ import annotations

from typing import Protocol

from bihuanctl.hotline.pages import Said


class Caller(Protocol):
    """Somebody with a telephone."""

    def hear(self, said: Said) -> None:
        """The machine says something."""
        ...

    def press(self, seconds: float) -> str | None:
        """The keys pressed within so many seconds: empty for none, None when the caller has hung up."""
        ...

    def wait_for_agent(self, address: str, about: str, seconds: float) -> str:
        """The caller is put through; gives what comes of it, such as `busy` or `far_end_disconnect`."""
        ...


class Fetcher(Protocol):
    """Where pages come from."""

    def fetch(self, url: str, fields: dict[str, str] | None, seconds: float) -> bytes:
        """The page: got, or with `fields` posted. Raises Thrown error.badfetch."""
        ...
