"""Alerts, dashboards, collector: PromQL over metrics that exist, texts in both languages, a run-book each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import promql_parser
import yaml
from bihuanctl.supervisor.environment import SERVICES

from deploy.checks import code
from deploy.checks.metrics import OF_OTHERS, exposed
from deploy.checks.render import Object, name_of, of_kind

SEVERITIES: Final = {"critical", "warning", "info"}
_PAGE: Final = "docs/kubernetes.md"
_VARIABLE: Final = re.compile(r"\$(job)\b")
_STRICTNESS_RULE: Final = {
    "regulatory": "BihuanRegulatoryClockMissed",
    "promise": "BihuanPromisedClockMissed",
    "internal": "BihuanInternalClockMissed",
}


def check(objects: Sequence[Object]) -> Iterator[str]:
    rules = [
        rule
        for thing in of_kind(objects, "PrometheusRule")
        for group in thing["spec"]["groups"]
        for rule in group["rules"]
    ]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    anchors = _anchors()
    for rule in rules:
        name = rule.get("alert") or rule["record"]
        yield from (f"{name}: {finding}" for finding in _expression(rule["expr"], recorded))
        if "alert" in rule:
            yield from (f"{name}: {finding}" for finding in _alert(rule, anchors))
    yield from _absence({rule["alert"]: rule["expr"] for rule in rules if "alert" in rule})
    yield from _clocks({rule["alert"]: rule["expr"] for rule in rules if "alert" in rule})
    for thing in of_kind(objects, "ConfigMap"):
        for file, text in thing["data"].items():
            if "grafana_dashboard" in thing["metadata"].get("labels", {}):
                yield from (f"{file}: {finding}" for finding in _dashboard(json.loads(text), recorded))
            elif thing["metadata"]["name"].startswith("collector-"):
                yield from (f"{name_of(thing)}: {finding}" for finding in _collector(yaml.safe_load(text)))


def selectors(expression: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every series that a parsed expression asks for."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector
    elif isinstance(expression, promql_parser.BinaryExpr):
        yield from selectors(expression.lhs)
        yield from selectors(expression.rhs)
    elif isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from selectors(argument)
    elif isinstance(expression, promql_parser.AggregateExpr | promql_parser.ParenExpr | promql_parser.UnaryExpr):
        yield from selectors(expression.expr)


def _expression(text: str, recorded: set[str]) -> Iterator[str]:
    try:
        parsed = promql_parser.parse(_VARIABLE.sub("intake", text))
    except ValueError as wrong:
        yield f"no PromQL: {wrong}"
        return
    for selector in selectors(parsed):
        metric = selector.name
        if metric in recorded or metric in OF_OTHERS:
            continue
        labels = exposed().get(metric or "")
        if labels is None:
            yield f"no process exposes {metric}"
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name not in labels | {"job", "pod", "namespace"}:
                yield f"{metric} has no label {matcher.name}"


def _alert(rule: Object, anchors: set[str]) -> Iterator[str]:
    if rule.get("labels", {}).get("severity") not in SEVERITIES:
        yield "no severity"
    texts = rule.get("annotations", {})
    if not texts.get("summary") or not texts.get("summary_zh"):
        yield "not told in both languages"
    page, _, anchor = texts.get("runbook_url", "").partition("#")
    if page != _PAGE or anchor not in anchors or anchor != rule["alert"].lower():
        yield f"no run-book: {_PAGE}#{rule['alert'].lower()}"


def _anchors() -> set[str]:
    text = (code.ROOT / _PAGE).read_text(encoding="utf-8")
    return {heading.strip().lower() for heading in re.findall(r"^#{2,4} (\w+)$", text, re.MULTILINE)}


def _absence(alerts: dict[str, str]) -> Iterator[str]:
    """Every process is missed when it is gone."""
    parsed = promql_parser.parse(alerts["BihuanServiceAbsent"])
    watched = {name for s in selectors(parsed) for m in s.matchers.matchers for name in m.value.split("|")}
    for name in sorted({*SERVICES, code.GATEWAY} ^ watched):
        yield f"BihuanServiceAbsent: does not watch {name}, or it is no process"


def _clocks(alerts: dict[str, str]) -> Iterator[str]:
    """Every clock of the standards but the timers is watched by the rule of its strictness, and by no other."""
    for strictness, names in code.clocks().items():
        watched: set[str] = set()
        for selector in selectors(promql_parser.parse(alerts.get(_STRICTNESS_RULE[strictness], "absent"))):
            for matcher in selector.matchers.matchers:
                if matcher.name == "bihuan_clock":
                    watched |= set(matcher.value.split("|"))
        if watched != names:
            yield f"clocks of strictness {strictness}: {sorted(watched ^ names)} are not where they belong"


def _dashboard(board: Any, recorded: set[str]) -> Iterator[str]:
    numbers = [panel["id"] for panel in board["panels"]]
    if len(set(numbers)) != len(numbers):
        yield "two panels have one id"
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield from (f"{panel['title']}: {finding}" for finding in _expression(target["expr"], recorded))


def _collector(configuration: Any) -> Iterator[str]:
    """What the pipelines name is configured, and nothing is configured in vain."""
    pipelines = configuration["service"]["pipelines"].values()
    for part in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines for name in pipeline.get(part, ())}
        for name in sorted(used ^ set(configuration.get(part, {}))):
            yield f"{part}: {name} is {'not configured' if name in used else 'not used'}"
    for name in set(configuration["service"].get("extensions", ())) ^ set(configuration.get("extensions", {})):
        yield f"extensions: {name}"
