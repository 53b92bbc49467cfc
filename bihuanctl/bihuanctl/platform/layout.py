"""Where everything of one platform is kept: `$BIHUAN_HOME`, by default `.bihuan` in the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from bihuanctl.refusal import Refusal

DEFAULT_HOME = ".bihuan"


@dataclass(frozen=True)
class Layout:
    """The files and folders below one home."""

    home: Path

    @classmethod
    def chosen(cls, environment: Mapping[str, str]) -> Layout:
        """The layout that the caller's environment asks for."""
        return cls(Path(environment.get("BIHUAN_HOME") or DEFAULT_HOME).absolute())

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def nats(self) -> Path:
        return self.home / "nats"

    @property
    def issuer(self) -> Path:
        """Keys and users of the built-in issuer."""
        return self.home / "issuer"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets.json"

    @property
    def span_store(self) -> Path:
        return self.home / "traces.db"

    @property
    def state(self) -> Path:
        return self.run / "platform.json"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def bus_login(self) -> Path:
        return self.run / "bus.json"

    @property
    def control(self) -> Path:
        return self.run / "control.sock"

    def log(self, name: str) -> Path:
        """The log file of one process. The servers keep theirs beside their data."""
        return self.home / name / f"{name}.log" if name in ("postgres", "nats") else self.logs / f"{name}.log"

    def all_logs(self) -> list[Path]:
        """Every log file that may exist."""
        return [self.log("postgres"), self.log("nats"), *sorted(self.logs.glob("*.log"))]

    def create(self) -> None:
        """Makes the folders, closed to others. Run by root, PostgreSQL lives below the home as another user, who must
        be able to pass through.

        Raises Refusal `home_unusable`: a file is in the way, or the folder belongs to somebody else.
        """
        try:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            self.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
            for folder in (self.run, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
                with TemporaryFile(dir=folder):
                    pass  # it can be written to
        except OSError as error:
            raise Refusal("home_unusable", home=self.home, reason=error) from None
