"""What becomes of a reservation when its work order ends (DSP-05)."""

from servicekit.database import UnitOfWork

from dispatch.slots import rules, store
from dispatch.work_orders.work_order import State, WorkOrder

VISIT_FAILED = "visit_failed"


async def follow_work_order(tx: UnitOfWork, order: WorkOrder) -> None:
    """The visit of an ended work order took place, came to nothing, or is no longer wanted.

    A reservation that was given up before its work order was called off stays given up.
    """
    reservation = await store.lock_live_of_work_order(tx, order.work_order_id)
    if reservation is None:
        return
    match order.state:
        case State.DONE:
            step = rules.fulfil(reservation, tx.now)
        case State.FAILED:
            step = rules.fail(reservation, tx.now, because=VISIT_FAILED, alternatives=())
        case _:
            step = rules.release(reservation, tx.now, reason=order.failure)
    await store.save(tx, reservation, step)
