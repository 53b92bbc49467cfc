"""What people write about a work order, sealed (REC-05, REC-06): for dispatch, with a key of its own for each customer,
and for the service that asked, with the key that it gave.

A work order from before askers named the customer has neither: what is written about it stays as it is.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from servicekit.customerkeys import KeptKey, KeyRing, readable_text, seal_text, seal_text_for
from servicekit.database import UnitOfWork
from servicekit.sealing import Sealer

from dispatch.work_orders.work_order import WorkOrder

Change = Callable[[str], str]


class CustomerKeyRow(KeptKey, table=True):
    """One customer for whom work was done."""

    __tablename__ = "customer_keys"


CUSTOMER_KEYS = CustomerKeyRow.metadata.tables["customer_keys"]
KEYS = KeyRing(CUSTOMER_KEYS)


@dataclass(frozen=True, slots=True)
class Pen:
    """Seals what somebody writes about one work order."""

    # As dispatch keeps it.
    kept: Change
    # As the asker is told it.
    told: Change


async def pen_for(tx: UnitOfWork, sealer: Sealer, order: WorkOrder) -> Pen:
    if order.customer_id is None:
        return Pen(_as_it_is, _as_it_is)
    key = await KEYS.key_for(tx, sealer, order.customer_id)
    return Pen(partial(seal_text, sealer, key), partial(seal_text_for, order.sealing_key, order.customer_id))


async def openers(tx: UnitOfWork, sealer: Sealer, orders: Collection[WorkOrder]) -> Callable[[WorkOrder], Change]:
    """What opens the texts of each of the work orders for people to read."""
    keys = await KEYS.find(tx, {order.customer_id for order in orders if order.customer_id is not None})
    return lambda order: partial(
        readable_text, sealer, None if order.customer_id is None else keys.get(order.customer_id)
    )


def _as_it_is(text: str) -> str:
    return text
