"""Whether the log is whole: the loop check's rules for it (REC-04)."""

from datetime import timedelta
from uuid import UUID

from bihuan.platform.v1.inspection_pb2 import EntityFact
from servicekit.database import UnitOfWork
from sqlalchemy import func, select

from records.log.queries import find_head, read_tiles
from records.log.tables import ENTRIES, HEADS
from records.log.tiles import hashes_of, places_of

# Real time. Longer than the sequencer ever waits while it is alive.
STUCK_AFTER = timedelta(minutes=1)
# Sorts before every record.
LOG_ID = str(UUID(int=0))


async def log_fact(tx: UnitOfWork) -> EntityFact | None:
    """The log as one thing; None while nothing was ever entered."""
    counted = select(
        func.count(ENTRIES.c.leaf_index).label("placed"),
        func.max(ENTRIES.c.leaf_index).label("last"),
        func.min(ENTRIES.c.queued_at).filter(ENTRIES.c.leaf_index.is_(None)).label("waiting_since"),
        func.clock_timestamp().label("real_now"),
    )
    row = (await tx.execute(counted)).one()
    head = await find_head(tx)
    if head is None and row.waiting_since is None:
        return None
    size, serial = (head.tree_size, head.serial) if head else (0, 0)
    problems = []
    if row.placed != size or (row.last is not None and row.last != size - 1):
        problems.append(f"the newest head is over {size} entries, and {row.placed} are there, the last at {row.last}")
    if await tx.scalar(select(func.count()).select_from(HEADS)) != serial:
        problems.append("heads are missing between the first and the newest")
    if row.waiting_since is not None and row.real_now - row.waiting_since > STUCK_AFTER:
        problems.append(f"entries have been waiting for their place since {row.waiting_since.isoformat()}")
    if head is not None and not await _leads_to(tx, size, head.root_hash):
        problems.append("the stored tree does not lead to the root of the newest head")
    return EntityFact(entity="record_log", entity_id=LOG_ID, state="signed", version=serial, problems=problems)


async def _leads_to(tx: UnitOfWork, size: int, root: bytes) -> bool:
    whole = [(0, size)]
    try:
        return hashes_of(whole, await read_tiles(tx, places_of(whole))) == [root]
    except (KeyError, IndexError):  # a tile is gone, or shorter than it was
        return False
