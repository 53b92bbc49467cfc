"""What the loop check knows when it judges: plain values, gathered from every service and the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EntityFact:
    """One entity as its owner sees it."""

    # What it is, in its owner's word: `case`, `work_order`; `known_certificate` is a certificate as dispatch knows it.
    entity: str
    entity_id: str
    case_id: str
    # In the owner's words, lower case, without an enum's prefix: `handling`.
    state: str
    running_clocks: tuple[str, ...] = ()
    # What the owner itself finds wrong with it.
    problems: tuple[str, ...] = ()
    # The service that tells.
    service: str = ""


@dataclass(frozen=True)
class ServiceBacklog:
    """How much work waits inside one service."""

    outbox_waiting: int = 0
    outbox_parked: int = 0
    outbox_published: int = 0
    inbox_handled: int = 0
    deadlines_running: int = 0
    # Due in the past and not fired yet.
    deadlines_overdue: int = 0
    # Published and not yet acknowledged by the service's own consumers.
    consumer_pending: int = 0

    @property
    def quiet(self) -> bool:
        """Nothing is on its way. Parked rows don't count: they never leave by themselves."""
        return not (self.outbox_waiting or self.deadlines_overdue or self.consumer_pending)


@dataclass(frozen=True)
class UnhandledEvent:
    """An event that a service subscribes to and that had no effect there."""

    service: str
    consumer: str
    event_id: str
    subject: str
    case_id: str


@dataclass(frozen=True)
class DeadLetterFact:
    """A message that a service gave up on."""

    letter_id: str
    service: str
    event_id: str
    subject: str
    reason: str
    case_id: str = ""
    # What it was about: the work order of a CreateWorkOrder.
    entity_id: str = ""


@dataclass(frozen=True)
class LoggedEvents:
    """What the streams say has happened."""

    total: int = 0
    # Case number by case id, of every CaseOpened.
    opened: Mapping[str, str] = field(default_factory=dict)
    # Case id by work order id, of every CreateWorkOrder.
    work_orders_asked: Mapping[str, str] = field(default_factory=dict)
    # Case id by complaint id, of every RegisterComplaint.
    complaints_asked: Mapping[str, str] = field(default_factory=dict)
    unhandled: Sequence[UnhandledEvent] = ()


@dataclass(frozen=True)
class Snapshot:
    """The whole loop at one moment."""

    backlogs: Mapping[str, ServiceBacklog] = field(default_factory=dict)
    # By what they are about: `facts["case"]`. An entity that no service told of is not there: ask with `of`.
    facts: Mapping[str, Sequence[EntityFact]] = field(default_factory=dict)
    events: LoggedEvents = field(default_factory=LoggedEvents)
    dead_letters: Sequence[DeadLetterFact] = ()
    # Those of which somebody decided that they shall never take effect.
    discarded: Sequence[DeadLetterFact] = ()
    # Services (and the bus) that could not be asked, with the reason.
    silent: Mapping[str, str] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Everybody has answered, and nothing was on its way."""
        return not self.silent and all(backlog.quiet for backlog in self.backlogs.values())

    def of(self, entity: str) -> Sequence[EntityFact]:
        """Everything that was told of this kind of entity."""
        return self.facts.get(entity, ())
