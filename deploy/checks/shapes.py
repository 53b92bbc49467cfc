"""Every object against the schema of its kind: Kubernetes' own; of custom resources the part that we use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from deploy.checks.render import Object, name_of

KUBERNETES: Final = "1.37"
_SCHEMAS: Final = Path(__file__).parent / "schemas"


def check(objects: Sequence[Object]) -> Iterator[str]:
    """A kind without a schema is a finding too: nothing goes unchecked."""
    seen: set[str] = set()
    for thing in objects:
        name = name_of(thing)
        if name in seen:
            yield f"{name}: defined twice"
        seen.add(name)
        custom = _custom_schemas().get(f"{thing['apiVersion']}/{thing['kind']}")
        yield from _against(custom, thing) if custom else _against_kubernetes(thing)


def _against_kubernetes(thing: Object) -> Iterator[str]:
    group, _, version = thing["apiVersion"].rpartition("/")
    file = "-".join(part for part in (thing["kind"].lower(), group.partition(".")[0], version) if part)
    try:
        validator = _kubernetes_schema(f"{file}.json")
    except FileNotFoundError:
        yield f"{name_of(thing)}: no schema for {thing['apiVersion']}"
        return
    for wrong in validator.iter_errors(thing):
        yield f"{name_of(thing)}: {'.'.join(map(str, wrong.path))}: {wrong.message}"


def _against(schema: Any, thing: Object) -> Iterator[str]:
    for wrong in Draft202012Validator(schema).iter_errors(thing.get("spec")):
        yield f"{name_of(thing)}: spec.{'.'.join(map(str, wrong.path))}: {wrong.message}"


@cache
def _kubernetes_schema(file: str) -> Draft202012Validator:
    """Raises FileNotFoundError for a kind that Kubernetes does not have.

    The package's own `validate` reads ten megabytes of definitions for every object, and stops at the first mistake.
    """
    return Draft202012Validator(_shipped(file), registry=_definitions())


@cache
def _definitions() -> Registry[Any]:
    return Resource.from_contents(_shipped("_definitions.json")) @ Registry()


def _shipped(file: str) -> Any:
    return schema_contents(f"kubernetes-json-schema/v{KUBERNETES}.0-local-strict/{file}", KUBERNETES)


@cache
def _custom_schemas() -> dict[str, Any]:
    """By `group/version/Kind`, the schema of the object's spec."""
    found: dict[str, Any] = {}
    for path in sorted(_SCHEMAS.glob("*.yaml")):
        found |= {kind: _closed(schema) for kind, schema in yaml.safe_load(path.read_text(encoding="utf-8")).items()}
    return found


def _closed(schema: Any) -> Any:
    """The same, with nothing allowed in an object beyond the properties named: a typing error is no extension."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if isinstance(closed.get("properties"), dict):
        closed = {"type": "object", "additionalProperties": False, **closed}
    return closed
