"""Requests are checked against the constraints in their contract before any use case sees them."""

from __future__ import annotations

from typing import Any, Final

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.message import Message

from servicekit.errors import Fault, FieldViolation
from servicekit.errors.violations import violation_text
from servicekit.languages import Language

_RANGE: Final = ".gte_lte"


class Validation:
    """Checks messages by the `buf.validate` options of their contract."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    def warm_up(self, message_type: type[Message]) -> None:
        """Compiles the rules of a message now rather than in the first call."""
        self._validator.collect_violations(message_type())

    def require_valid(self, message: Message, language: Language) -> None:
        """Raises Fault invalid_argument with every field that is wrong, told in `language`."""
        violations = self._validator.collect_violations(message)
        if violations:
            raise Fault.of_violations(_told(violation, message, language) for violation in violations)


def _told(violation: Any, message: Message, language: Language) -> FieldViolation:
    rule = violation.proto.rule_id
    limit = _range(violation.proto, message) if rule.endswith(_RANGE) else violation.rule_value
    return FieldViolation(_path(violation.proto.field), rule, violation_text(rule, language, limit))


def _range(violation: Any, message: Message) -> str:
    """Both ends of a range; the violation itself has only the lower one."""
    described: Any = message.DESCRIPTOR
    for element in violation.field.elements:
        field = described.fields_by_name[element.field_name]
        described = field.message_type
    wanted = field.GetOptions().Extensions[validate_pb2.field]
    limits = getattr(wanted, violation.rule.elements[0].field_name)
    return f"{limits.gte} … {limits.lte}"


def _path(field: Any) -> str:
    """`report.parts[1].quantity`; empty where the rule is about the message as a whole."""
    if field is None:
        return ""
    steps = []
    for element in field.elements:
        place = element.subscript
        steps.append(f"{element.field_name}[{place.value}]" if place else element.field_name)
    return ".".join(steps)
