"""Every service is named wherever services are listed (docs/new-service.md): each failure says which file lacks it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from servicekit.messaging.users import SERVICES

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "README.zh-CN.md", "docs/architecture.md", "gateway/README.md", "deploy/README.md")
# What the image holds besides the services (deploy/Dockerfile).
IN_THE_IMAGE = ("proto", "standards", "servicekit", "gateway")
each_service = pytest.mark.parametrize("service", SERVICES)


def test_every_folder_of_services_is_a_service_that_runs() -> None:
    folders = {file.parent.name for file in (ROOT / "services").glob("*/pyproject.toml")}
    assert folders == set(SERVICES), "SERVICES in servicekit/servicekit/messaging/users.py"


@each_service
def test_every_service_has_the_same_rooms(service: str) -> None:
    home = ROOT / "services" / service
    rooms = {
        **{room: [f"{service}/{room}"] for room in ("__main__.py", "reactions.py", "facts.py")},
        "rpc": [f"{service}/rpc.py", f"{service}/rpc/*.py"],
        "migrations": ["migrations/versions/*.py"],
    }
    missing = [room for room, patterns in rooms.items() if not any(any(home.glob(each)) for each in patterns)]
    assert not missing, f"services/{service} lacks {', '.join(missing)}"


@each_service
def test_a_service_is_packed_with_its_migrations(service: str) -> None:
    written = _table(f"services/{service}/pyproject.toml")
    wheel = written["tool"]["hatch"]["build"]["targets"]["wheel"]
    where = f"services/{service}/pyproject.toml"
    assert written["project"]["name"] == f"bihuan-{service}", where
    assert wheel["packages"] == [service], where
    assert wheel["dev-mode-dirs"] == ["."], f"{where}: the source tree would not be found"
    assert wheel.get("force-include") == {"migrations": f"{service}/migrations"}, f"{where}: no tables in a cluster"


@each_service
def test_a_service_calls_itself_by_its_name(service: str) -> None:
    """Copied from another service it would log in on the bus as one and listen as the other."""
    for file, call in (("__main__.py", "Platform.create"), ("reactions.py", "Reactions")):
        where = f"services/{service}/{service}/{file}"
        assert f'{call}("{service}"' in (ROOT / where).read_text(encoding="utf-8"), where


@each_service
def test_a_service_comes_with_the_command(service: str) -> None:
    dependencies = _table("bihuanctl/pyproject.toml")["project"]["dependencies"]
    assert f"bihuan-{service}" in dependencies, "dependencies in bihuanctl/pyproject.toml"


@each_service
def test_nobody_may_import_a_service(service: str) -> None:
    linter = _table("pyproject.toml")["tool"]["importlinter"]
    [layers] = [contract["layers"] for contract in linter["contracts"] if contract["type"] == "layers"]
    assert service in linter["root_packages"], "root_packages of import-linter in pyproject.toml"
    assert service in layers[0].split(" | "), "first of import-linter's layers in pyproject.toml"


@each_service
def test_the_tables_of_a_service_are_compared_with_its_migrations(service: str) -> None:
    test = ROOT / "services" / service / "tests" / f"test_{service}_schema.py"
    assert test.is_file(), f"{test.relative_to(ROOT)} is missing"
    assert "schema_differences(" in test.read_text(encoding="utf-8")


@each_service
@pytest.mark.parametrize("page", PAGES)
def test_the_pages_show_every_service(page: str, service: str) -> None:
    named = set(re.findall(r"\w+", (ROOT / page).read_text(encoding="utf-8")))
    assert service in named, f"{page} says nothing of it"


@pytest.mark.parametrize("folder", [*IN_THE_IMAGE, *(f"services/{service}" for service in SERVICES)])
def test_whatever_the_image_needs_is_in_it(folder: str) -> None:
    """No image is built here, where `pip check` would tell."""
    lock = (ROOT / "requirements" / "image.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    needed = {re.match(r"[\w.-]+", name)[0] for name in _table(f"{folder}/pyproject.toml")["project"]["dependencies"]}
    missing = {name for name in needed if not name.startswith("bihuan-")} - locked
    assert not missing, f"add to requirements/image.in, then `make lock`: {sorted(missing)}"


def _table(path: str) -> Mapping[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))
