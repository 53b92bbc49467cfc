"""What a service does on the messages of others: one function for each kind of message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from servicekit.database.outgoing import Travels, travels_of

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
        traceparent: W3C context of the span in which it is handled: what it causes belongs to it.
    """

    event_id: UUID
    subject: str
    entity_version: int
    case_id: str
    occurred_at: datetime
    deliveries: int
    traceparent: str = ""


Handler = Callable[["UnitOfWork", Any, Received], Awaitable[None]]
TypedHandler = Callable[["UnitOfWork", MessageT, Received], Awaitable[None]]
Happening = tuple[Message, Received]
HandlerOfMany = Callable[["UnitOfWork", Sequence[Happening]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One kind of message, the subjects it comes on, and what is done on it; `handle_many` where that is done on
    several at once."""

    kind: type[Message]
    filter: str
    handle: Handler
    handle_many: HandlerOfMany | None = None

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
        self._attentive = asyncio.Event()
        self._attentive.set()

    def on(self, kind: type[MessageT]) -> Callable[[TypedHandler[MessageT]], TypedHandler[MessageT]]:
        """Makes the decorated function the reaction on `kind`. Raises TypeError when there is one already."""
        travels = self._travels_of_new(kind)

        def register(handler: TypedHandler[MessageT]) -> TypedHandler[MessageT]:
            self._by_type[travels.message_type] = Reaction(kind, _filter(travels), handler)
            return handler

        return register

    def on_many(self, kinds: Iterable[type[Message]]) -> Callable[[HandlerOfMany], HandlerOfMany]:
        """Makes the decorated function the reaction on each of `kinds`: it gets one message or several, those of one
        case in their order, and when it raises none of them has taken effect. Raises as `on`."""
        new = [(kind, self._travels_of_new(kind)) for kind in kinds]

        def register(handler: HandlerOfMany) -> HandlerOfMany:
            async def handle(tx: UnitOfWork, message: Message, received: Received) -> None:
                await handler(tx, [(message, received)])

            for kind, travels in new:
                self._by_type[travels.message_type] = Reaction(kind, _filter(travels), handle, handler)
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

    def rest(self) -> None:
        """From now on events are left on the stream, as long as nobody is there for whom they would be heard."""
        self._attentive.clear()

    def attend(self) -> None:
        """Hears events again, those first that were left."""
        self._attentive.set()

    @property
    def is_resting(self) -> bool:
        return not self._attentive.is_set()

    async def attentive(self) -> None:
        """Returns when events are heard."""
        await self._attentive.wait()

    def _travels_of_new(self, kind: type[Message]) -> Travels:
        travels = travels_of(kind)
        if travels.message_type in self._by_type:
            raise TypeError(f"{self.service} has two reactions on {travels.message_type}")
        return travels


def _filter(travels: Travels) -> str:
    """The subjects it is heard on: a message that every service sends is heard from all of them."""
    return travels.subject.replace("{service}", "*")
