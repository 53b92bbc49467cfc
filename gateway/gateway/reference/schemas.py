"""Messages and fields of the contracts as JSON Schema, with the constraints that services enforce (protovalidate)."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, Final

import protovalidate
from buf.validate import validate_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from servicekit.protojson import map_entry

from gateway.reference.comments import Comments
from gateway.transcoding.constraints import field_rules
from gateway.transcoding.scalars import INTEGER_RANGES

Schema = dict[str, Any]

_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
}
# protovalidate's name of a rule → the JSON Schema keyword that says the same.
_STRING_RULES: Final = {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern"}
_NUMBER_RULES: Final = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
_LIST_RULES: Final = {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}
_STRING_FORMATS: Final = {"uuid": "uuid", "email": "email", "hostname": "hostname", "uri": "uri"}


class Schemas:
    """Collects the schemas that an API description refers to, one a message and one an enum."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self.components: dict[str, Schema] = {}

    def message(self, message_type: Descriptor, *, without: Collection[str] = (), answered: bool = False) -> Schema:
        """A reference to the schema of a message.

        `without` leaves out fields that come from elsewhere, such as the path. `answered`: we write it, so every field
        that is always there is required; otherwise those are that the contract does not let be empty.

        Raises ValueError when the same message was described with other fields left out.
        """
        name = component_name(message_type)
        if name not in self.components:
            # Entered before its fields are described: they may refer to it.
            schema = self.components[name] = {"type": "object", "x-left-out": sorted(without)}
            fields = [field for field in message_type.fields if field.name not in without]
            schema["properties"] = {field.name: self.field(field, answered=answered) for field in fields}
            required = [field.name for field in fields if _is_required(field, answered=answered)]
            if required:
                schema["required"] = required
            if not answered:
                schema["additionalProperties"] = False
            description = [self._comments.of(message_type.full_name), *_message_rules(message_type)]
            if any(description):
                schema["description"] = " ".join(text for text in description if text)
        elif self.components[name]["x-left-out"] != sorted(without):
            raise ValueError(f"{message_type.full_name}: used with different fields in the path")
        return {"$ref": f"#/components/schemas/{name}"}

    def finished(self) -> dict[str, Schema]:
        """The components, in order of their names."""
        return {
            name: {key: value for key, value in schema.items() if key != "x-left-out"}
            for name, schema in sorted(self.components.items())
        }

    def field(self, field: FieldDescriptor, *, answered: bool = False) -> Schema:
        """The schema of one field, with its comment as description."""
        rules = field_rules(field)
        entry = map_entry(field)
        if entry is not None:
            schema = self._of(entry.fields_by_name["value"], None, answered=answered)
            schema = {"type": "object", "additionalProperties": schema}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._of(field, None, answered=answered)}
            schema |= _keywords(rules.repeated, _LIST_RULES) if rules else {}
        else:
            schema = self._of(field, rules, answered=answered)
        description = self._comments.of(field.full_name)
        if description:
            schema["description"] = description
        example = self._comments.example(field.full_name)
        if example and schema.get("type") == "string":
            schema["examples"] = [example]
        return schema

    def _of(self, field: FieldDescriptor, rules: validate_pb2.FieldRules | None, *, answered: bool) -> Schema:
        """The schema of one value of the field."""
        if field.message_type is not None:
            known = _WELL_KNOWN.get(field.message_type.full_name)
            return dict(known) if known else self.message(field.message_type, answered=answered)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return {"type": "boolean"}
        if field.cpp_type in INTEGER_RANGES:
            return _integer(field, rules)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return _string(rules)
        return {"type": "number", **(_keywords(_number_rules(rules), _NUMBER_RULES) if rules else {})}

    def _enum(self, enum_type: EnumDescriptor) -> Schema:
        name = component_name(enum_type)
        if name not in self.components:
            told = [
                f"`{value.name}`: {text}"
                for value in enum_type.values
                if (text := self._comments.of(f"{enum_type.full_name}.{value.name}"))
            ]
            self.components[name] = {
                "type": "string",
                "enum": [value.name for value in enum_type.values],
                "description": " ".join([self._comments.of(enum_type.full_name), *told]).strip(),
                "x-left-out": [],
            }
        return {"$ref": f"#/components/schemas/{name}"}


def component_name(described: Descriptor | EnumDescriptor) -> str:
    """`intake.v1.Case` for `bihuan.intake.v1.Case`."""
    return str(described.full_name).removeprefix("bihuan.")


def _is_required(field: FieldDescriptor, *, answered: bool) -> bool:
    if answered:
        return not field.has_presence
    return field.containing_type is not None and field.name in _refused_when_empty(field.containing_type)


@cache
def _refused_when_empty(message_type: Descriptor) -> frozenset[str]:
    """The fields that the contract's own rules complain about in an empty message."""
    empty = message_factory.GetMessageClass(message_type)()
    violations = protovalidate.collect_violations(empty)
    return frozenset(found.proto.field.elements[0].field_name for found in violations if found.proto.field)


def _message_rules(message_type: Descriptor) -> list[str]:
    """What the rules over several fields say, in the contract's own words."""
    options: Any = message_type.GetOptions()
    if not options.HasExtension(validate_pb2.message):
        return []
    return [f"Rule: {rule.message}." for rule in options.Extensions[validate_pb2.message].cel]


def _integer(field: FieldDescriptor, rules: validate_pb2.FieldRules | None) -> Schema:
    least, most = INTEGER_RANGES[field.cpp_type]
    bits = "64" if most >= 2**32 else "32"
    if bits == "64":
        # Too large for JavaScript's numbers, so the proto JSON mapping writes a text.
        return {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
    schema: Schema = {"type": "integer", "minimum": least, "maximum": most}
    return schema | (_keywords(_number_rules(rules), _NUMBER_RULES) if rules else {})


def _number_rules(rules: validate_pb2.FieldRules) -> Any:
    """The rules of the field's own number type, such as `uint32`."""
    return getattr(rules, str(rules.WhichOneof("type") or "double"))


def _string(rules: validate_pb2.FieldRules | None) -> Schema:
    schema: Schema = {"type": "string"}
    if rules is None:
        return schema
    schema |= _keywords(rules.string, _STRING_RULES)
    if getattr(rules.string, "in"):
        schema["enum"] = list(getattr(rules.string, "in"))
    well_known = rules.string.WhichOneof("well_known")
    if well_known in _STRING_FORMATS and rules.ignore != validate_pb2.IGNORE_IF_ZERO_VALUE:
        schema["format"] = _STRING_FORMATS[well_known]
    return schema


def _keywords(rules: Any, names: dict[str, str]) -> Schema:
    return {keyword: getattr(rules, name) for name, keyword in names.items() if rules.HasField(name)}
