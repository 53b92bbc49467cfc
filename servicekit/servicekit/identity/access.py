"""Who may call a method, as the method's own contract says (GWY-08)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bihuan.options.v1 import options_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from servicekit.errors import Fault
from servicekit.identity.principal import Principal, role_name


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The option `(bihuan.options.v1.access)` of one method. A method without it can be called by nobody."""

    roles: frozenset[str] = frozenset()
    public: bool = False

    @classmethod
    def of(cls, method: MethodDescriptor) -> Self:
        extensions = method.GetOptions().Extensions
        access: options_pb2.Access = extensions[options_pb2.access]  # type: ignore[index]  # stubs know no extensions
        return cls(frozenset(role_name(role) for role in access.roles), access.public)

    def require(self, principal: Principal | None) -> None:
        """Raises Fault unauthenticated when nobody is known, role_forbidden when none of their roles is enough."""
        if self.public:
            return
        if principal is None:
            raise Fault("unauthenticated")
        if self.roles.isdisjoint(principal.roles):
            raise Fault("role_forbidden")


def rules_of(service: ServiceDescriptor) -> Mapping[str, AccessRule]:
    """The rule of every method of `service`, by the method's short name."""
    return {method.name: AccessRule.of(method) for method in service.methods}
