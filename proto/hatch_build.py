"""Generates the contracts whenever this distribution is built or installed editable."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))


class GenerateContracts(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's signature
        from generate import generate  # noqa: PLC0415 -- its libraries are there when a build runs, not before

        generate()
