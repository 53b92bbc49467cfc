"""The customer, and where customers live: nothing personal in clear, everything sealed with the customer's own key."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlmodel import Field, SQLModel


class Customer(SQLModel):
    """A customer as a value; `CustomerRow` stores exactly these fields. After erasure only ids and dates remain."""

    customer_id: UUID = Field(primary_key=True)
    version: int
    region: str
    # `zh-CN` or `en`.
    language: str
    # The customer's key, wrapped by the master key. Gone: every text sealed with it is gone, wherever it lies.
    wrapped_key: bytes | None
    sealed_name: bytes | None
    sealed_phone: bytes | None
    sealed_email: bytes | None
    # Finds the customer of a number without storing the number.
    phone_index: bytes | None = Field(unique=True)
    registered_at: datetime = Field(sa_type=UTC_TIME)
    erased_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


class CustomerRow(Customer, table=True):
    __tablename__ = "customers"


CUSTOMERS = CustomerRow.metadata.tables["customers"]
