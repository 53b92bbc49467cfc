"""One request on its way round the loop, as the play knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bihuanctl.demo.corpus import corpora
from bihuanctl.demo.gateway import Json
from bihuanctl.demo.personas import CustomerPersona, EngineerPersona, OwnerPersona, Personas
from bihuanctl.demo.requests import Request
from bihuanctl.platform.accounts import Account

ARCHIVED = "CASE_STAGE_ARCHIVED"
# What happens to a case there is the customer's, the owner's or the clocks' doing.
RESTING_STAGES = ("CASE_STAGE_DELIVERED", "CASE_STAGE_CONFIRMED")


# How long a step may be put off, so that several are taken in one round. Engineers have an hour to accept, customers
# and agents who call back have a day.
SOON: Final = timedelta(minutes=30)
AT_LEISURE: Final = timedelta(hours=2)


@dataclass(frozen=True)
class Move:
    """What one person does next about a story."""

    name: str
    due: datetime
    act: Callable[[], Awaitable[None]]
    patience: timedelta = SOON


@dataclass
class Story:
    """A request, the personas it meets, and what has become of it."""

    request: Request
    arrives_at: datetime
    customer: CustomerPersona
    owner: OwnerPersona
    engineer: EngineerPersona
    table: Personas
    random: Random
    # Number that the customer is known by.
    phone: str
    idempotency_key: str
    # Who speaks for the customer.
    speaker: Account
    # The case as last seen; None until it is opened.
    case: Json | None = None
    # Its work order while one is open.
    order: Json | None = None
    # The report joined a case that another story plays.
    joined: bool = False
    # The gateway refused it for good.
    refused: bool = False
    # What happens once only and has happened.
    done: set[str] = field(default_factory=set)
    # Steps that the gateway refused without a reason that the play knows.
    troubles: int = 0
    # A case that a further report became, because the one it was about had just ended.
    stray: Json | None = None
    # Somebody has acted since it was looked at.
    touched: bool = False
    _noticed: tuple[object, ...] = ()
    _noticed_at: datetime | None = None
    _delays: dict[str, timedelta] = field(default_factory=dict)

    @property
    def case_id(self) -> str:
        return str(self.case["case_id"]) if self.case else ""

    @property
    def stage(self) -> str:
        return str(self.case["stage"]) if self.case else ""

    @property
    def is_over(self) -> bool:
        """Nobody has anything to do any more."""
        return self.joined or self.refused or self.stage == ARCHIVED

    def rests(self, now: datetime) -> bool:
        """It can't have changed since it was looked at: nobody has acted, nobody is at work, no clock has run out."""
        assert self.case is not None
        at_rest = not self.touched and self.stage in RESTING_STAGES
        return at_rest and all(end > now for end in running_out(self.case))

    def notice(self, case: Json | None, order: Json | None, now: datetime) -> bool:
        """Takes in what is known now; True when that is something new, from whose beginning delays count anew."""
        self.case, self.order, self.touched = case, order, False
        seen = (
            self.stage,
            case and (case["waiting_for_customer"], case["owner"], case["reopened_times"]),
            order and (order["work_order_id"], order["state"], order.get("assigned_at")),
        )
        if seen == self._noticed:
            return False
        # People hear of a change when it happens, not when the play next looks. A change that no time stamp tells of,
        # such as a pause, has just happened.
        happened_at = max(_moments(case) + _moments(order), default=now)
        is_told = self._noticed_at is None or happened_at > self._noticed_at
        self._noticed, self._noticed_at = seen, min(happened_at, now) if is_told else now
        self._delays.clear()
        return True

    def after(self, step: str) -> datetime:
        """When somebody takes this step: so many minutes after it became possible, as the table says."""
        assert self._noticed_at is not None
        if step not in self._delays:
            low, high = self.table.minutes[step]
            self._delays[step] = timedelta(minutes=self.random.uniform(low, high))
        return self._noticed_at + self._delays[step]

    def reported_again(self) -> Request:
        """The same problem once more, called what the desk found it to be."""
        assert self.case is not None
        known = self.case["classification"]
        words = self.random.choice(corpora()[self.request.language].sayings.repeat)
        return self.request.again(known["kind"], known["category"], words)

    def comes_back(self, now: datetime) -> Story:
        """The customer reports the problem again after the case was closed (INT-14); this time all goes well."""
        low, high = self.table.minutes["come_back"]
        moment = now + timedelta(minutes=self.random.uniform(low, high))
        return self._next(moment, "back", None)

    def goes_on(self, now: datetime) -> Story:
        """Takes care of the stray case."""
        stray, self.stray = self.stray, None
        return self._next(now, "stray", stray)

    def _next(self, moment: datetime, name: str, case: Json | None) -> Story:
        return Story(
            request=self.reported_again(),
            arrives_at=moment,
            customer="content",
            owner="prompt",
            engineer="on_time",
            table=self.table,
            random=self.random,
            phone=self.phone,
            idempotency_key=f"{self.idempotency_key}-{name}",
            speaker=self.speaker,
            case=case,
        )

    def chance(self, percent: int) -> bool:
        return self.random.uniform(0, 100) < percent

    def draw(self, scores: Mapping[int, int]) -> int:
        return self.random.choices(list(scores), list(scores.values()))[0]


def running_out(entry: Json | None) -> list[datetime]:
    """When the running clocks of a case or work order run out."""
    return [
        datetime.fromisoformat(clock["due_at"])
        for clock in (entry["clocks"] if entry is not None else ())
        if clock["state"] == "CLOCK_STATE_RUNNING" and "due_at" in clock
    ]


def _moments(entry: Json | None) -> list[datetime]:
    """When something happened to a case or work order, as its clocks and its own time stamps tell."""
    if entry is None:
        return []
    texts = [clock.get(name) for clock in entry["clocks"] for name in ("started_at", "ended_at")]
    texts += [entry.get(name) for name in ("accepted_at", "assigned_at", "arrived_at", "finished_at", "closed_at")]
    return [datetime.fromisoformat(text) for text in texts if text]
