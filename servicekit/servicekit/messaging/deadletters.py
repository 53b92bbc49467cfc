"""Dead letters: what a service could not handle, kept with the reason until somebody sends it again.

A dead letter is the original message with its original headers, plus the reason. Sent again it goes to the
`redeliver` command of the one service that failed, as the same event: who has handled it already will not do so twice.
One that shall never take effect is discarded: it moves to a stream of its own, with who decided that and why.
"""

from __future__ import annotations

import json
import string
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from servicekit.messaging.envelope import MESSAGE_ID
from servicekit.messaging.streams import DEAD, DISCARDED, dead_letter_subject, discarded_subject, redeliver_subject

REASON = "Bihuan-Reason"
ERROR = "Bihuan-Error"
ATTEMPTS = "Bihuan-Attempts"
ORIGINAL_SUBJECT = "Bihuan-Original-Subject"
DISCARDED_BY = "Bihuan-Discarded-By"
DISCARDED_BECAUSE = "Bihuan-Discarded-Because"
# What the relay leaves free in every message, so that its dead letter is never too large.
ROOM_FOR_REASONS = 4096
_LONGEST_ERROR = 1000
# Header values are ASCII; the percent sign itself is quoted so that every text comes back as it was.
_PLAIN = (string.punctuation + " ").replace("%", "")


def reason_headers(
    original: Mapping[str, str], *, subject: str, reason: str, error: str, attempts: int, message_id: str
) -> dict[str, str]:
    """Headers of a dead letter: the original ones and why it died.

    `message_id` names this death, so that the stream keeps it once, yet keeps a later one of the same event too.
    """
    return {
        **original,
        MESSAGE_ID: message_id,
        ORIGINAL_SUBJECT: subject,
        REASON: reason,
        ERROR: _quoted(error),
        ATTEMPTS: str(attempts),
    }


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that a service gave up.

    Attributes:
        number: Names the dead letter, for `show` and `redrive`.
        service: Who could not handle it.
        subject: Subject on which it was first published.
        reason: `unreadable`, `refused` (a Fault that will not go away), `failed` (too many attempts) or
            `waited_too_long` (what it builds on never came).
        error: What the service said the last time.
        attempts: How often it was tried.
        died_at: Real time; of a discarded one, when it was discarded.
        discarded_by: Who decided that it shall never take effect; empty while it waits.
        discarded_because: Why they did.
        headers: All headers, among them the original CloudEvents attributes.
        body: The original message.
    """

    number: int
    service: str
    subject: str
    reason: str
    error: str
    attempts: int
    died_at: datetime | None
    discarded_by: str
    discarded_because: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers.get("ce-id", "")

    @property
    def type(self) -> str:
        return self.headers.get("ce-type", "")

    @property
    def entity_id(self) -> str:
        return self.headers.get("ce-subject", "")

    @property
    def case_id(self) -> str:
        return self.headers.get("ce-caseid", "")

    def content(self) -> Any:
        """The original message as JSON values, or as text where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


async def list_dead_letters(jetstream: JetStreamContext, service: str | None = None) -> AsyncIterator[DeadLetter]:
    """The dead letters there are, oldest first; of one service or of all."""
    async for letter in _list(jetstream, DEAD, dead_letter_subject(service or "*")):
        yield letter


async def list_discarded(jetstream: JetStreamContext, service: str | None = None) -> AsyncIterator[DeadLetter]:
    """The dead letters that were discarded, oldest first; of one service or of all. Their numbers are of their own."""
    async for letter in _list(jetstream, DISCARDED, discarded_subject(service or "*")):
        yield letter


async def show_dead_letter(jetstream: JetStreamContext, number: int) -> DeadLetter:
    """The dead letter of this number. Raises LookupError when there is none."""
    try:
        return _read(await jetstream.get_msg(DEAD, seq=number, direct=True))
    except NotFoundError:
        raise LookupError(f"there is no dead letter {number}") from None


async def redrive_dead_letter(jetstream: JetStreamContext, number: int) -> DeadLetter:
    """Sends a dead letter again to the service that failed, and takes it off the list; gives what was sent.

    Interrupted in between it may be sent twice, which has one effect. Raises LookupError when there is none.
    """
    letter = await show_dead_letter(jetstream, number)
    kept = {name: value for name, value in letter.headers.items() if name.startswith("ce-") or name == "traceparent"}
    headers = {**kept, MESSAGE_ID: f"redrive-{letter.service}-{number}", ORIGINAL_SUBJECT: letter.subject}
    await jetstream.publish(redeliver_subject(letter.service), letter.body, headers=headers)
    await jetstream.delete_msg(DEAD, number)
    return letter


async def discard_dead_letter(jetstream: JetStreamContext, number: int, *, by: str, because: str) -> DeadLetter:
    """Gives a dead letter up for good, and keeps it with who decided that and why; gives what was discarded.

    Interrupted in between it is kept, and still listed; done again it is kept once. Raises LookupError when there is
    none.
    """
    letter = await show_dead_letter(jetstream, number)
    decided = {DISCARDED_BY: _quoted(by), DISCARDED_BECAUSE: _quoted(because)}
    headers = {**letter.headers, **decided, MESSAGE_ID: f"discard-{letter.service}-{number}"}
    await jetstream.publish(discarded_subject(letter.service), letter.body, headers=headers)
    await jetstream.delete_msg(DEAD, number)
    return letter


async def _list(jetstream: JetStreamContext, stream: str, subject: str) -> AsyncIterator[DeadLetter]:
    number = 1
    while True:
        try:
            found = await jetstream.get_msg(stream, seq=number, subject=subject, next=True, direct=True)
        except NotFoundError:
            return
        letter = _read(found)
        yield letter
        number = letter.number + 1


def _quoted(text: str) -> str:
    return quote(text[:_LONGEST_ERROR], safe=_PLAIN)[: ROOM_FOR_REASONS // 2]


def _read(message: RawStreamMsg) -> DeadLetter:
    headers = {name: value for name, value in (message.headers or {}).items() if not _is_the_servers(name)}
    assert message.seq is not None
    assert message.subject is not None
    return DeadLetter(
        number=message.seq,
        service=message.subject.rsplit(".", 1)[-1],
        subject=headers.get(ORIGINAL_SUBJECT, ""),
        reason=headers.get(REASON, ""),
        error=unquote(headers.get(ERROR, "")),
        attempts=int(headers.get(ATTEMPTS, "0")),
        died_at=message.time,
        discarded_by=unquote(headers.get(DISCARDED_BY, "")),
        discarded_because=unquote(headers.get(DISCARDED_BECAUSE, "")),
        headers=headers,
        body=message.data or b"",
    )


def _is_the_servers(name: str) -> bool:
    return name.startswith("Nats-") and name != MESSAGE_ID
