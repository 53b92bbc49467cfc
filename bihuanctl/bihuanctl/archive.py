"""Asking records as somebody who may: the archive's desk for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bihuan.records.v1 import log_pb2
from bihuan.records.v1.accesses_pb2_grpc import AccessServiceStub
from bihuan.records.v1.log_pb2_grpc import LogServiceStub
from bihuan.records.v1.records_pb2_grpc import RecordServiceStub
from bihuan.records.v1.retention_pb2_grpc import RetentionServiceStub
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from servicekit.rpc.client import Channel

from bihuanctl.platform.accounts import find_account
from bihuanctl.platform.channels import channels
from bihuanctl.platform.signin import fetch_token
from bihuanctl.session import Session

RECORDS = "records"
PAGE = 500


@dataclass(frozen=True)
class Desk:
    """The calls of records. They raise Fault."""

    records: Any
    accesses: Any
    retention: Any
    log: Any

    @classmethod
    def over(cls, channel: Channel) -> Desk:
        return cls(
            RecordServiceStub(channel),  # type: ignore[no-untyped-call]
            AccessServiceStub(channel),  # type: ignore[no-untyped-call]
            RetentionServiceStub(channel),  # type: ignore[no-untyped-call]
            LogServiceStub(channel),  # type: ignore[no-untyped-call]
        )

    async def log_pages(self) -> AsyncIterator[dict[str, Any]]:
        """The whole log up to its newest head, page by page, as the platform answers it in JSON."""
        first, size = 0, 1
        while first < size:
            page = await self.log.ListLogEntries(log_pb2.ListLogEntriesRequest(page_size=PAGE, from_index=first))
            yield as_dict(page)
            if not page.entries:
                return
            first, size = page.entries[-1].leaf_index + 1, page.head.tree_size


@asynccontextmanager
async def desk(session: Session, user: str) -> AsyncIterator[Desk]:
    """The desk as `user` of `bihuan users`; or as whoever the token in BIHUAN_TOKEN speaks for."""
    state = session.platform()
    token = session.environment.get("BIHUAN_TOKEN") or fetch_token(
        state.gateway_url, find_account(session.layout.issuer, user)
    )
    async with channels({RECORDS: state.targets[RECORDS]}, token, session.texts.language) as opened:
        yield Desk.over(opened[RECORDS])


def as_dict(message: Message) -> dict[str, Any]:
    """JSON of the contracts, as the gateway answers it."""
    return MessageToDict(message, preserving_proto_field_name=True)
