"""A partner: what it may see, and until when (GWY-05)."""

from datetime import datetime, timedelta
from enum import StrEnum

from servicekit.database.columns import UTC_TIME
from servicekit.regions import regions_upwards
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from partners.registry.scope import matches

# At most, those of two machines: what follows a registration may bear an earlier time.
_CLOCKS_DIFFER = timedelta(minutes=1)


class State(StrEnum):
    """The words behind the contract's PartnerState."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Scope(SQLModel):
    """What a partner may see; the contract's Scope."""

    # `<service>.<entity>.<happened>`, with `*` for any word.
    event_types: list[str] = Field(sa_type=ARRAY(Text))
    domain: str
    valid_until: datetime = Field(sa_type=UTC_TIME)


class Partner(Scope):
    """A partner as a value. `PartnerRow` stores exactly these fields."""

    partner: str = Field(primary_key=True)
    version: int
    state: State = Field(sa_type=Text)
    display_name: str
    registered_at: datetime = Field(sa_type=UTC_TIME)
    ended_reason: str = Field(default="", sa_type=Text)
    # bcrypt, as the NATS server compares it.
    feed_password_hash: str

    def was_there(self, occurred_at: datetime) -> bool:
        """Whether something happened after it was registered, as far as that can be told: what was left on the stream
        while nobody was a partner is not for those who come later."""
        return occurred_at >= self.registered_at - _CLOCKS_DIFFER

    def may_see(self, subject: str, region: str | None, now: datetime) -> bool:
        """Whether an event on `subject` in `region` (None: it has none) is for this partner at this moment."""
        if self.state != State.ACTIVE or now >= self.valid_until:
            return False
        return matches(self.event_types, subject) and covers(self.domain, region)


def covers(domain: str, region: str | None) -> bool:
    """Whether `region` is `domain` or lies in it. What has no region belongs to the whole country alone."""
    if region is None:
        return "." not in domain
    return domain in regions_upwards(region)
