"""The floor: what the machine's PostgreSQL does by itself, measured by pgbench with no code of ours in between.

It is the same server that the platform runs on, at the same moment, so that a share of the floor means the same on a
slow machine and on a busy one.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from pathlib import Path
from statistics import median

from servicekit.embedded.binaries import binaries

from bench.figures import Figure, clients_text
from bench.platform import Platform

GROUP = "floor"
# pgbench's clock runs while its clients sign in, which 64 of them take a while for on a busy machine.
SIGN_IN_SECONDS = 1

# One case row and one outbox row in one transaction, of the size that a fault report has.
SCHEMA = """
CREATE TABLE IF NOT EXISTS floor_cases (
    id uuid PRIMARY KEY DEFAULT uuidv7(), customer uuid NOT NULL, region text NOT NULL, stage text NOT NULL,
    kind text NOT NULL, subject text NOT NULL, sealed bytea NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS floor_cases_customer ON floor_cases (customer, at);
CREATE TABLE IF NOT EXISTS floor_outbox (
    id bigserial PRIMARY KEY, subject text NOT NULL, body bytea NOT NULL, headers jsonb NOT NULL,
    published_at timestamptz);
CREATE INDEX IF NOT EXISTS floor_outbox_waiting ON floor_outbox (id) WHERE published_at IS NULL;
"""
TRANSACTION = """
BEGIN;
INSERT INTO floor_cases (customer, region, stage, kind, subject, sealed)
  VALUES (uuidv7(), 'cn.gd.gz.tianhe', 'accepted', 'fault_repair', 'broadband down', decode(repeat('ab', 300), 'hex'));
INSERT INTO floor_outbox (subject, body, headers)
  VALUES ('bihuan.intake.case.opened.v1', decode(repeat('cd', 400), 'hex'),
          '{"ce-type": "bihuan.intake.v1.CaseOpened"}');
COMMIT;
"""


class Floor:
    """Samples of the floor, taken between the measurements that are compared with it."""

    def __init__(self, platform: Platform, seconds: float) -> None:
        self._platform = platform
        self._seconds = seconds
        self._samples: defaultdict[int, list[float]] = defaultdict(list)

    async def sample(self, clients: int) -> None:
        """Runs pgbench once, on an otherwise idle platform."""
        await self._platform.until_quiet()
        async with self._platform.database("postgres") as connection:
            await connection.execute(SCHEMA)
            try:
                self._samples[clients].append(await self._run_pgbench(clients))
            finally:
                await connection.execute("DROP TABLE floor_cases, floor_outbox")

    def per_second(self, clients: int) -> float:
        """Transactions per second: the median of the samples at that number of clients."""
        return median(self._samples[clients])

    def spread(self, clients: int) -> float:
        """The machine's noise: how far the samples lie apart, as a share of their median."""
        samples = self._samples[clients]
        return (max(samples) - min(samples)) / median(samples)

    def figures(self) -> list[Figure]:
        return [
            figure
            for clients in sorted(self._samples)
            for figure in (
                Figure(GROUP, clients_text(clients), self.per_second(clients), "/s", of_floor=1.0),
                Figure(
                    GROUP,
                    f"{clients_text(clients)}, spread of {len(self._samples[clients])}",
                    self.spread(clients) * 100,
                    "%",
                ),
            )
        ]

    async def _run_pgbench(self, clients: int) -> float:
        script = self._platform.layout.home / "floor.sql"
        script.write_text(TRANSACTION)
        process = await asyncio.create_subprocess_exec(
            str(self._pgbench()), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2",
            f"--time={self._seconds + SIGN_IN_SECONDS:.0f}", f"--file={script}", self._platform.database_url(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        answer, complaint = await process.communicate()
        found = re.search(r"tps = ([0-9.]+)", answer.decode())
        if found is None:
            raise RuntimeError(f"pgbench gave no rate:\n{answer.decode()}{complaint.decode()}")
        return float(found[1])

    def _pgbench(self) -> Path:
        postgres = self._platform.layout.postgres
        location = postgres / "location"  # where the server's files are when they can't be in the home
        return binaries(Path(location.read_text().strip()) if location.exists() else postgres) / "pgbench"
