"""Does here what a kubelet does in a cluster: starts a container's process with its own arguments and environment.

Where the manifest says `postgres:5432` or `0.0.0.0:7000`, this machine's addresses are put in; nothing else differs.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from servicekit.embedded.processes import on_leash

Object = dict[str, Any]
PATIENCE = 120.0


class Node:
    """One machine for the pods of an overlay. `addresses`: what stands in the manifests → what is reached here."""

    def __init__(self, objects: list[Object], home: Path, addresses: Mapping[str, str]) -> None:
        self._objects = objects
        self.home = home
        self.addresses = dict(addresses)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def find(self, kind: str, name: str) -> Object:
        [found] = [o for o in self._objects if o["kind"] == kind and o["metadata"]["name"].startswith(name)]
        return found

    def data(self, kind: str, name: str) -> dict[str, str]:
        """Content of a ConfigMap or Secret, by the beginning of its name."""
        thing = self.find(kind, name)
        if kind == "ConfigMap":
            return dict(thing["data"])
        return {key: base64.b64decode(value).decode() for key, value in thing["data"].items()}

    def environment(self, container: Object, **changes: str) -> dict[str, str]:
        """What the container's process gets, with the addresses of this machine."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            kind, reference = ("Secret", "secretRef") if "secretRef" in source else ("ConfigMap", "configMapRef")
            prefix = source.get("prefix", "")
            found |= {f"{prefix}{k}": v for k, v in self.data(kind, source[reference]["name"]).items()}
        for variable in container.get("env", ()):
            if "value" in variable:
                found[variable["name"]] = variable["value"]
            elif "secretKeyRef" in variable["valueFrom"]:
                taken = variable["valueFrom"]["secretKeyRef"]
                found[variable["name"]] = self.data("Secret", taken["name"])[taken["key"]]
        here = {name: self._here(value) for name, value in found.items()}
        here.pop("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", None)  # no collector listens here
        return {"PATH": os.environ["PATH"], **here, **changes}

    def _here(self, text: str) -> str:
        for there, here in self.addresses.items():
            text = re.sub(rf"(?<![\w.]){re.escape(there)}(?!\d)", here, text)
        return text

    def run(self, container: Object, **changes: str) -> str:
        """Runs a container of a Job to its end; gives what it said."""
        done = subprocess.run(
            [sys.executable, "-m", *container["args"]],
            env=self.environment(container, **changes),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{container['args']}: {done.stdout}{done.stderr}"
        return done.stdout

    def run_job(self, name: str) -> None:
        spec = self.find("Job", name)["spec"]["template"]["spec"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            self.run(container)

    def start(self, name: str, container: Object, **changes: str) -> None:
        log = (self.home / f"{name}.log").open("wb")
        with log:
            self.processes[name] = subprocess.Popen(
                on_leash([sys.executable, "-m", *container["args"]], signal.SIGKILL),
                env=self.environment(container, **changes),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start_nats(self, name: str, secrets: Mapping[str, str], listens: Mapping[str, str], monitor: int) -> None:
        """A NATS server with the overlay's own configuration. `listens`: `port: 4222` → what it is here."""
        folder = self.home / name
        folder.mkdir()
        changes = {'"/data"': f'"{folder}/data"', "/tmp/nats.pid": f"{folder}/pid"}
        changes |= {"http_port: 8222": f"http: 127.0.0.1:{monitor}", **listens}
        for file, text in self.data("ConfigMap", "nats-").items():
            for there, here in changes.items():
                text = text.replace(there, here)  # noqa: PLW2901
            (folder / file).write_text(text)
        container = self.find("StatefulSet", "nats")["spec"]["template"]["spec"]["containers"][0]
        [source] = container["envFrom"]
        with (folder / "log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                on_leash(
                    [Path(sys.executable).with_name("nats-server"), "--config", folder / "nats.conf"], signal.SIGKILL
                ),
                env={"POD_NAME": name, **{f"{source['prefix']}{user}": word for user, word in secrets.items()}},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> dict[str, int]:
        """SIGTERM to every process; gives their exit statuses."""
        for process in self.processes.values():
            process.terminate()
        return {name: process.wait(PATIENCE) for name, process in self.processes.items()}
