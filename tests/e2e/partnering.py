"""Partners of the stories: they read their feeds and receive webhooks with the examples that partners begin from."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from acting import Cast

EXAMPLES = Path(__file__).parents[2] / "examples" / "partner"
ADMINISTRATOR = "administrator"
PARTNER = "partner-demo"
OTHER = "partner-alarms"


def load_example(name: str) -> ModuleType:
    """An example as a module; it is a script, not a package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


webhooks = load_example("receive_webhooks")


@dataclass
class Feed:
    """A partner's feed, read by the example in a process of its own."""

    cast: Cast
    partner: str
    password: str

    @classmethod
    def of(cls, cast: Cast, partner: str, event_types: list[str], domain: str) -> Feed:
        """Registers the partner, or gives one that another story registered this scope and a new password."""
        valid_until = cast.platform.now() + timedelta(days=3650)
        scope = {"event_types": event_types, "domain": domain, "valid_until": valid_until.isoformat()}
        body = {"partner": partner, "display_name": partner, "scope": scope}
        answer = cast.ask(ADMINISTRATOR, "/v1/partners", body)
        if answer.status_code == 409:
            cast.do(ADMINISTRATOR, f"/v1/partners/{partner}:change", {"scope": scope})
            access = cast.do(ADMINISTRATOR, f"/v1/partners/{partner}/feed:rotate", {})
        else:
            assert answer.status_code == 201, answer.text
            access = answer.json()["feed"]
        return cls(cast, partner, access["password"])

    def read(self) -> list[dict[str, Any]]:
        """Everything that waits, acknowledged."""
        url = json.loads((self.cast.platform.home / "run" / "platform.json").read_text())["nats_url"]
        told = ""

        def is_read() -> bool:
            nonlocal told
            read = subprocess.run(
                [sys.executable, EXAMPLES / "read_feed.py", url, self.partner, "--until-empty"],
                env={**os.environ, "FEED_PASSWORD": self.password},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            told = read.stdout
            # A new password counts a moment later. A reader that was let in reads to the end: what it has told and
            # acknowledged does not come again.
            assert read.returncode == 0 or told == "", read.stderr
            return read.returncode == 0

        self.cast.platform.eventually(is_read, "the feed cannot be read")
        return [json.loads(line) for line in told.splitlines()]

    def read_until(self, *types: str, case_id: str) -> list[dict[str, Any]]:
        """Everything that is told until events of these types have been told of the case."""
        told: list[dict[str, Any]] = []

        def are_told() -> bool:
            told.extend(self.read())
            return set(types) <= {entry["type"] for entry in told if entry["caseid"] == case_id}

        self.cast.platform.eventually(are_told, f"{types} were not told of {case_id}")
        return told


@dataclass
class Received:
    """What the receiver got: every request with whether it was genuine, and every event that it took."""

    requests: list[tuple[str, bool]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    secret: str = ""
    # As long as it is, every request is answered with 500.
    failing: bool = False
    url: str = ""


@contextmanager
def receiver(*, failing: bool = False) -> Iterator[Received]:
    """The example's receiver on a free port."""
    got = Received(failing=failing)

    class Request(webhooks.Request):  # type: ignore[misc,name-defined]
        def do_POST(self) -> None:  # noqa: N802 -- http.server's name
            self.server.secret = got.secret
            if got.failing:
                got.requests.append((self.headers["webhook-id"], False))
                self._answer(500)
            else:
                super().do_POST()

        def _answer(self, status: int) -> None:
            if status != 500:
                got.requests.append((self.headers["webhook-id"], status == 204))
            super()._answer(status)

    class Receiver(webhooks.Receiver):  # type: ignore[misc,name-defined]
        def take(self, message_id: str, body: bytes) -> None:
            if message_id not in self.seen:
                self.seen.add(message_id)
                got.events.append(json.loads(body))

    server = Receiver(0, "")
    server.RequestHandlerClass = Request
    got.url = f"http://127.0.0.1:{server.server_port}/bihuan"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
