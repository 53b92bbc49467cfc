"""Renders an overlay with the real `kubectl kustomize`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.checks.code import ROOT
from deploy.dev_secrets import generate

Object = dict[str, Any]
OVERLAYS: Final = ("dev", "prod")
_KUBECTL: Final = Path(sys.executable).with_name("kubectl")
_POD_TEMPLATES: Final = ("Deployment", "StatefulSet", "Job")


class RenderError(Exception):
    """kustomize's own words."""


def render(overlay: str, work: Path) -> list[Object]:
    """The objects of `overlay`. `work`: an empty folder, for a copy in which secrets can be generated.

    Raises RenderError.
    """
    deploy = ROOT / "deploy"
    for part in ("k8s", "observability"):
        shutil.copytree(deploy / part, work / part, ignore=shutil.ignore_patterns("secrets"), dirs_exist_ok=True)
    generate(work / "k8s" / "overlays" / "dev" / "secrets")
    command = [str(_KUBECTL), "kustomize", str(work / "k8s" / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RenderError(done.stderr)
    return list(yaml.safe_load_all(done.stdout))


def name_of(thing: Object) -> str:
    """`Deployment/intake`: how findings call an object."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


def of_kind(objects: Sequence[Object], *kinds: str) -> list[Object]:
    return [thing for thing in objects if thing["kind"] in kinds]


def pod_templates(objects: Sequence[Object]) -> Iterator[tuple[Object, Object]]:
    """Each workload with the template of its pods."""
    for thing in of_kind(objects, *_POD_TEMPLATES):
        yield thing, thing["spec"]["template"]


def containers(template: Object) -> list[Object]:
    """Init containers and containers of a pod template."""
    spec = template["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]
