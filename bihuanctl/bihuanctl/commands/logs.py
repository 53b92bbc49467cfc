"""`bihuan logs`: what the processes write, made readable."""

from __future__ import annotations

from typing import Annotated

import typer

from bihuanctl.commands.options import Follow, Json
from bihuanctl.logs.lines import parse_line
from bihuanctl.logs.tail import follow, last_lines
from bihuanctl.refusal import Refusal
from bihuanctl.session import Session

app = typer.Typer()


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
    try:
        for name, text in source:
            line = parse_line(name, text)
            if as_json:
                session.print_json_line(line.as_dict())
            else:
                session.console.print(line.rendered(), soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit from None
