"""`make k8s`: renders every overlay and tells what is wrong with it. Exit status 1 on any finding."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.checks import code, edges, names, observability, pods, references, shapes
from deploy.checks.render import OVERLAYS, RenderError, render


def findings(overlay: str) -> Iterator[str]:
    """Everything wrong with one overlay, beginning with a count of what was looked at."""
    with tempfile.TemporaryDirectory() as work:
        try:
            objects = render(overlay, Path(work))
        except RenderError as wrong:
            yield str(wrong)
            return
    for check in (shapes, pods, references, names, observability):
        yield from check.check(objects)
    yield from edges.check(objects, overlay)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m deploy.checks", description=__doc__)
    arguments.add_argument("--write-users", action="store_true", help="write deploy/k8s/bus/users.conf again")
    if arguments.parse_args().write_users:
        (code.ROOT / "deploy" / "k8s" / "bus" / "users.conf").write_text(code.nats_users(), encoding="utf-8")
    wrong = False
    for overlay in OVERLAYS:
        found = list(findings(overlay))
        wrong |= bool(found)
        sys.stdout.writelines(f"{overlay}: {finding}\n" for finding in found or ["good"])
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
