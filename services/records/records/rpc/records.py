"""RecordService: the catalogue (REC-03)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.records.v1 import records_pb2, records_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from records.files.commands import look_up
from records.files.queries import list_records
from records.files.record import Record
from records.policy import Policy
from records.retention.holds import held_among
from records.retention.queries import destroyable
from records.rpc.messages import DEFAULT_PAGE, catalogued

LISTING = "records"

Context = grpc.aio.ServicerContext[Any, Any]


class RecordServicer(records_pb2_grpc.RecordServiceServicer):
    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    async def GetRecord(self, request: records_pb2.GetRecordRequest, context: Context) -> records_pb2.Record:
        principal = caller(context)

        async def look(tx: UnitOfWork) -> records_pb2.Record | Fault:
            found = await look_up(tx, request.record, principal)
            return found if isinstance(found, Fault) else (await self._describe(tx, [found]))[0]

        shown = await self._database.run("look_up_record", look)
        if isinstance(shown, Fault):
            raise shown
        return shown

    async def ListRecords(
        self, request: records_pb2.ListRecordsRequest, context: Context
    ) -> records_pb2.ListRecordsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_records") as tx:
            found = await list_records(
                tx,
                caller(context),
                category=request.category,
                region=request.region,
                customer_id=UUID(request.customer_id) if request.customer_id else None,
                record_class=request.record_class,
                destroyable=destroyable(tx.now, self._policy) if request.past_retention else None,
                before=key[0] if key else None,
                limit=size + 1,
            )
            shown = await self._describe(tx, found[:size])
        more = PageToken.encode(narrowed(LISTING, request), found[size - 1].record_id) if len(found) > size else ""
        return records_pb2.ListRecordsResponse(records=shown, next_page_token=more)

    async def _describe(self, tx: UnitOfWork, records: list[Record]) -> list[records_pb2.Record]:
        held = await held_among(tx, [record.record_id for record in records])
        return [catalogued(record, self._policy, on_hold=record.record_id in held) for record in records]
