"""Every method of every contract as every role, driven by the contracts themselves (GWY-07, GWY-08)."""

from __future__ import annotations

import pytest
from bihuan.options.v1 import options_pb2
from bihuan.records.v1 import records_pb2
from google.protobuf.descriptor import MethodDescriptor
from servicekit.errors import Fault
from servicekit.identity import ROLES, AccessRule, Principal, rules_of
from servicekit.rpc.interceptors.access import admit
from servicekit.testing.contracts import contract_methods

METHODS = list(contract_methods())


class Tokens:
    """A token is the name of the role that it gives."""

    async def verify(self, token: str) -> Principal:
        if token not in ROLES:
            raise Fault("token_invalid")
        return Principal("u", frozenset({token}))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_exactly_the_roles_of_the_contract_are_let_in(method: MethodDescriptor) -> None:
    named = {options_pb2.Role.Name(number) for number in method.GetOptions().Extensions[options_pb2.access].roles}
    rule = AccessRule.of(method)
    for role in ROLES:
        if rule.public or f"ROLE_{role.upper()}" in named:
            admitted = await admit(f"Bearer {role}", rule, Tokens())
            assert admitted is not None
        else:
            with pytest.raises(Fault, match="role_forbidden"):
                await admit(f"Bearer {role}", rule, Tokens())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_nobody_is_let_in_without_a_token_and_no_method_is_without_a_rule(method: MethodDescriptor) -> None:
    rule = AccessRule.of(method)
    assert rule.roles or rule.public
    if not rule.public:
        with pytest.raises(Fault, match="unauthenticated"):
            await admit("", rule, Tokens())


async def test_a_method_without_a_rule_is_for_nobody() -> None:
    for role in ROLES:
        with pytest.raises(Fault, match="role_forbidden"):
            await admit(f"Bearer {role}", AccessRule(), Tokens())


async def test_a_public_method_needs_no_token_but_refuses_a_wrong_one() -> None:
    assert await admit("", AccessRule(public=True), Tokens()) is None
    with pytest.raises(Fault, match="token_invalid"):
        await admit("Bearer x", AccessRule(public=True), Tokens())


def test_rules_of_a_service_are_by_method_name() -> None:
    rules = rules_of(records_pb2.DESCRIPTOR.services_by_name["RecordService"])
    assert rules["GetRecord"].roles == {"archivist", "supervisor", "auditor"}
