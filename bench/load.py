"""A load of fault reports over keep-alive HTTP connections, with as little work on our side as Python allows.

`python -m bench.load` reads a Plan from its standard input and writes an Outcome: in a process of its own, because a
client that shares a process with anything else measures that too. The plan comes that way because it holds a token.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bench.figures import percentile

PATH = "/v1/cases"
CONTENT_LENGTH = b"content-length:"
CREATED = 201


@dataclass(frozen=True)
class Plan:
    """What to do. Reports are numbered from 0 on, and each number is a caller of its own."""

    url: str
    token: str
    clients: int
    seconds: float
    # Other callers than those of another series.
    series: int
    # What the reports are about; empty: proposed from their text. A caller's second report about one thing joins the
    # first (INT-14), one about another thing is a case of its own.
    category: str = ""
    # Stops when so many reports are sent, if the time is not over before; 0: no end.
    most: int = 0
    # 0: as fast as the answers come.
    per_second: float = 0.0


@dataclass
class Outcome:
    """What came of it. Latencies are seconds from sending a request to its whole answer, of those answered 201."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    case_ids: list[str] = field(default_factory=list)
    other_answers: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def latency(self, share: float) -> float:
        return percentile(self.latencies, share)


async def run_in_own_process(plan: Plan) -> Outcome:
    """Raises RuntimeError when the process fails, such as when the gateway closes its connections."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate(json.dumps(asdict(plan)).encode())
    if process.returncode != 0:
        raise RuntimeError(f"the load ended with status {process.returncode}")
    return Outcome(**json.loads(answer))


async def post_reports(plan: Plan) -> Outcome:
    """Posts one report after another on each connection until the time is over."""
    parts = urlsplit(plan.url)
    outcome = Outcome()
    serials = iter(range(plan.most or 10**8))
    began = time.perf_counter()
    end = began + plan.seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            for serial in serials:
                turn = began + serial / plan.per_second if plan.per_second else began
                if max(turn, time.perf_counter()) >= end:
                    return
                await asyncio.sleep(turn - time.perf_counter())
                request = _request(parts.netloc, plan, serial)
                started = time.perf_counter()
                writer.write(request)
                status, answer = await _answer(reader)
                if status == CREATED:
                    outcome.latencies.append(time.perf_counter() - started)
                    outcome.case_ids.append(json.loads(answer)["case"]["case_id"])
                else:
                    outcome.other_answers[str(status)] = outcome.other_answers.get(str(status), 0) + 1
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(plan.clients):
            group.create_task(client())
    outcome.seconds = time.perf_counter() - began
    return outcome


def phone_of(series: int, serial: int) -> str:
    """A number that only the caller `serial` of that series has."""
    return f"+86{series:04d}{serial:08d}"


def report(phone: str, category: str = "") -> dict[str, Any]:
    """The body of `POST /v1/cases`: a fault, as a customer reports it by app."""
    return {
        "channel": "app",
        "caller": {"phone": phone, "name": "王小明", "identity_check": "IDENTITY_CHECK_TOKEN"},
        "region": "cn.gd.gz.tianhe",
        "subject": "宽带无法上网",
        "description": "从昨晚开始无法上网，光猫红灯闪烁，重启也没有用。请尽快安排人上门检查。",
        "category": category,
    }


def _request(host: str, plan: Plan, serial: int) -> bytes:
    phone = phone_of(plan.series, serial)
    body = json.dumps(report(phone, plan.category), ensure_ascii=False).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {plan.token}\r\nIdempotency-Key: bench{phone}{plan.category}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.index(CONTENT_LENGTH) + len(CONTENT_LENGTH)
    length = int(lower[at : lower.index(b"\r\n", at)])
    return int(head[9:12]), await reader.readexactly(length)


if __name__ == "__main__":
    plan = Plan(**json.loads(sys.stdin.buffer.read()))
    json.dump(asdict(uvloop.run(post_reports(plan))), sys.stdout)
