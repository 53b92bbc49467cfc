"""The page that `--help` shows, in the reader's language.

Typer's own has an English frame, and cuts Chinese lines off: they have no spaces to break at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bihuanctl.texts import Texts


def print_help(command: Any, context: Any, texts: Texts) -> None:
    """How a command is written, what it does, and all that it takes."""
    console = Console(highlight=False)
    console.print(usage(command, context, texts), style="bold", markup=False, soft_wrap=True)
    console.print()
    console.print(Text(command.help or "", overflow="fold"))
    console.print()
    parameters = command.get_params(context)
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    _print_panel(console, texts("help.arguments"), (_row(each, context, texts) for each in arguments))
    _print_panel(console, texts("help.options"), (_row(each, context, texts) for each in options))
    subcommands = getattr(command, "commands", {})
    _print_panel(console, texts("help.commands"), ((name, "", each.help or "") for name, each in subcommands.items()))


def usage(command: Any, context: Any, texts: Texts) -> str:
    """How a command is written, on one line."""
    parts = [context.command_path, texts("help.any_options")]
    parts += [_place(each) for each in command.get_params(context) if each.param_type_name == "argument"]
    if hasattr(command, "commands"):
        parts.append(texts("help.any_command"))
    return texts("help.usage", line=" ".join(parts))


def expected(parameter: Any, context: Any) -> str:
    """What a parameter takes: its place holder or kind, and its limits; nothing for a switch."""
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.metavar or parameter.display_type(context).replace(" range", "")
    least, most = parameter.min, parameter.max
    if least is None:
        return str(kind)
    return f"{kind} ≥ {least}" if most is None else f"{kind} {least}–{most}"


def name_of(parameter: Any) -> str:
    """As it is typed: `--port`, or the place holder of an argument."""
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name.upper())


def _place(argument: Any) -> str:
    return name_of(argument) if argument.required else f"[{name_of(argument)}]"


def _print_panel(console: Console, title: str, rows: Iterable[Sequence[str]]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(style="yellow")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if table.row_count:
        console.print(Panel(table, title=title, title_align="left", border_style="dim"))


def _row(parameter: Any, context: Any, texts: Texts) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name, takes = name_of(parameter), ""
    else:
        spellings = " / ".join([", ".join(parameter.opts), *parameter.secondary_opts])
        name, takes = spellings, expected(parameter, context)
    told = [texts("help.help") if parameter.name == "help" else parameter.help or ""]
    if parameter.required:
        told.append(texts("help.required"))
    elif default := _default(parameter, context):
        told.append(texts("help.default", value=default))
    return name, takes, " ".join(told)


def _default(parameter: Any, context: Any) -> str:
    """What holds when nothing is said; empty where that is nothing."""
    value = parameter.get_default(context, call=False)
    if getattr(parameter, "is_flag", False):
        return str((parameter.opts if value else parameter.secondary_opts)[0]) if parameter.secondary_opts else ""
    return "" if value is None or value in {"", ()} else str(value)
