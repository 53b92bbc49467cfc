"""A whole platform of real processes for the stories: started once for the run, through the command that people use."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import cycle, product
from pathlib import Path
from typing import Any, TypeVar

import commanding
import httpx
import pytest
from acting import Cast, Place
from guard import guarded

from standards import load

STANDARDS = Path(__file__).parents[2] / "standards" / "data"
COMMAND_PATIENCE = 200.0
ANSWER_PATIENCE = 60.0
# Of stories that tell who works there, or what its figures are: the one told in full, and that of the indicators.
KEPT_DISTRICTS = {"cn.gd.gz.tianhe", "cn.gd.sz.nanshan"}
T = TypeVar("T")


class PlatformUnderTest:
    """One running platform and everything that may be done to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BIHUAN_")},
            "BIHUAN_HOME": str(home),
            "BIHUAN_LANG": "en",
            # Partners' webhooks are received on this machine.
            "BIHUAN_WEBHOOK_ALLOWED": '["127.0.0.1/32"]',
            # A machine that is busy with something else answers late; no test is about how late.
            "BIHUAN_REQUEST_SECONDS": str(ANSWER_PATIENCE),
            # The operator's own copy, so that a story may change the standards of this platform.
            "BIHUAN_STANDARDS_DIR": str(shutil.copytree(STANDARDS, home / "standards")),
        }
        self.gateway_url = ""
        self._tokens: dict[str, str] = {}
        self._clients: list[httpx.Client] = []

    # --- the command -------------------------------------------------------------------------------------------------

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `bihuan …` to its end, whatever its exit status."""
        return commanding.run(arguments, self.environment, COMMAND_PATIENCE)

    def run_anew(self, *arguments: str, patience: float = COMMAND_PATIENCE) -> subprocess.CompletedProcess[str]:
        """The same in a Python of its own, exactly as people start it; that takes a second longer."""
        command = [sys.executable, "-m", "bihuanctl.main", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=patience, check=False
        )

    def json(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> Any:
        """The answer of `bihuan … --json`; fails the test with the command's words on another exit status."""
        done = self.run(*arguments, "--json")
        assert done.returncode in allowed, f"bihuan {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def up(self) -> dict[str, Any]:
        """Starts it (or finds that it runs)."""
        done = self.run_anew("up", "--detach", "--port", "0", "--adjustable-clock", "--json")
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        state: dict[str, Any] = json.loads(done.stdout)
        self.gateway_url = state["gateway_url"]
        return state

    def down(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.run_anew("down")

    # --- as a user ---------------------------------------------------------------------------------------------------

    def token(self, user: str) -> str:
        """An access token of a person or client system of `bihuan users`."""
        if user not in self._tokens:
            self._tokens[user] = self.json("token", user)["access_token"]
        return self._tokens[user]

    def client(self, user: str, language: str = "en") -> httpx.Client:
        """An HTTP client on the gateway, signed in as `user`; closed at the end of the run."""
        headers = {"Authorization": f"Bearer {self.token(user)}", "Accept-Language": language}
        # It is plain HTTP; to read the world's certificates for nothing would take longer than ten calls.
        client = httpx.Client(
            base_url=self.gateway_url, headers=headers, timeout=ANSWER_PATIENCE + 10, trust_env=False, verify=False
        )
        self._clients.append(client)
        return client

    # --- as an operator ----------------------------------------------------------------------------------------------

    def advance(self, duration: str) -> datetime:
        """Moves platform time on by `2h`, `1d`, `10wd` …; gives the new platform time."""
        return datetime.fromisoformat(self.json("clock", "advance", duration)["now"])

    def now(self) -> datetime:
        """Platform time."""
        return datetime.fromisoformat(self.json("clock", "show")["now"])

    def check(self, wait: float = 30.0) -> dict[str, Any]:
        """The loop check's outcome, with its findings."""
        outcome: dict[str, Any] = self.json("check", "--wait", str(wait), allowed=(0, 1))
        return outcome

    def assert_nothing_fell_out(self, wait: float = 90.0) -> dict[str, Any]:
        """The loop check finds nothing; every story and every failure ends with it."""
        outcome = self.check(wait)
        assert outcome["clean"], json.dumps(outcome["findings"], indent=2, ensure_ascii=False)
        return outcome

    # --- as fate -----------------------------------------------------------------------------------------------------

    def process(self, name: str) -> dict[str, Any]:
        """What the supervisor says of one process: condition, pid, port, restarts."""
        state: dict[str, Any] = json.loads((self.home / "run" / "platform.json").read_text())["processes"][name]
        return state

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to one process, such as SIGSTOP to make it hang."""
        os.kill(self.process(name)["pid"], number)

    def kill(self, name: str) -> None:
        """SIGKILL in the middle of whatever it is doing; returns once the supervisor has noticed."""
        before = self.process(name)
        os.kill(before["pid"], signal.SIGKILL)
        self.eventually(lambda: self.process(name)["restarts"] > before["restarts"], f"{name} was not missed")

    def stop(self, name: str) -> None:
        """Stops one process until `start`."""
        self.json("stop", name)

    def start(self, name: str) -> None:
        """Starts a stopped process; returns when it serves."""
        self.json("start", name)
        self.until_healthy(name)

    def restart(self, name: str) -> None:
        """Stops and starts a process; returns when it serves."""
        self.json("restart", name)
        self.until_healthy(name)

    def until_healthy(self, name: str, patience: float = 60.0) -> None:
        """Returns when the process is healthy, and a service also in the eyes of the gateway, which may rest for a
        moment before it connects again."""
        self.eventually(lambda: self.process(name)["condition"] == "healthy", f"{name} is not healthy", patience)
        if self.process("gateway")["condition"] == "healthy":
            self.eventually(lambda: self._gateway_reaches(name), f"the gateway does not reach {name}", patience)

    def _gateway_reaches(self, name: str) -> bool:
        try:
            answer = httpx.get(f"{self.gateway_url}/readyz", timeout=30, trust_env=False, verify=False)
        except httpx.TransportError:  # it died a moment ago, and nobody has noticed yet
            return False
        return answer.json()["services"].get(name, "serving") == "serving"

    @staticmethod
    def eventually(look: Callable[[], T], complaint: str = "it never came true", patience: float = 60.0) -> T:
        """What `look` gives once that is true; fails with `complaint` after `patience` seconds of real time."""
        deadline = time.monotonic() + patience
        while True:
            if seen := look():
                return seen
            assert time.monotonic() < deadline, f"{complaint} (after {patience:.0f} s)"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def platform() -> Iterator[PlatformUnderTest]:
    """A running platform with an adjustable clock. Shared: a story uses customers and cases of its own."""
    home = Path(tempfile.mkdtemp(prefix="bihuan-e2e-"))
    home.chmod(0o755)  # as root, PostgreSQL runs as another user below it
    running = PlatformUnderTest(home)
    with guarded(home, running.environment):
        try:
            running.up()
            yield running
        finally:
            running.down()
            shutil.rmtree(home)


@pytest.fixture(scope="session")
def places() -> Iterator[Place]:
    """Places that nobody uses now: a district and a skill each.

    A worker that plays more stories than there are places comes back to the first, whose people have gone home.
    """
    standards = load()
    districts = [
        name for name, region in standards.regions.items() if region.level == "district" and name not in KEPT_DISTRICTS
    ]
    return cycle(Place(region, skill) for skill, region in product(standards.skills, districts))


@pytest.fixture
def cast(platform: PlatformUnderTest, places: Iterator[Place]) -> Iterator[Cast]:
    """The people of one story, in a place of their own."""
    cast = Cast(platform, next(places))
    yield cast
    cast.go_home()
