"""Which HTTP call is which RPC: read from the `google.api.http` options of the contracts.

A method without the option has no binding and can't be reached from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType

from google.api import annotations_pb2, http_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from servicekit.identity import AccessRule

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Binding:
    """One HTTP method on one path, and the RPC behind it."""

    # The part of the package that names the service, such as `intake`: whom to call.
    service: str
    method: MethodDescriptor
    # `GET`, `POST` …
    verb: str
    # As the contract has it: `/v1/cases/{case}:assess`.
    template: str
    # Path variables in order of appearance; each is a text field of the request.
    variables: tuple[str, ...]
    # The request's remaining fields come from the body; otherwise from the query.
    has_body: bool
    request_class: type[Message] = field(repr=False)
    response_class: type[Message] = field(repr=False)

    @property
    def request(self) -> Descriptor:
        return self.method.input_type

    @property
    def response(self) -> Descriptor:
        return self.method.output_type

    @property
    def rpc_path(self) -> str:
        """The method as gRPC names it: `/bihuan.intake.v1.CaseService/OpenCase`."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def access(self) -> AccessRule:
        return AccessRule.of(self.method)

    def takes(self, name: str) -> bool:
        return name in self.request.fields_by_name


def find_bindings(contracts: Iterable[ModuleType]) -> list[Binding]:
    """The bindings of every service in the contract modules.

    Raises ValueError for an option that the gateway does not carry out, and when two methods want the same call.
    """
    bindings = [
        binding
        for contract in contracts
        for service in contract.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        for binding in _bindings_of(method)
    ]
    taken: dict[tuple[str, str], Binding] = {}
    for binding in bindings:
        # Two templates that differ only in the names of their variables are the same address.
        call = binding.verb, _VARIABLE.sub("{}", binding.template)
        if call in taken:
            raise ValueError(f"{binding.method.full_name} and {taken[call].method.full_name} want the same call {call}")
        taken[call] = binding
    return bindings


def _bindings_of(method: MethodDescriptor) -> list[Binding]:
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return []
    rule = options.Extensions[annotations_pb2.http]
    return [_binding(method, each) for each in (rule, *rule.additional_bindings)]


def _binding(method: MethodDescriptor, rule: http_pb2.HttpRule) -> Binding:
    def refuse(why: str) -> ValueError:
        return ValueError(f"{method.full_name}: {why}")

    pattern = rule.WhichOneof("pattern")
    if pattern not in {"get", "put", "post", "delete", "patch"}:
        raise refuse("google.api.http needs get, put, post, delete or patch")
    if method.client_streaming or method.server_streaming:
        raise refuse("a stream has no REST form here")
    if rule.body not in {"", "*"} or rule.response_body:
        raise refuse('only body: "*" without response_body is carried out')
    template: str = getattr(rule, pattern)
    variables = tuple(_VARIABLE.findall(template))
    for name in variables:
        variable = method.input_type.fields_by_name.get(name) if _NAME.fullmatch(name) else None
        if variable is None or variable.is_repeated or variable.type != FieldDescriptor.TYPE_STRING:
            raise refuse(f"{{{name}}} must be a text field of {method.input_type.name}")
    return Binding(
        service=_service_name(method),
        method=method,
        verb=pattern.upper(),
        template=template,
        variables=variables,
        has_body=rule.body == "*",
        request_class=message_factory.GetMessageClass(method.input_type),
        response_class=message_factory.GetMessageClass(method.output_type),
    )


def _service_name(method: MethodDescriptor) -> str:
    # `bihuan.intake.v1.CaseService` → `intake`
    return str(method.containing_service.full_name).split(".")[1]
