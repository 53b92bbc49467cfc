"""Kinds of events by pattern: `dispatch.work_order.*` is everything that happens to work orders. Pure."""

from collections.abc import Collection, Iterable

from servicekit.errors import Fault
from servicekit.messaging.sharing import shared_events

ANY = "*"


def matches(patterns: Iterable[str], subject: str) -> bool:
    """Whether one of `patterns` covers the event that travels on `subject`, `bihuan.dispatch.work_order.created.v1`."""
    words = subject.split(".")[1:-1]
    return any(_covers(pattern.split("."), words) for pattern in patterns)


def require_known(patterns: Collection[str], field: str) -> None:
    """Raises Fault event_type_unknown for a pattern that no event covers that partners may be told of."""
    subjects = [event.subject.replace("{service}", ANY) for event in shared_events()]
    for pattern in patterns:
        if not any(_agree(pattern.split("."), subject.split(".")[1:-1]) for subject in subjects):
            raise Fault("event_type_unknown", field=field, event_type=pattern)


def _covers(pattern: list[str], words: list[str]) -> bool:
    return len(pattern) == len(words) and all(want in (ANY, word) for want, word in zip(pattern, words, strict=True))


def _agree(pattern: list[str], words: list[str]) -> bool:
    """The same where both may hold ANY: there is something that both cover."""
    return all(ANY in (left, right) or left == right for left, right in zip(pattern, words, strict=True))
