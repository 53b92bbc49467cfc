"""Whoever is responsible for another region gets nothing of this one, whatever they ask in whatever role (GWY-08)."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import SUPERVISOR, Cast
from alarming import Outage, alarm
from archiving import request_access
from calling import Callers, services_of
from complaining import Grievance
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from matrix import PUBLIC, stated
from servicekit.testing.contracts import contract_methods

pytestmark = pytest.mark.e2e

DOMAINS = yaml.safe_load((Path(__file__).parent / "domains.yaml").read_text(encoding="utf-8"))
# Refused for the region, or told that there is no such thing: what is hidden is not admitted to exist.
KEPT_OUT = {"domain_forbidden", "not_yours"}
IDS = (
    *("case_id", "work_order_id", "customer_id", "record_id", "complaint_id", "engineer_id"),
    *("incident_id", "alarm_id"),
)


def test_gwy08_another_region_is_closed(platform: Any, cast: Cast) -> None:
    here = _things_of(cast)
    abroad = "cn.sc" if cast.place.region.startswith("cn.gd") else "cn.gd"
    callers = Callers(platform.home / "issuer", platform.gateway_url)
    wrong = []
    with services_of(platform.up()["targets"]) as services:
        for operation in contract_methods():
            who = stated()[operation.containing_service.full_name][operation.name] - {PUBLIC}
            request = _request(operation, here)
            for role in sorted(role for role in who if not _is_everywhere(operation, role)):
                [service] = services.serving(operation)
                token = callers.token(role, domain=abroad)
                code, answer = services.answer(service, operation, request, token)
                if not _nothing_given(code, answer):
                    wrong.append(f"{_path(operation)} as {role}: {code or answer}")
                if operation.name.startswith("List"):
                    _, everything = services.answer(service, operation, type(request)(), token)
                    if shown := [name for name, thing in here.items() if name in IDS and thing in str(everything)]:
                        wrong.append(f"{_path(operation)} without a filter as {role}: shows {shown}")
    assert not wrong, "open to foreigners, or domains.yaml lacks a word for it:\n" + "\n".join(wrong)
    platform.assert_nothing_fell_out()


def _things_of(cast: Cast) -> Mapping[str, str]:
    """One of each kind, in the region of the cast."""
    engineer = cast.engineer()
    archived = cast.report()
    archived.assess(visit=True)
    archived.visit()
    archived.finish()
    story = cast.report()
    story.assess(visit=True)
    story.until_order("assigned")
    case = story.look()
    grievance = Grievance.by_web(cast, "宽带反复断网")
    record_id = archived.record()["record_id"]
    # No customer notices it, so that no case follows it.
    raised = alarm(cast, "minor", affected_service=[])
    Outage(cast, raised["incident_id"]).step(SUPERVISOR, "dismiss", reason="测试告警")
    return {
        "case_id": case["case_id"],
        "work_order_id": case["work_order_id"],
        "customer_id": case["customer_id"],
        "record_id": record_id,
        "request_id": request_access(cast, record_id)["request_id"],
        "hold_id": cast.do("archivist", f"/v1/records/{record_id}:hold", {"reason": "诉讼"})["hold_id"],
        "complaint_id": grievance.complaint_id,
        "engineer_id": engineer.engineer_id,
        "incident_id": raised["incident_id"],
        "alarm_id": raised["alarm_id"],
        "region": cast.place.region,
        "skill": cast.place.skill,
    }


def _is_everywhere(operation: MethodDescriptor, role: str) -> bool:
    service, path = operation.containing_service, _path(operation)
    return not {service.file.package, service.full_name, path, f"{path} as {role}"}.isdisjoint(DOMAINS["everywhere"])


def _path(operation: MethodDescriptor) -> str:
    return f"{operation.containing_service.full_name}/{operation.name}"


def _request(operation: MethodDescriptor, here: Mapping[str, str]) -> Message:
    """A request about what is here, as far as the words go."""
    words = DOMAINS["words"] | DOMAINS["requests"].get(_path(operation), {})
    known = {field: words[field] for field in operation.input_type.fields_by_name if field in words}
    return ParseDict(_filled(known, here), GetMessageClass(operation.input_type)())


def _filled(value: Any, here: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(part, here) for name, part in value.items()}
    return string.Template(value).substitute(here) if isinstance(value, str) else value


def _nothing_given(code: str, answer: Message | None) -> bool:
    if answer is None:
        return code in KEPT_OUT or code.endswith("_unknown")
    return not answer.ListFields()
