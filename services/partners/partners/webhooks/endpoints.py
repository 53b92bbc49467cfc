"""Creating, enabling, disabling endpoints and changing their secrets: each function is one use case (GWY-05)."""

from typing import Any
from uuid import UUID

from bihuan.partners.v1 import events_pb2
from servicekit.creation import CreationKey
from servicekit.database import UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import uuid7
from servicekit.sealing import Sealer
from sqlalchemy import insert, select, update

from partners.access import require_own
from partners.policy import Policy
from partners.registry.partner import State as PartnerState
from partners.registry.queries import find_partner
from partners.registry.scope import require_known
from partners.webhooks.endpoint import BY_REQUEST, Endpoint, State
from partners.webhooks.queries import find_endpoint
from partners.webhooks.secrets import add_secret, retire_secrets
from partners.webhooks.tables import ENDPOINTS


async def create_endpoint(
    tx: UnitOfWork,
    name: str,
    url: str,
    event_types: list[str],
    *,
    wanted: CreationKey,
    principal: Principal,
    sealer: Sealer,
) -> tuple[Endpoint, str]:
    """A new endpoint with its secret; the same key gives the same endpoint again, without the secret.

    Whoever calls has looked at the address before (`Destinations.require`). Raises Fault partner_forbidden,
    partner_unknown, event_type_unknown, transition_forbidden or idempotency_key_reused.
    """
    require_own(principal, name)
    require_known(event_types, "event_types")
    await _require_not_ended(tx, name, "create_endpoint")
    new_id = uuid7()
    claimed = await tx.claim_keys(f"create_endpoint {name}", {wanted.key: (wanted.fingerprint, new_id)})
    if claimed[wanted.key] != new_id:
        return await find_endpoint(tx, name, claimed[wanted.key]), ""
    endpoint = Endpoint(
        endpoint_id=new_id,
        partner=name,
        version=1,
        state=State.ENABLED,
        url=url,
        event_types=event_types,
        created_at=tx.now,
    )
    await tx.execute(insert(ENDPOINTS), endpoint.model_dump())
    secret = await add_secret(tx, new_id, sealer)
    tx.emit(events_pb2.EndpointCreated(**_facts(endpoint), created_by=principal.actor), version=1)
    return endpoint, secret


async def enable_endpoint(
    tx: UnitOfWork, name: str, endpoint_id: UUID, *, expected_version: int, principal: Principal
) -> Endpoint:
    """Events are sent there again, from now on, and what still waits. Raises Fault partner_forbidden, endpoint_unknown,
    stale_version or transition_forbidden."""
    require_own(principal, name)
    await _require_not_ended(tx, name, "enable_endpoint")
    before = await _lock(tx, name, endpoint_id, expected_version)
    _require(before, State.DISABLED, "enable_endpoint")
    after = await _save(tx, before, state=State.ENABLED, failures=0, failing_since=None, disabled_reason="")
    tx.emit(events_pb2.EndpointEnabled(**_facts(after), enabled_by=principal.actor), version=after.version)
    return after


async def disable_endpoint(
    tx: UnitOfWork, name: str, endpoint_id: UUID, *, expected_version: int, principal: Principal
) -> Endpoint:
    """Nothing more is sent there; what waits goes on waiting, until it is enabled or its schedule ends. Raises as
    `enable_endpoint`."""
    require_own(principal, name)
    before = await _lock(tx, name, endpoint_id, expected_version)
    _require(before, State.ENABLED, "disable_endpoint")
    return await disable(tx, before, BY_REQUEST)


async def rotate_secret(
    tx: UnitOfWork,
    name: str,
    endpoint_id: UUID,
    *,
    expected_version: int,
    principal: Principal,
    policy: Policy,
    sealer: Sealer,
) -> tuple[Endpoint, str]:
    """A new secret. The old one signs beside it for a while. Raises as `enable_endpoint`."""
    require_own(principal, name)
    before = await _lock(tx, name, endpoint_id, expected_version)
    await retire_secrets(tx, endpoint_id, policy.secret_overlap)
    secret = await add_secret(tx, endpoint_id, sealer)
    after = await _save(tx, before)
    tx.emit(events_pb2.EndpointSecretRotated(**_facts(after), rotated_by=principal.actor), version=after.version)
    return after, secret


async def disable(tx: UnitOfWork, before: Endpoint, reason: str) -> Endpoint:
    """With its event, for whichever reason. The endpoint is locked by whoever calls."""
    after = await _save(tx, before, state=State.DISABLED, disabled_reason=reason)
    tx.emit(events_pb2.EndpointDisabled(**_facts(after), reason=reason), version=after.version)
    return after


async def _lock(tx: UnitOfWork, name: str, endpoint_id: UUID, expected_version: int) -> Endpoint:
    own = (ENDPOINTS.c.endpoint_id == endpoint_id, ENDPOINTS.c.partner == name)
    row = (await tx.execute(select(ENDPOINTS).where(*own).with_for_update())).one_or_none()
    if row is None:
        raise Fault("endpoint_unknown", field="endpoint_id")
    before = Endpoint.model_validate(row._asdict())
    if expected_version not in {0, before.version}:
        raise Fault("stale_version")
    return before


async def _require_not_ended(tx: UnitOfWork, name: str, action: str) -> None:
    state = (await find_partner(tx, name)).state
    if state == PartnerState.ENDED:
        raise Fault("transition_forbidden", action=action, state=state.value)


def _require(endpoint: Endpoint, state: State, action: str) -> None:
    if endpoint.state != state:
        raise Fault("transition_forbidden", action=action, state=endpoint.state.value)


async def _save(tx: UnitOfWork, before: Endpoint, **changes: Any) -> Endpoint:
    after = before.model_copy(update={"version": before.version + 1, **changes})
    values = {"version": after.version, **changes}
    await tx.execute(update(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == before.endpoint_id).values(values))
    return after


def _facts(endpoint: Endpoint) -> dict[str, str]:
    return {"endpoint_id": str(endpoint.endpoint_id), "partner": endpoint.partner}
