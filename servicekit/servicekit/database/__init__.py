"""State: one transaction holds the change, its events and its deadlines."""

from servicekit.database.engine import Database
from servicekit.database.outgoing import current_traceparent
from servicekit.database.trouble import is_database_trouble
from servicekit.database.unit_of_work import UnitOfWork

__all__ = ["Database", "UnitOfWork", "current_traceparent", "is_database_trouble"]
