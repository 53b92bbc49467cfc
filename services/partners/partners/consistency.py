"""Whether states, clocks and fields fit together: every event that was accepted is delivered, waits with a deadline, or
was given up with a reason. Pure."""

from collections.abc import Iterable

from bihuan.common.v1.common_pb2 import CLOCK_STATE_RUNNING, Clock

from partners.policy import PARTNER_ACCESS
from partners.registry.partner import Partner
from partners.registry.partner import State as PartnerState
from partners.webhooks.delivery import Delivery, State


def problems_of_partner(partner: Partner, clocks: Iterable[Clock]) -> list[str]:
    """What is wrong with it, in words for operators; empty when it is sound."""
    running = any(clock.name == PARTNER_ACCESS and clock.state == CLOCK_STATE_RUNNING for clock in clocks)
    found = []
    if running != (partner.state != PartnerState.ENDED):
        found.append(f"clock {PARTNER_ACCESS} {'runs' if running else 'does not run'} in state {partner.state}")
    if bool(partner.ended_reason) != (partner.state == PartnerState.ENDED):
        found.append(f"ended_reason does not fit state {partner.state}")
    return found


def problems_of_delivery(delivery: Delivery) -> list[str]:
    """The same of a delivery."""
    expected = {
        "due_at": delivery.state == State.WAITING,
        "leased_until": delivery.state == State.SENDING,
        "ended_at": delivery.state in {State.DELIVERED, State.GIVEN_UP},
        "given_up_reason": delivery.state == State.GIVEN_UP,
    }
    return [
        f"{field} {'is missing' if wanted else 'is set'} in state {delivery.state}"
        for field, wanted in expected.items()
        if bool(getattr(delivery, field)) != wanted
    ]
