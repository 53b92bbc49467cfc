"""The table of clocks, in each service's own database, so that they move in one transaction with what they watch."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Interval,
    SmallInteger,
    Table,
    Text,
)

from servicekit.database.tables import kit_metadata

deadlines = Table(
    "deadlines",
    kit_metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject_id", Text, nullable=False, comment="Case, work order … that the clock watches"),
    Column("case_id", Text, nullable=False, server_default=""),
    Column("clock", Text, nullable=False, comment="Name in standards/clocks.yaml"),
    Column("responsible", Text, nullable=False, server_default=""),
    Column("calendar", Text, nullable=False),
    Column("time_limit", Interval, nullable=False, comment="As it was in the standards when the clock started"),
    Column("warn_at", ARRAY(SmallInteger), nullable=False, comment="Percent of the limit"),
    Column("state", Text, nullable=False, comment="running, paused, met, missed or cancelled"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("running_since", DateTime(timezone=True), nullable=False, comment="Start, or end of the last pause"),
    Column("used", Interval, nullable=False, comment="Open time used before running_since"),
    Column("due_at", DateTime(timezone=True), comment="Absent while paused"),
    Column("provisional", Boolean, nullable=False, comment="due_at rests on a year that is not arranged yet"),
    Column("warned_percent", SmallInteger, nullable=False, server_default="0"),
    Column(
        "fires_at",
        DateTime(timezone=True),
        comment="When the runner looks at it next; absent when nothing is left to announce",
    ),
    Column("attempts", Integer, nullable=False, server_default="0", comment="Failures of the next mark's handlers"),
    Column("last_error", Text, nullable=False, server_default=""),
    Column(
        "ended_at",
        DateTime(timezone=True),
        comment="When it was met or cancelled. Of a missed clock: due_at, until the work is done late or given up",
    ),
    Column("traceparent", Text, nullable=False, server_default="", comment="The trace that started it"),
)

Index("deadlines_firing", deadlines.c.fires_at, deadlines.c.id, postgresql_where=deadlines.c.fires_at.is_not(None))
Index("deadlines_subject", deadlines.c.subject_id)
# One clock of a name runs for a subject at a time; ended ones stay as history.
Index(
    "deadlines_one_of_a_name",
    deadlines.c.subject_id,
    deadlines.c.clock,
    unique=True,
    postgresql_where=deadlines.c.state.in_(("running", "paused")),
)
Index(
    "deadlines_provisional",
    deadlines.c.id,
    postgresql_where=deadlines.c.provisional & deadlines.c.state.in_(("running", "paused")),
)
