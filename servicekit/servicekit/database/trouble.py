"""Telling the database's trouble from everybody else's errors, precisely, in one place."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from servicekit.errors import Fault

# SQLSTATE classes and codes that say nothing against the transaction itself; the same work can succeed later.
_TROUBLE_CLASSES = ("08", "53")  # connection exception; insufficient resources
_TROUBLE_STATES = frozenset({
    "57P01", "57P02", "57P03",  # administrator or crash shutdown; cannot connect now
    "25P03", "57P05",  # idle sessions that the server ended
    "25006",  # read-only: a standby, in the moment of a change-over
})  # fmt: skip
# The transaction is surely undone, and the same work can succeed at once.
_CONFLICT_STATES = frozenset({"40001", "40P01"})  # serialization failure; deadlock


class DatabaseAwayError(Exception):
    """No connection could be made, or it was lost before the commit was sent."""


class OutcomeUnknownError(DatabaseAwayError):
    """The connection was lost during the commit: the transaction may or may not have happened."""


def is_database_trouble(exc: BaseException) -> bool:
    """Whether `exc` comes from the database being away, overloaded or choosing a victim, not from the work itself.

    A `Fault("unavailable")` counts when a transaction raised it for such a reason.
    """
    if isinstance(exc, Fault):
        return exc.code == "unavailable" and exc.__cause__ is not None and is_database_trouble(exc.__cause__)
    if isinstance(exc, DatabaseAwayError | PoolTimeout):
        return True
    if isinstance(exc, DBAPIError):
        return exc.connection_invalidated or _is_trouble_state(getattr(exc.orig, "sqlstate", None))
    if isinstance(exc, asyncpg.PostgresError):
        return _is_trouble_state(exc.sqlstate)
    # So asyncpg fails on a connection that broke in the middle of a message, or is already closed.
    if isinstance(exc, asyncpg.InternalClientError):
        return True
    return isinstance(exc, asyncpg.InterfaceError) and "closed" in str(exc)


def is_outcome_unknown(exc: asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError) -> bool:
    """Whether a commit that raised `exc` may have happened all the same."""
    return is_database_trouble(exc) and getattr(exc, "sqlstate", None) not in _CONFLICT_STATES


def _is_trouble_state(sqlstate: str | None) -> bool:
    return sqlstate is not None and (
        sqlstate.startswith(_TROUBLE_CLASSES) or sqlstate in _TROUBLE_STATES or sqlstate in _CONFLICT_STATES
    )
