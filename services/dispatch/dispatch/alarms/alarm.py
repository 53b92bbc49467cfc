"""The alarm itself, and what one report of it changes (DSP-07). Pure; the words are X.733's, as in TMF642."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from servicekit.errors import Fault
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

CLEARED = "cleared"


class Alarm(SQLModel):
    """An alarm as it is known now. `AlarmRow` stores exactly these fields."""

    alarm_id: UUID = Field(primary_key=True)
    version: int
    # Together they name the alarm.
    source_system_id: str
    external_alarm_id: str
    # Of standards/classes.yaml.
    alarm_type: str
    # A severity of standards/levels.yaml, or `cleared`.
    perceived_severity: str
    probable_cause: str
    specific_problem: str = Field(default="", sa_type=Text)
    alarmed_object: str
    # Service categories that customers miss.
    affected_services: list[str] = Field(sa_type=ARRAY(Text))
    region: str
    raised_at: datetime = Field(sa_type=UTC_TIME)
    changed_at: datetime = Field(sa_type=UTC_TIME)
    cleared_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    incident_id: UUID | None = None


def word_of(written: str, known: Iterable[str], field: str) -> str:
    """The standards' word for one as monitoring systems write it: `Equipment Alarm`, `equipmentAlarm`.

    Raises Fault("alarm_word_unknown") about `field`.
    """
    words: Mapping[str, str] = {_letters(word): word for word in known}
    try:
        return words[_letters(written)]
    except KeyError:
        raise Fault("alarm_word_unknown", field=field, word=written[:60], known=", ".join(words.values())) from None


def merge(known: Alarm, reported: Alarm) -> Alarm | None:
    """The alarm after one more report of it; None where the report is a repetition, or older than what is known.

    An alarm that was cleared may be raised again: then it is looked at afresh.
    """
    if reported.changed_at < known.changed_at:
        return None
    if (reported.changed_at, reported.perceived_severity) == (known.changed_at, known.perceived_severity):
        return None
    kept = {"alarm_id": known.alarm_id, "version": known.version + 1, "incident_id": known.incident_id}
    after = reported.model_copy(update=kept)
    if known.cleared_at is not None and after.cleared_at is None:
        after.incident_id = None
    return after


def is_worse(after: Alarm, known: Alarm, ranks: Mapping[str, int]) -> bool:
    """Whether the alarm says more than before: what only gets better opens no incident after the one that is over."""
    return ranks[after.perceived_severity] > ranks.get(known.perceived_severity, 0)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
