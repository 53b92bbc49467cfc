"""`python -m bench`: starts a platform of its own, measures, reports, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import creations, deadlines, floor, footprint, latency, loop, profile, startup
from bench.figures import Figure
from bench.floor import Floor
from bench.machine import describe_machine, load_average
from bench.platform import temporary_platform
from bench.report import print_table, to_json, to_markdown

GROUPS = (
    startup.GROUP,
    footprint.GROUP,
    loop.GROUP,
    creations.GROUP,
    latency.GROUP,
    deadlines.GROUP,
    profile.GROUP,
)
# The floor comes with the creations.
ORDER = (*GROUPS[:3], floor.GROUP, *GROUPS[3:])


def main(
    only: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help=f"Measure only these: {', '.join(GROUPS)}. Repeatable.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each load and of each sample of the floor.")] = 6.0,
    page: Annotated[Path | None, typer.Option(help="Also write the result as a page, such as docs/bench.md.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure the platform, as ratios to a floor taken in the same run. Takes five to six minutes."""
    wanted = set(only or GROUPS)
    if unknown := wanted - set(GROUPS):
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}", param_hint="--only")
    machine, load_before, began = describe_machine(), load_average(), time.monotonic()
    errors = Console(stderr=True)
    # Only what is wrong: the parts of the platform that the bench borrows tell of their connections.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=errors) as progress:
        figures, others = asyncio.run(measure(wanted, seconds, progress))
    machine["duration"] = f"{time.monotonic() - began:.0f} s"
    machine["load average"] = f"{load_before:.1f} before, {load_average():.1f} at the end"
    if others:
        machine["processors taken by others while the platform was quiet"] = (
            f"{median(others):.0f} % (median of {len(others)} moments), {max(others):.0f} % at most"
        )
    if page is not None:
        page.write_text(to_markdown(figures, machine), encoding="utf-8")
    if as_json:
        typer.echo(to_json(figures, machine))
    else:
        print_table(Console(), figures)


async def measure(wanted: set[str], seconds: float, progress: Progress) -> tuple[list[Figure], list[float]]:
    """The wanted groups, one after the other, on one platform; and what others took of the processors meanwhile."""
    shown = progress.add_task("", total=None)

    def begin(group: str) -> bool:
        if group in wanted:
            progress.update(shown, description=group)
        return group in wanted

    figures: list[Figure] = []
    async with temporary_platform() as platform:
        beneath = Floor(platform, seconds)
        progress.update(shown, description="starting")
        started = await startup.start_first(platform)
        if begin(startup.GROUP):
            figures += started + await startup.measure_warm_starts(platform)
        if begin(footprint.GROUP):
            figures += await footprint.measure_footprint(platform, "after the start")
        if begin(loop.GROUP):
            figures += await loop.measure_loop(platform)
        if begin(creations.GROUP):
            created = await creations.measure_creations(platform, beneath, seconds)
            figures += beneath.figures() + created
        if begin(latency.GROUP):
            figures += await latency.measure_latency(platform, seconds)
        if begin(deadlines.GROUP):
            figures += await deadlines.measure_deadlines(platform)
        if begin(profile.GROUP):
            figures += await profile.measure_profile(platform, seconds)
        if wanted >= {footprint.GROUP, creations.GROUP} and begin(footprint.GROUP):
            figures += await footprint.measure_footprint(platform, "after the loads")
    return sorted(figures, key=lambda figure: ORDER.index(figure.group)), platform.taken_by_others


if __name__ == "__main__":
    typer.run(main)
