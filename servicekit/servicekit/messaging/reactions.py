"""What a service does on the messages of others: one function for each kind of message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from servicekit.database.outgoing import travels_of

if TYPE_CHECKING:
    from servicekit.database import UnitOfWork

MessageT = TypeVar("MessageT", bound=Message)


class NotYet(Exception):  # noqa: N818 - said by a reaction, not an error
    """The message came before something that it builds on; it will come again later. `reason` is for the logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of a message besides its content.

    Attributes:
        event_id: Names this occurrence; the same however often it is delivered.
        subject: Subject on which it was first published.
        entity_version: Version of its entity after it happened; 0 for commands.
        case_id: The case it belongs to, or empty.
        occurred_at: Platform time when it happened.
        deliveries: How often it has been delivered, this time included.
    """

    event_id: UUID
    subject: str
    entity_version: int
    case_id: str
    occurred_at: datetime
    deliveries: int


Handler = Callable[["UnitOfWork", Any, Received], Awaitable[None]]
TypedHandler = Callable[["UnitOfWork", MessageT, Received], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One kind of message, the subjects it comes on, and what is done on it."""

    kind: type[Message]
    filter: str
    handle: Handler

    @property
    def is_command(self) -> bool:
        return self.filter.split(".")[2] == "commands"

    def hears(self, subject: str) -> bool:
        """Whether messages of this kind travel on `subject`."""
        wanted, given = self.filter.split("."), subject.split(".")
        return len(wanted) == len(given) and all(want in ("*", have) for want, have in zip(wanted, given, strict=True))


class Reactions:
    """The reactions of one service, by kind of message.

    A reaction gets the transaction in which the message is already marked as received: what it changes through `tx`
    takes effect once, however often the message comes. Anything it does elsewhere may happen again.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._by_type: dict[str, Reaction] = {}

    def on(self, kind: type[MessageT]) -> Callable[[TypedHandler[MessageT]], TypedHandler[MessageT]]:
        """Makes the decorated function the reaction on `kind`. Raises TypeError when there is one already."""
        travels = travels_of(kind)
        if travels.message_type in self._by_type:
            raise TypeError(f"{self.service} has two reactions on {travels.message_type}")

        def register(handler: TypedHandler[MessageT]) -> TypedHandler[MessageT]:
            # A message that every service sends is heard from all of them.
            self._by_type[travels.message_type] = Reaction(kind, travels.subject.replace("{service}", "*"), handler)
            return handler

        return register

    def find(self, message_type: str) -> Reaction | None:
        """The reaction on messages of this full name."""
        return self._by_type.get(message_type)

    def event_filters(self) -> list[str]:
        """Subjects of the events that are reacted on."""
        return sorted(reaction.filter for reaction in self._by_type.values() if not reaction.is_command)

    def command_filters(self) -> list[str]:
        """Subjects of the commands that are obeyed."""
        return sorted(reaction.filter for reaction in self._by_type.values() if reaction.is_command)
