"""Asking intake about one case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from bihuan.intake.v1.cases_pb2 import GetCaseRequest
from bihuan.intake.v1.cases_pb2_grpc import CaseServiceStub

from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import operator_token
from bihuanctl.session import Session


@asynccontextmanager
async def intake(session: Session) -> AsyncIterator[CaseServiceStub]:
    """Intake's case service, called as the operator. Its calls raise Fault."""
    state = session.platform()
    token = operator_token(state, session.layout.issuer, session.environment)
    async with channels({"intake": state.targets["intake"]}, token, session.texts.language) as opened:
        yield CaseServiceStub(opened["intake"])  # type: ignore[no-untyped-call]


async def find_case_id(session: Session, case: str) -> str:
    """The id of a case named by its id or number. Raises Fault `case_unknown` or `case_number_invalid`."""
    try:
        return str(UUID(case))
    except ValueError:
        async with intake(session) as stub:
            return str((await stub.GetCase(GetCaseRequest(case=case))).case_id)
