"""Who is asking, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from bihuan.options.v1 import options_pb2

from servicekit.errors import Fault
from servicekit.languages import Language

# Reactions and clocks act in this role. No token can carry it: it is no value of the contract's Role.
SYSTEM: Final = "system"

_ROLE_PREFIX: Final = "ROLE_"


def role_name(role: int) -> str:
    """`agent` for ROLE_AGENT: how tokens and principals write a role of the contract."""
    return options_pb2.Role.DESCRIPTOR.values_by_number[role].name.removeprefix(_ROLE_PREFIX).lower()


ROLES: Final = frozenset(role_name(value.number) for value in options_pb2.Role.DESCRIPTOR.values if value.number)
"""Every role that a token can carry (GWY-07)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The person, partner or system behind a call, as the signed token says."""

    user_id: str
    roles: frozenset[str]
    # Dotted path of the region they are responsible for, `cn.gd.gz`; the root is `cn`. Empty: none.
    domain: str = ""
    # The customer they are, for the role customer.
    customer_id: str | None = None
    # None: the token does not say.
    language: Language | None = None

    @classmethod
    def system(cls, service: str) -> Self:
        """`service` itself, acting on an event or a clock: every region, no person."""
        return cls(f"{SYSTEM}:{service}", frozenset({SYSTEM}))

    @property
    def is_system(self) -> bool:
        return SYSTEM in self.roles

    @property
    def is_customer(self) -> bool:
        """Acts as a customer and nothing more: limited to what is their own."""
        return self.roles == {"customer"}

    @property
    def is_engineer(self) -> bool:
        """Acts as a field engineer and nothing more: limited to work orders assigned to them."""
        return self.roles == {"engineer"}

    @property
    def actor(self) -> str:
        """How histories name them: the user id, or just `customer` or `system`."""
        if self.is_system:
            return SYSTEM
        return "customer" if self.is_customer else self.user_id

    def has(self, *roles: str) -> bool:
        """Whether they have any of `roles`."""
        return not self.roles.isdisjoint(roles)

    def may_see(self, region: str) -> bool:
        """Whether `region` is their domain or lies in it. A customer's own they see anywhere: ask for that first."""
        if self.is_system:
            return True
        return bool(self.domain) and (region == self.domain or region.startswith(f"{self.domain}."))

    def require_region(self, region: str) -> None:
        """Raises Fault domain_forbidden when they may not see `region`."""
        if not self.may_see(region):
            raise Fault("domain_forbidden", region=region)
