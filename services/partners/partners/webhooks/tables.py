"""Where endpoints, their secrets and their deliveries are stored."""

from datetime import datetime
from uuid import UUID

from servicekit.database.columns import UTC_TIME
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from partners.webhooks.delivery import Delivery
from partners.webhooks.endpoint import Endpoint


class EndpointRow(Endpoint, table=True):
    """One endpoint."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("webhook_endpoints_of_partner", "partner", "endpoint_id"),)

    partner: str = Field(foreign_key="partners.partner")


class SecretRow(SQLModel, table=True):
    """A secret that an endpoint's requests are signed with, sealed by a key of its own."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index("webhook_secrets_of_endpoint", "endpoint_id", "secret_id"),)

    secret_id: UUID = Field(primary_key=True)
    endpoint_id: UUID = Field(foreign_key="webhook_endpoints.endpoint_id")
    wrapped_key: bytes
    sealed: bytes
    # Absent for the newest; the one before signs beside it until then.
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


class DeliveryRow(Delivery, table=True):
    """One delivery; an event is accepted for an endpoint once."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id", name="webhook_deliveries_once"),
        Index("webhook_deliveries_of_partner", "partner", "delivery_id"),
        Index("webhook_deliveries_waiting", "endpoint_id", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("webhook_deliveries_sending", "endpoint_id", "leased_until", postgresql_where=text("state = 'sending'")),
        Index("webhook_deliveries_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    endpoint_id: UUID = Field(foreign_key="webhook_endpoints.endpoint_id")


ENDPOINTS = EndpointRow.__table__  # type: ignore[attr-defined]
SECRETS = SecretRow.__table__  # type: ignore[attr-defined]
DELIVERIES = DeliveryRow.__table__  # type: ignore[attr-defined]
