"""What partners and webhooks look like in the contract, and the other way round. Pure."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from bihuan.partners.v1 import partners_pb2, webhooks_pb2
from servicekit.messaging.feeds import FEEDS, feed_subjects

from partners.registry.partner import Partner, Scope
from partners.registry.queries import View
from partners.webhooks.delivery import Delivery
from partners.webhooks.endpoint import Endpoint

StateT = TypeVar("StateT", bound=StrEnum)


def state_of(kind: type[StateT], values: Any, value: int) -> StateT | None:
    """Our word for a value of the contract's enum `values`; None for UNSPECIFIED."""
    if not value:
        return None
    prefix = values.Name(0).removesuffix("UNSPECIFIED")
    return kind(values.Name(value).removeprefix(prefix).lower())


def scope_of(message: partners_pb2.Scope) -> Scope:
    return Scope(
        event_types=list(message.event_types),
        domain=message.domain,
        valid_until=message.valid_until.ToDatetime(tzinfo=UTC),
    )


def partner_message(view: View) -> partners_pb2.Partner:
    partner = view.partner
    return partners_pb2.Partner(
        partner=partner.partner,
        version=partner.version,
        state=f"PARTNER_STATE_{partner.state.upper()}",
        display_name=partner.display_name,
        scope=partners_pb2.Scope(
            event_types=partner.event_types, domain=partner.domain, valid_until=partner.valid_until
        ),
        registered_at=partner.registered_at,
        ended_reason=partner.ended_reason,
        clocks=view.clocks,
    )


def feed_message(partner: Partner, password: str = "") -> partners_pb2.FeedAccess:
    """How the feed is read; the password only where it is new."""
    return partners_pb2.FeedAccess(
        user=partner.partner,
        password=password,
        stream=FEEDS,
        consumer=partner.partner,
        subjects=feed_subjects(partner.partner),
    )


def endpoint_message(endpoint: Endpoint) -> webhooks_pb2.Endpoint:
    return webhooks_pb2.Endpoint(
        endpoint_id=str(endpoint.endpoint_id),
        partner=endpoint.partner,
        version=endpoint.version,
        state=f"ENDPOINT_STATE_{endpoint.state.upper()}",
        url=endpoint.url,
        event_types=endpoint.event_types,
        failures=endpoint.failures,
        disabled_reason=endpoint.disabled_reason,
        created_at=endpoint.created_at,
    )


def delivery_message(delivery: Delivery, *, with_content: bool = False) -> webhooks_pb2.Delivery:
    return webhooks_pb2.Delivery(
        delivery_id=str(delivery.delivery_id),
        endpoint_id=str(delivery.endpoint_id),
        event_id=str(delivery.event_id),
        event_type=delivery.event_type,
        state=f"DELIVERY_STATE_{delivery.state.upper()}",
        due_at=delivery.due_at,
        attempts=[_attempt_message(attempt) for attempt in delivery.attempts],
        accepted_at=delivery.accepted_at,
        ended_at=delivery.ended_at,
        given_up_reason=delivery.given_up_reason,
        content=delivery.content if with_content else "",
    )


def _attempt_message(attempt: dict[str, Any]) -> webhooks_pb2.DeliveryAttempt:
    return webhooks_pb2.DeliveryAttempt(
        at=datetime.fromisoformat(attempt["at"]),
        status=attempt["status"],
        failure=attempt["failure"],
        milliseconds=attempt["milliseconds"],
    )
