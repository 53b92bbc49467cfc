"""The work at hand, as the auditor sees it, who reads everything and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Final

from bihuanctl.demo.cast import Cast
from bihuanctl.demo.gateway import Gateway, Json, Refused
from bihuanctl.demo.story import ARCHIVED

# Where cases are worked on. In the stages after these few move in a round, and each is read by itself.
UNSOLVED_STAGES: Final = tuple(f"CASE_STAGE_{stage}" for stage in ("ACCEPTED", "ASSESSED", "ASSIGNED", "HANDLING"))
# While a case stands there, its work order matters.
VISITED_STAGES: Final = UNSOLVED_STAGES[1:]
OPEN_STATES: Final = tuple(
    f"WORK_ORDER_STATE_{state}" for state in ("PLANNED", "WAITING", "ASSIGNED", "ACCEPTED", "TRAVELLING", "ON_SITE")
)
# Up to so many cases are read one by one; more, out of the lists.
FEW: Final = 12


@dataclass(frozen=True)
class Sight:
    """What is seen: cases by id, and open work orders by the case they belong to."""

    cases: dict[str, Json] = field(default_factory=dict)
    orders: dict[str, Json] = field(default_factory=dict)


class Board:
    """Reads cases, work orders and records."""

    def __init__(self, gateway: Gateway, cast: Cast) -> None:
        self._gateway = gateway
        self._auditor = cast.auditor

    async def look(self, wanted: Collection[str]) -> Sight:
        """These cases as they are now, with their open work orders."""
        sight = await self._lists() if len(wanted) > FEW else Sight()
        # Further on, or between two lists while they were read: looked at one by one.
        await asyncio.gather(*(self._look_at(case_id, sight) for case_id in wanted if case_id not in sight.cases))
        return sight

    async def archived(self, wanted: Collection[str]) -> list[Json]:
        """Those of the cases that are archived."""
        pages = self._gateway.pages(self._auditor, "/v1/cases", "cases", stage=ARCHIVED)
        return await _until_older(pages, wanted, "case_id")

    async def work_orders_of(self, cases: Collection[str]) -> list[Json]:
        """Every work order of these cases, finished or not."""
        pages = self._gateway.pages(self._auditor, "/v1/work-orders", "work_orders")
        return await _until_older(pages, cases, "work_order_id")

    async def records_of(self, cases: Collection[str]) -> list[Json]:
        """Their records."""
        return await _until_older(self._gateway.pages(self._auditor, "/v1/records", "records"), cases, "record_id")

    async def _lists(self) -> Sight:
        cases = asyncio.gather(*(self._cases(stage) for stage in UNSOLVED_STAGES))
        orders = asyncio.gather(*(self._orders(state) for state in OPEN_STATES))
        return Sight(
            cases={case["case_id"]: case for page in await cases for case in page},
            orders={order["case_id"]: order for page in await orders for order in page},
        )

    async def _cases(self, stage: str) -> list[Json]:
        return [case async for case in self._gateway.pages(self._auditor, "/v1/cases", "cases", stage=stage)]

    async def _orders(self, state: str) -> list[Json]:
        pages = self._gateway.pages(self._auditor, "/v1/work-orders", "work_orders", state=state)
        return [order async for order in pages]

    async def _look_at(self, case_id: str, sight: Sight) -> None:
        case = await self._gateway.get(self._auditor, f"/v1/cases/{case_id}")
        sight.cases[case_id] = case
        if not case["work_order_id"] or case["stage"] not in VISITED_STAGES:
            return
        try:
            order = await self._gateway.get(self._auditor, f"/v1/work-orders/{case['work_order_id']}")
        except Refused as refused:
            # Asked for a moment ago, and dispatch has not heard of it yet.
            if refused.code != "work_order_unknown":
                raise
            return
        if order["state"] in OPEN_STATES:
            sight.orders[case_id] = order


async def _until_older(pages: AsyncIterator[Json], cases: Collection[str], identity: str) -> list[Json]:
    """Entries of a newest-first list that belong to the cases. Ids grow with time: older entries can't."""
    oldest, found = min(cases, default=""), []
    async for entry in pages:
        if entry[identity] < oldest:
            break
        if entry["case_id"] in cases:
            found.append(entry)
    return found
