"""RecordService: proto to use cases and back, no rules here (REC-01, REC-03)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.records.v1 import records_pb2, records_pb2_grpc
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken

from records.files.commands import Opened, open_record
from records.files.queries import list_records
from records.files.record import Record
from records.keyholders import Keyholders

DEFAULT_PAGE = 50
LISTING = "records"

Context = grpc.aio.ServicerContext[Any, Any]


class RecordServicer(records_pb2_grpc.RecordServiceServicer):
    def __init__(self, database: Database, keyholders: Keyholders) -> None:
        self._database = database
        self._keyholders = keyholders

    async def GetRecord(self, request: records_pb2.GetRecordRequest, context: Context) -> records_pb2.Record:
        principal = caller(context)
        opened = await self._database.run("open_record", lambda tx: open_record(tx, request.record, principal))
        if isinstance(opened, Fault):
            raise opened
        return await self._with_content(opened)

    async def ListRecords(
        self, request: records_pb2.ListRecordsRequest, context: Context
    ) -> records_pb2.ListRecordsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(LISTING, request.page_token)
        async with self._database.transaction("list_records") as tx:
            found = await list_records(
                tx,
                caller(context),
                category=request.category,
                region=request.region,
                customer_id=UUID(request.customer_id) if request.customer_id else None,
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(LISTING, page[-1].record_id) if len(found) > size else ""
        return records_pb2.ListRecordsResponse(records=[_catalogued(record) for record in page], next_page_token=more)

    async def _with_content(self, opened: Opened) -> records_pb2.Record:
        record, content = opened.record, opened.content
        message = _catalogued(record)
        message.result = record.result
        if isinstance(content, ComplaintClosed):
            message.complaint_history.extend(content.history)
        else:
            message.history.extend(content.history)
        kept = [(text.role, text.at, text.sealed) for text in content.sealed]
        sealed = [each for _, _, each in kept]
        clear = await self._keyholders.unseal(record, sealed)
        for (role, at, _), text in zip(kept, clear, strict=True):
            message.texts.add(role=role, at=at, text=text)
        return message


def _catalogued(record: Record) -> records_pb2.Record:
    """Everything but the content."""
    return records_pb2.Record(
        record_id=str(record.record_id),
        record_number=record.record_number,
        version=record.version,
        case_id=str(record.case_id),
        case_number=record.case_number,
        grade=f"DATA_GRADE_{record.grade.upper()}",
        category=record.category,
        kind=record.kind,
        region=record.region,
        customer_id=str(record.customer_id or ""),
        staff=record.staff,
        outcome=f"CASE_OUTCOME_{record.outcome.upper()}",
        satisfaction=record.satisfaction,
        accepted_at=record.accepted_at,
        closed_at=record.closed_at,
        filed_at=record.filed_at,
        complete=record.complete,
        missing=record.missing,
        content_hash=record.content_hash,
        record_class=record.record_class,
    )
