"""Types of columns that every service's tables share."""

from typing import Final

from sqlalchemy import DateTime

# A moment, with its zone: PostgreSQL keeps it in UTC.
UTC_TIME: Final = DateTime(timezone=True)
