"""Whole loops: cases from the first word to the archive, every service and consumer taking part, the clock moved on.

In waves, so that every engineer has work and no visit waits for one. After each stage of a wave the bench waits until
all that it led to has happened: what a stage costs is the processor time of everybody, consumers included.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from bihuanctl.demo.cast import Cast
from bihuanctl.demo.gateway import Gateway, Json, open_gateway
from bihuanctl.demo.journal import Journal
from bihuanctl.demo.pace import Pace
from bihuanctl.demo.personas import Crew
from bihuanctl.demo.story import running_out
from bihuanctl.demo.workforce import Workforce
from bihuanctl.platform.accounts import read_accounts
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from servicekit.clock import read_offset

from bench.figures import Figure, at_most
from bench.load import phone_of, report
from bench.platform import Platform
from standards import load

GROUP: Final = "loop"
WAVES: Final = 2
ENGINEERS: Final = 8
# The standards' open work orders per engineer: so many visits begin at once, and as many cases are handled at the desk.
VISITS: Final = ENGINEERS * int(load().thresholds["open_work_orders_per_engineer"].value)
SERIES: Final = 9_998
CHANNEL: Final = "channel-app"
# After the last of the customers' clocks has run out.
LATER: Final = timedelta(minutes=1)
REPORT: Final = {"found": "光猫无光", "done": "更换光猫", "parts": [{"part": "modem", "quantity": 1}]}


async def measure_loop(platform: Platform) -> list[Figure]:
    """On a platform without open cases: the clock is moved on by days."""
    async with _stage(platform) as stage:
        await platform.until_quiet()
        for wave in range(WAVES):
            await stage.play(wave)
        cases = WAVES * 2 * VISITS
        archived = len(await stage.cases("ARCHIVED"))
    costs = stage.costs
    return [
        Figure(GROUP, "cases, half of them with a visit", cases, ""),
        at_most(GROUP, "not archived", cases - archived, "", 0),
        Figure(GROUP, "from the first report to the archive", cases / sum(stage.seconds.values()), "/s"),
        Figure(GROUP, "processor time a case", _milliseconds(sum(costs.values()), cases), "ms"),
        *(Figure(GROUP, f"stage: {name}", _milliseconds(_of(costs, 0, name), cases), "ms") for name in stage.seconds),
        *(
            Figure(GROUP, f"process: {name}", _milliseconds(_of(costs, 1, name), cases), "ms")
            for name in sorted({process for _, process in costs}, key=lambda process: -_of(costs, 1, process))
        ),
    ]


def _of(costs: Mapping[tuple[str, str], float], place: int, name: str) -> float:
    return sum(cost for key, cost in costs.items() if key[place] == name)


def _milliseconds(seconds: float, cases: int) -> float:
    return seconds * 1000 / cases


class Stage:
    """Plays waves of cases and keeps count of what each stage took."""

    def __init__(self, platform: Platform, gateway: Gateway, cast: Cast, pace: Pace, crew: Mapping[str, str]) -> None:
        self._platform = platform
        self._gateway = gateway
        self._cast = cast
        self._pace = pace
        self._crew = crew
        self.seconds: defaultdict[str, float] = defaultdict(float)
        # Processor seconds by stage and process.
        self.costs: defaultdict[tuple[str, str], float] = defaultdict(float)

    async def play(self, wave: int) -> None:
        await self._measured("opened", self._open(wave))
        await self._measured("assessed, visits assigned", self._assess())
        await self._measured("handled", self._handle())
        await self._measured("confirmed by the clock", self._let_time_pass())
        await self._measured("followed up, closed, filed", self._follow_up())

    async def cases(self, stage: str) -> list[Json]:
        pages = self._gateway.pages(self._cast.auditor, "/v1/cases", "cases", stage=f"CASE_STAGE_{stage}")
        return [case async for case in pages]

    async def _measured(self, stage: str, work: Awaitable[None]) -> None:
        before, began = self._platform.processor_seconds(), time.perf_counter()
        await work
        await self._pace.settle()
        self.seconds[stage] += time.perf_counter() - began
        for process, used in self._platform.processor_seconds().items():
            self.costs[stage, process] += used - before[process]

    async def _open(self, wave: int) -> None:
        phones = [phone_of(SERIES, wave * 2 * VISITS + serial) for serial in range(2 * VISITS)]
        app = self._cast.named(CHANNEL)
        await asyncio.gather(
            *(self._gateway.post(app, "/v1/cases", report(phone), key=f"loop{phone}") for phone in phones)
        )

    async def _assess(self) -> None:
        accepted = await self.cases("ACCEPTED")
        await asyncio.gather(
            *(
                self._on_case(
                    case, "assess", classification=case["proposed"]["classification"], needs_visit=number < VISITS
                )
                for number, case in enumerate(accepted)
            )
        )

    async def _handle(self) -> None:
        pages = self._gateway.pages(
            self._cast.auditor, "/v1/work-orders", "work_orders", state="WORK_ORDER_STATE_ASSIGNED"
        )
        orders = [order async for order in pages]
        at_desk = [case for case in await self.cases("ASSIGNED") if not case["work_order_id"]]
        await asyncio.gather(*map(self._visit, orders), *map(self._answer, at_desk))

    async def _visit(self, order: Json) -> None:
        engineer = self._cast.named(self._crew[order["engineer_id"]])
        path = f"/v1/work-orders/{order['work_order_id']}"
        for step in ("accept", "startTravel", "arrive"):
            order = await self._gateway.post(engineer, f"{path}:{step}", {}, version=int(order["version"]))
        await self._gateway.post(engineer, f"{path}:complete", {"report": REPORT}, version=int(order["version"]))

    async def _answer(self, case: Json) -> None:
        case = await self._on_case(case, "startHandling")
        await self._on_case(case, "deliver", result="已远程恢复")

    async def _let_time_pass(self) -> None:
        """The customers stay silent until their clocks run out (INT-11)."""
        ends = [end for case in await self.cases("DELIVERED") for end in running_out(case)]
        await self._pace.advance_to(max(ends) + LATER)

    async def _follow_up(self) -> None:
        confirmed = await self.cases("CONFIRMED")
        await asyncio.gather(*(self._on_case(case, "followUp", note="已恢复", reached=True) for case in confirmed))

    async def _on_case(self, case: Json, step: str, **body: object) -> Json:
        owner = self._cast.owner(case["owner"], case["region"])
        path = f"/v1/cases/{case['case_id']}:{step}"
        return await self._gateway.post(owner, path, body, version=int(case["version"]))


@asynccontextmanager
async def _stage(platform: Platform) -> AsyncIterator[Stage]:
    """With its engineers ready for work."""
    state, issuer = platform.state, platform.layout.issuer
    token = await asyncio.to_thread(operator_token, state, issuer, {})
    cast = Cast(read_accounts(issuer), {})
    async with (
        platform.jetstream() as jetstream,
        channels(state.targets, token, "en") as services,
        open_gateway(state.gateway_url, Journal(), "en") as gateway,
    ):
        offset, _ = await read_offset(jetstream)
        pace = Pace(jetstream, services, offset)
        names: Sequence[str] = [f"engineer{number}" for number in range(1, ENGINEERS + 1)]
        workforce = Workforce(gateway, cast, {name: Crew(name=name, territory="cn", level="senior") for name in names})
        crew = await workforce.get_ready(pace.now())
        yield Stage(platform, gateway, cast, pace, crew)
