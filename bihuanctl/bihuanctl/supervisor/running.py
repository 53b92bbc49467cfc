"""One life of a platform in this process: take the home, clear what is left of the last life, supervise."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from bihuanctl.platform.layout import Layout
from bihuanctl.platform.state import PlatformState
from bihuanctl.supervisor.assembly import assemble
from bihuanctl.supervisor.options import StartOptions
from bihuanctl.supervisor.progress import Report
from bihuanctl.supervisor.supervisor import Supervisor, lock_home, stop_leftovers


def run_platform(
    layout: Layout,
    options: StartOptions,
    environment: Mapping[str, str],
    *,
    report: Report,
    ready: Callable[[PlatformState], None],
) -> None:
    """Returns after a clean stop. Raises Refusal when it can't be started."""
    with lock_home(layout), _logging_to(layout.log("supervisor")):
        if left := stop_leftovers(layout):
            structlog.get_logger(__name__).warning("leftovers_stopped", count=left)
        assembly = assemble(layout, options, environment)
        asyncio.run(Supervisor(layout, assembly, report).run(ready))


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """The supervisor's own log lines go to a file, in the form of everybody's: the terminal may be a person's."""
    with path.open("a", encoding="utf-8", buffering=1) as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.WriteLoggerFactory(file=file),
        )
        yield
