"""Registering partners and changing what they may do: each function is one use case in one transaction (GWY-05)."""

from typing import Any

from bihuan.partners.v1 import events_pb2
from google.protobuf.message import Message
from servicekit.database import UnitOfWork
from servicekit.deadlines import Start
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.messaging.users import USERS
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from partners.access import require_own
from partners.policy import PARTNER_ACCESS, Policy
from partners.registry.partner import Partner, Scope, State
from partners.registry.passwords import FeedPassword, new_password
from partners.registry.queries import find_partner
from partners.registry.scope import require_known
from partners.registry.tables import PARTNERS
from partners.webhooks.givingup import give_up_waiting
from servicekit import deadlines

TIME_OVER = "time_over"

_INSERT_ONCE = insert(PARTNERS).on_conflict_do_nothing().returning(PARTNERS.c.partner)


async def register_partner(
    tx: UnitOfWork, partner: str, display_name: str, scope: Scope, *, principal: Principal, policy: Policy
) -> tuple[Partner, FeedPassword | None]:
    """A new partner and the password of its feed. Asked again for the same, it gives the partner and no password.

    Raises Fault partner_name_reserved, event_type_unknown, region_unknown, time_past, or partner_exists when the name
    has been used for something else.
    """
    if partner in USERS:
        raise Fault("partner_name_reserved", field="partner", partner=partner)
    _require_sound(tx, scope, policy)
    password = new_password()
    registered = Partner(
        **scope.model_dump(),
        partner=partner,
        version=1,
        state=State.ACTIVE,
        display_name=display_name,
        registered_at=tx.now,
        feed_password_hash=password.hashed,
    )
    if await tx.scalar(_INSERT_ONCE, registered.model_dump()) is None:
        before = await find_partner(tx, partner)
        if (before.display_name, Scope(**before.model_dump())) != (display_name, scope):
            raise Fault("partner_exists", field="partner", partner=partner)
        return before, None
    await _start_clock(tx, registered)
    tx.emit(events_pb2.PartnerRegistered(**_scope_facts(registered), registered_by=principal.actor), version=1)
    return registered, password


async def change_scope(
    tx: UnitOfWork, partner: str, scope: Scope, *, expected_version: int, principal: Principal, policy: Policy
) -> Partner:
    """What it may see from now on. Raises as `register_partner` and `suspend_partner`."""
    _require_sound(tx, scope, policy)
    before = await _lock(tx, partner, expected_version, "change_scope", (State.ACTIVE, State.SUSPENDED))
    after = await _save(tx, before, **scope.model_dump())
    await deadlines.cancel(tx, [partner], [PARTNER_ACCESS])
    await _start_clock(tx, after)
    _emit(tx, events_pb2.PartnerScopeChanged(**_scope_facts(after), changed_by=principal.actor), after)
    return after


async def suspend_partner(tx: UnitOfWork, partner: str, *, expected_version: int, principal: Principal) -> Partner:
    """Nothing is passed on until it is resumed. Raises Fault partner_unknown, stale_version or transition_forbidden."""
    before = await _lock(tx, partner, expected_version, "suspend_partner", (State.ACTIVE,))
    after = await _save(tx, before, state=State.SUSPENDED)
    _emit(tx, events_pb2.PartnerSuspended(partner=partner, suspended_by=principal.actor), after)
    return after


async def resume_partner(tx: UnitOfWork, partner: str, *, expected_version: int, principal: Principal) -> Partner:
    """Raises as `suspend_partner`."""
    before = await _lock(tx, partner, expected_version, "resume_partner", (State.SUSPENDED,))
    after = await _save(tx, before, state=State.ACTIVE)
    _emit(tx, events_pb2.PartnerResumed(partner=partner, resumed_by=principal.actor), after)
    return after


async def end_partner(
    tx: UnitOfWork, partner: str, *, reason: str, expected_version: int, principal: Principal
) -> Partner:
    """For good, before its time. Raises as `suspend_partner`."""
    before = await _lock(tx, partner, expected_version, "end_partner", (State.ACTIVE, State.SUSPENDED))
    await deadlines.cancel(tx, [partner], [PARTNER_ACCESS])
    return await _end(tx, before, reason, principal)


async def end_when_time_is_over(tx: UnitOfWork, partner: str) -> None:
    """One that was ended before, or has been given more time, stays so."""
    before = await _locked(tx, partner)
    if before.state != State.ENDED and tx.now >= before.valid_until:
        await _end(tx, before, TIME_OVER, Principal.system("partners"))


async def rotate_feed_password(
    tx: UnitOfWork, partner: str, *, expected_version: int, principal: Principal
) -> tuple[Partner, FeedPassword]:
    """A new password; the old one ends as soon as the bus has been told. Raises as `suspend_partner`, and
    partner_forbidden."""
    require_own(principal, partner)
    before = await _lock(tx, partner, expected_version, "rotate_feed_password", (State.ACTIVE, State.SUSPENDED))
    password = new_password()
    after = await _save(tx, before, feed_password_hash=password.hashed)
    _emit(tx, events_pb2.FeedPasswordRotated(partner=partner, rotated_by=principal.actor), after)
    return after, password


def _require_sound(tx: UnitOfWork, scope: Scope, policy: Policy) -> None:
    require_known(scope.event_types, "scope.event_types")
    policy.require_region(scope.domain)
    if scope.valid_until <= tx.now:
        raise Fault("time_past", field="scope.valid_until")


async def _lock(
    tx: UnitOfWork, partner: str, expected_version: int, action: str, allowed: tuple[State, ...]
) -> Partner:
    before = await _locked(tx, partner)
    if expected_version not in {0, before.version}:
        raise Fault("stale_version")
    if before.state not in allowed:
        raise Fault("transition_forbidden", action=action, state=before.state.value)
    return before


async def _locked(tx: UnitOfWork, partner: str) -> Partner:
    row = (await tx.execute(select(PARTNERS).where(PARTNERS.c.partner == partner).with_for_update())).one_or_none()
    if row is None:
        raise Fault("partner_unknown", field="partner", partner=partner)
    return Partner.model_validate(row._asdict())


async def _save(tx: UnitOfWork, before: Partner, **changes: Any) -> Partner:
    after = before.model_copy(update={"version": before.version + 1, **changes})
    values = {"version": after.version, **changes}
    await tx.execute(update(PARTNERS).where(PARTNERS.c.partner == before.partner).values(values))
    return after


async def _end(tx: UnitOfWork, before: Partner, reason: str, principal: Principal) -> Partner:
    after = await _save(tx, before, state=State.ENDED, ended_reason=reason)
    await give_up_waiting(tx, "partner_ended", after.partner)
    _emit(tx, events_pb2.PartnerEnded(partner=after.partner, ended_by=principal.actor), after)
    return after


async def _start_clock(tx: UnitOfWork, partner: Partner) -> None:
    clock = Start(PARTNER_ACCESS, partner.partner, responsible=partner.partner, due_at=partner.valid_until)
    await deadlines.start(tx, [clock])


def _emit(tx: UnitOfWork, event: Message, after: Partner) -> None:
    tx.emit(event, version=after.version)


def _scope_facts(partner: Partner) -> dict[str, Any]:
    return {
        "partner": partner.partner,
        "event_types": partner.event_types,
        "domain": partner.domain,
        "valid_until": partner.valid_until,
    }
