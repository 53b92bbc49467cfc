"""AccessService: requests, approvals, openings, packages (REC-03, REC-07, REC-09)."""

import hashlib
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio
from bihuan.complaints.v1.events_pb2 import ComplaintClosed
from bihuan.records.v1 import accesses_pb2 as pb
from bihuan.records.v1 import accesses_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database, UnitOfWork
from servicekit.errors import Fault
from servicekit.identity import caller, language
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.signing import SigningKey

from records.accesses import commands, store
from records.accesses.commands import Opened
from records.accesses.request import AccessRequest, State
from records.accesses.trail import list_accesses
from records.exports.package import MEDIA_TYPE, build_package, collect_evidence, package_name
from records.exports.readable import ClearText, readable, result_among, watermark
from records.files.queries import find_record
from records.keyholders import Keyholders
from records.log.queries import list_keys
from records.policy import Policy
from records.rpc.messages import (
    DEFAULT_PAGE,
    access_message,
    catalogued,
    inclusion_message,
    keys_message,
    request_message,
)
from standards import Standards

REQUESTS = "record_access_requests"
ACCESSES = "record_accesses"
STATE = "ACCESS_REQUEST_STATE_"

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class AccessServicer(accesses_pb2_grpc.AccessServiceServicer):
    def __init__(self, database: Database, keyholders: Keyholders, key: SigningKey, standards: Standards) -> None:
        self._database = database
        self._keyholders = keyholders
        self._key = key
        self._standards = standards
        self._policy = Policy.of(standards)

    async def RequestAccess(self, request: pb.RequestAccessRequest, context: Context) -> pb.AccessRequest:
        principal = caller(context)

        async def ask(tx: UnitOfWork) -> pb.AccessRequest | Fault:
            asked = await commands.request_access(
                tx,
                request.record,
                purpose=request.purpose,
                key=CreationKey.of(request),
                principal=principal,
                policy=self._policy,
            )
            return asked if isinstance(asked, Fault) else await _described(tx, asked)

        return _granted(await self._database.run("request_access", ask))

    async def GetAccessRequest(self, request: pb.GetAccessRequestRequest, context: Context) -> pb.AccessRequest:
        async with self._database.transaction("get_access_request") as tx:
            return await _described(tx, await store.find_visible(tx, UUID(request.request_id), caller(context)))

    async def ListAccessRequests(
        self, request: pb.ListAccessRequestsRequest, context: Context
    ) -> pb.ListAccessRequestsResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(REQUESTS, request), request.page_token)
        state = pb.AccessRequestState.Name(request.state).removeprefix(STATE).lower()
        async with self._database.transaction("list_access_requests") as tx:
            found = await store.list_visible(
                tx,
                caller(context),
                state=State(state) if request.state else None,
                record=request.record,
                before=key[0] if key else None,
                limit=size + 1,
            )
            views = await store.describe(tx, found[:size])
        more = PageToken.encode(narrowed(REQUESTS, request), found[size - 1].request_id) if len(found) > size else ""
        return pb.ListAccessRequestsResponse(requests=[request_message(view) for view in views], next_page_token=more)

    async def ApproveAccess(self, request: pb.ApproveAccessRequest, context: Context) -> pb.AccessRequest:
        principal = caller(context)

        async def approve(tx: UnitOfWork) -> pb.AccessRequest:
            approved = await commands.approve_access(
                tx,
                UUID(request.request_id),
                expected_version=request.expected_version,
                principal=principal,
                policy=self._policy,
            )
            return await _described(tx, approved)

        return await self._database.run("approve_access", approve)

    async def RejectAccess(self, request: pb.RejectAccessRequest, context: Context) -> pb.AccessRequest:
        principal = caller(context)

        async def reject(tx: UnitOfWork) -> pb.AccessRequest:
            rejected = await commands.reject_access(
                tx,
                UUID(request.request_id),
                reason=request.reason,
                expected_version=request.expected_version,
                principal=principal,
            )
            return await _described(tx, rejected)

        return await self._database.run("reject_access", reject)

    async def OpenRecord(self, request: pb.OpenRecordRequest, context: Context) -> pb.OpenedRecord:
        principal = caller(context)
        opened = _granted(
            await self._database.run(
                "open_record",
                lambda tx: commands.open_record(tx, UUID(request.request_id), principal, policy=self._policy),
            )
        )
        texts = await self._keyholders.open_content(opened.record, opened.content)
        shown = self._shown(opened, texts)
        shown.watermark = watermark(opened, language(context))
        shown.html = readable(opened, texts, self._standards, language(context))
        return shown

    async def ExportRecord(self, request: pb.ExportRecordRequest, context: Context) -> pb.ExportedRecord:
        principal = caller(context)
        opened = _granted(
            await self._database.run(
                "export_record",
                lambda tx: commands.open_record(
                    tx, UUID(request.request_id), principal, policy=self._policy, exported=True
                ),
            )
        )
        texts = await self._keyholders.open_content(opened.record, opened.content)
        async with self._database.transaction("collect_evidence") as tx:
            evidence = await collect_evidence(tx, opened.record)
            keys = keys_message(await list_keys(tx, self._key))
        package = build_package(
            opened,
            shown=self._shown(opened, texts),
            texts=texts,
            evidence=evidence,
            proofs=[inclusion_message(proof) for proof in evidence.proofs],
            keys=keys,
            standards=self._standards,
        )
        digest = hashlib.sha256(package).hexdigest()
        await self._database.run("enter_package", lambda tx: commands.enter_package(tx, opened, digest))
        return pb.ExportedRecord(
            file_name=f"{package_name(opened.record)}.zip",
            media_type=MEDIA_TYPE,
            package=package,
            sha256=digest,
        )

    async def ListRecordAccesses(
        self, request: pb.ListRecordAccessesRequest, context: Context
    ) -> pb.ListRecordAccessesResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(ACCESSES, request), request.page_token)
        async with self._database.transaction("list_record_accesses") as tx:
            record = await find_record(tx, request.record)
            caller(context).require_region(record.region)
            found = await list_accesses(tx, record.record_id, before=key[0] if key else None, limit=size + 1)
        more = PageToken.encode(narrowed(ACCESSES, request), found[size - 1]["access_id"]) if len(found) > size else ""
        return pb.ListRecordAccessesResponse(
            accesses=[access_message(access) for access in found[:size]], next_page_token=more
        )

    def _shown(self, opened: Opened, texts: list[ClearText]) -> pb.OpenedRecord:
        record = catalogued(opened.record, self._policy)
        record.result = result_among(texts)
        shown = pb.OpenedRecord(record=record, expires_at=opened.request.expires_at)
        if isinstance(opened.content, ComplaintClosed):
            shown.complaint_history.extend(opened.content.history)
        else:
            shown.history.extend(opened.content.history)
        for text in texts:
            shown.texts.add(role=text.role, at=text.at, text=text.text, erased=text.erased)
        return shown


def _granted(answer: T | Fault) -> T:
    """What was refused with a trace is raised only now that the trace is kept."""
    if isinstance(answer, Fault):
        raise answer
    return answer


async def _described(tx: UnitOfWork, request: AccessRequest) -> pb.AccessRequest:
    return request_message((await store.describe(tx, [request]))[0])
