"""What a page may do to a call: throw events, lead elsewhere, or be none."""

from __future__ import annotations

from dataclasses import dataclass


class PageBroken(Exception):  # noqa: N818 -- a finding about a page, whoever wrote it
    """The page is not VoiceXML 2.1, or asks for something that this interpreter does not do."""


class Thrown(Exception):  # noqa: N818 -- the word of VoiceXML 2.0 §5.2
    """An event on its way to its handler, such as `noinput` or `error.badfetch.http.503`."""

    def __init__(self, event: str) -> None:
        super().__init__(event)
        self.event = event


class Disconnected(Exception):  # noqa: N818 -- how every call ends
    """The call is over."""


@dataclass
class Goto(Exception):  # noqa: N818 -- the end of a form, not a failure
    """On with another form of the same page."""

    form: str


@dataclass
class Submitted(Exception):  # noqa: N818 -- the end of a page, not a failure
    """On with the page that was answered."""

    page: bytes
    url: str
