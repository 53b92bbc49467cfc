"""The role × operation matrix (GWY-08): what is written down, what the contracts say, what the services answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from bihuan.platform.v1 import calls_pb2
from calling import Callers, Services, reason_in, services_of
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from matrix import PAGE, PUBLIC, contracted, differences, page, stated
from servicekit.identity.principal import ROLES
from servicekit.testing.contracts import contract_methods

BY_SERVICE = {each.containing_service.full_name: each.containing_service.methods for each in contract_methods()}
CARRIER = calls_pb2.DESCRIPTOR.services_by_name["CallService"].methods_by_name["ServeCalls"]
# What may succeed without being told anything; all else would change something. A message without calls does nothing.
READS = ("Get", "List", "Find", "Verify", "ServeCalls")


def test_the_contracts_let_in_whom_the_matrix_names() -> None:
    found = differences(stated(), contracted())
    assert not found, "change matrix.yaml if that is meant:\n" + "\n".join(found)


def test_every_difference_is_told() -> None:
    wanted = {"S": {"Get": frozenset({"agent", "auditor"}), "Old": frozenset({"agent"})}}
    found = {"S": {"Get": frozenset({"agent", "partner"})}, "T": {"New": frozenset({PUBLIC})}}
    assert differences(wanted, wanted) == []
    changed, gone, new = differences(wanted, found)
    assert changed == "S/Get: the contract lets in ['partner'] too, and keeps out ['auditor']"
    assert gone == "S/Old: in matrix.yaml, but no contract has it"
    assert new == "T: no row in matrix.yaml for\n  New: public"


def test_the_page_shows_the_matrix() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(stated()), "run `make access`"


@pytest.fixture(scope="module")
def services(platform) -> Iterator[Services]:
    with services_of(platform.up()["targets"]) as services:
        yield services


@pytest.fixture(scope="module")
def callers(platform) -> Callers:
    return Callers(platform.home / "issuer", platform.gateway_url)


@pytest.mark.e2e
@pytest.mark.parametrize("service", BY_SERVICE)
def test_gwy08_every_operation_answers_every_role_as_the_matrix_says(
    service: str, services: Services, callers: Callers
) -> None:
    rows = stated()[service]
    tokens = {role: callers.token(role, domain="cn") for role in sorted(ROLES)}
    wrong = [
        f"{where}: {operation.name} as {role or 'nobody'}: {code or 'done'}"
        for operation in BY_SERVICE[service]
        for where in services.serving(operation)
        for role, token in (("", ""), *tokens.items())
        if not _as_stated(rows[operation.name], role, code := _ask(services, where, operation, token), operation)
    ]
    assert wrong == []


@pytest.mark.e2e
@pytest.mark.parametrize("service", [name for name in BY_SERVICE if name != CARRIER.containing_service.full_name])
def test_gwy08_calls_that_travel_together_are_each_let_in_by_their_own_token(
    service: str, services: Services, callers: Callers
) -> None:
    rows = stated()[service]
    tokens = {"": "", **{role: callers.token(role, domain="cn") for role in sorted(ROLES)}}
    wrong = [
        f"{where}: {operation.name} as {role or 'nobody'}: {code or 'done'}"
        for operation in BY_SERVICE[service]
        for where in services.serving(operation)
        for role, code in zip(tokens, _ask_together(services, where, operation, tokens.values()), strict=True)
        if not _as_stated(rows[operation.name], role, code, operation)
    ]
    assert wrong == []


def _ask(services: Services, where: str, operation: MethodDescriptor, token: str) -> str:
    """What becomes of a call that says nothing: whoever is let in is told what is missing."""
    return services.answer(where, operation, GetMessageClass(operation.input_type)(), token)[0]


def _ask_together(services: Services, where: str, operation: MethodDescriptor, tokens: Iterable[str]) -> list[str]:
    """The same of calls with these tokens, in one message."""
    method = f"/{operation.containing_service.full_name}/{operation.name}"
    headers = [{"authorization": f"Bearer {token}"} if token else {} for token in tokens]
    calls = [calls_pb2.CarriedCall(method=method, metadata=metadata) for metadata in headers]
    _, messages = services.answer(where, CARRIER, calls_pb2.ServeCallsRequest(calls=calls))
    answers = {answer.call: answer for message in messages for answer in message.answers}
    return [reason_in(answers[place].failure) for place in range(len(calls))]


def _as_stated(who: frozenset[str], role: str, code: str, operation: MethodDescriptor) -> bool:
    if PUBLIC in who or role in who:
        refused = {"unauthenticated", "role_forbidden", "internal", "unavailable"}
        return code not in refused and (bool(code) or operation.name.startswith(READS))
    return code == ("role_forbidden" if role else "unauthenticated")
