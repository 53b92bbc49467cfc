"""Where a call stands. It travels in every page and comes back with every key, sealed: the gateway keeps no session.

Sealed, not only signed, because the caller's number is in it and voice platforms log what they submit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, Self

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, ValidationError
from servicekit.errors import Fault
from servicekit.languages import Language

# A call may last this long. Real time, like everything about tokens.
LONGEST_CALL: Final = timedelta(hours=2)

StepName = Literal[
    "language",
    "customer",
    "menu",
    "consent",
    "category",
    "symptom",
    "area",
    "confirm",
    "opened",
    "progress",
    "number",
    "told",
    "survey",
    "agent",
    "goodbye",
]


class State(BaseModel):
    """Everything that the dialogue remembers of one call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Names the call; with `turn` the key under which it changes anything, so that a page sent twice changes it once.
    call: str
    turn: int = 0
    step: StepName = "language"
    # None until it is chosen.
    language: Language | None = None
    # As the network told it, digits with an optional plus; empty when it was withheld.
    phone: str = ""
    # Several customers share the number, and it is not known yet who of them calls.
    shared: bool = False
    customer_id: str = ""
    region: str = ""
    # The region below which one is being chosen.
    area: str = ""
    consented: bool = False
    # Positions in faults.yaml.
    category: int = 0
    symptom: int = 0
    # The case that the call is about.
    case: str = ""
    # The report joined a case that was open already.
    joined: bool = False
    # Where a list of choices too long for one page goes on.
    offset: int = 0
    # The text said before the next step, and how often in a row a step was not understood.
    notice: str = ""
    misses: int = 0
    # Why an agent is wanted: a text under `reason`.
    reason: str = ""
    # No agent was reached.
    unanswered: bool = False

    def to(self, step: StepName, **changes: object) -> Self:
        """The next turn, at `step`: nothing of the last step's own is left."""
        fresh = {"turn": self.turn + 1, "step": step, "notice": "", "misses": 0, "offset": 0, "area": ""}
        return self.model_copy(update={**fresh, **changes})

    @property
    def is_known(self) -> bool:
        """The caller is a customer on file."""
        return bool(self.customer_id)

    @property
    def key(self) -> str:
        """The idempotency key of what this turn does."""
        return f"hotline-{self.call}-{self.turn}"


class StateSeal:
    """Seals states with the key that all replicas of the gateway share."""

    def __init__(self, fernet: Fernet) -> None:
        self._fernet = fernet

    def seal(self, state: State) -> str:
        return self._fernet.encrypt(state.model_dump_json(exclude_defaults=True).encode()).decode()

    def open(self, sealed: str) -> State:
        """Raises Fault call_state_invalid for what was not sealed here, was changed, or is too old."""
        try:
            content = self._fernet.decrypt(sealed.encode(), ttl=int(LONGEST_CALL.total_seconds()))
            return State.model_validate_json(content)
        except (InvalidToken, ValidationError):
            raise Fault("call_state_invalid", field="state") from None
