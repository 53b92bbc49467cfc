"""A command that was not written as it must be, said in the reader's language; Typer's own words are English."""

from __future__ import annotations

from typing import Any, Final

from typer import BadParameter

# Typer keeps its copy of click to itself, and these have no other name.
from typer._click.exceptions import (
    BadOptionUsage,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)

from bihuanctl.helppage import expected, name_of
from bihuanctl.refusal import Refusal

EXIT_MISUSED: Final = 2

__all__ = ["EXIT_MISUSED", "NoArgsIsHelpError", "UsageError", "misuse_of"]


def misuse_of(error: UsageError) -> Refusal:
    """Why a line can't be understood, as the command says such things."""
    context: Any = error.ctx
    command = context.command_path if context is not None else "bihuan"
    match error:
        case NoSuchOption():
            return Refusal("option_unknown", command=command, name=error.option_name)
        case BadOptionUsage():
            return Refusal("option_misused", command=command, name=error.option_name)
        case MissingParameter():
            return Refusal("parameter_missing", command=command, name=name_of(error.param))
        case BadParameter(param=parameter) if parameter is not None and context is not None:
            takes = expected(parameter, context)
            return Refusal("value_wrong", command=command, name=name_of(parameter), expected=takes)
    if context is not None and hasattr(context.command, "commands"):
        return Refusal("command_unknown", command=command)
    return Refusal("arguments_wrong", command=command)
