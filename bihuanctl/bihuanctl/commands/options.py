"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes.")]
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Case number or case id.")]
