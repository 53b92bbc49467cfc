"""`bihuan logs`: what the processes write, made readable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from bihuanctl.commands.options import Follow, Json
from bihuanctl.logs.lines import LogLine, in_order, parse_line
from bihuanctl.logs.tail import follow, last_lines
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session

app = typer.Typer(add_completion=False)


@app.command()
def logs(
    context: typer.Context,
    process: Annotated[str | None, typer.Argument(metavar="PROCESS", help="Only this process.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the newest lines.")] = 40,
    *,
    follow_on: Follow = False,
    as_json: Json = False,
) -> None:
    """Show the logs of all processes, or of one."""
    session = Session.of(context)
    files = {path.stem: path for path in session.layout.all_logs() if path.exists()}
    if process is not None:
        if process not in files:
            raise Refusal("log_unknown", name=process, known=", ".join(sorted(files)))
        files = {process: files[process]}
    source = follow(files, lines) if follow_on else last_lines(files, lines)
    parsed: Iterable[LogLine] = (parse_line(name, text) for name, text in source)
    if not follow_on:
        parsed = in_order(parsed)
    try:
        for line in parsed:
            if as_json:
                session.print_json_line(line.as_dict())
            else:
                session.console.print(line.rendered(), soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit from None
