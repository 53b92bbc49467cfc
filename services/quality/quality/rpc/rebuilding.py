"""RebuildService: the event log comes in as the operator reads it (QLT-02)."""

from datetime import UTC
from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.quality.v1 import rebuilding_pb2 as pb
from bihuan.quality.v1 import rebuilding_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.messaging.envelope import UnreadableError, decode

from quality import rebuilding
from quality.observations.commands import Happened, replay
from quality.observations.marks import MarkReader
from quality.refresher import Refresher
from standards import Standards

Context = grpc.aio.ServicerContext[Any, Any]


class RebuildServicer(rebuilding_pb2_grpc.RebuildServiceServicer):
    def __init__(self, database: Database, standards: Standards, reader: MarkReader, refresher: Refresher) -> None:
        self._database = database
        self._standards = standards
        self._reader = reader
        self._refresher = refresher

    async def BeginRebuild(self, request: pb.BeginRebuildRequest, _context: Context) -> pb.Rebuild:
        begins = request.log_begins_at.ToDatetime(UTC) if request.log_begins_with > 1 else None

        async def begin(tx: UnitOfWork) -> int:
            return await rebuilding.begin_rebuild(tx, self._standards, log_begins_at=begins)

        return pb.Rebuild(generation=await self._database.run("begin_rebuild", begin))

    async def ReplayEvents(self, request: pb.ReplayEventsRequest, _context: Context) -> pb.ReplayEventsResponse:
        events = [happened for logged in request.events if (happened := self._read(logged)) is not None]

        async def remember(tx: UnitOfWork) -> int:
            await rebuilding.require_building(tx, request.generation)
            tx.after_commit(self._refresher.wake)
            return await replay(tx, self._reader, request.generation, events)

        return pb.ReplayEventsResponse(remembered=await self._database.run("replay_events", remember))

    async def FinishRebuild(self, request: pb.FinishRebuildRequest, _context: Context) -> pb.FinishRebuildResponse:
        async def finish(tx: UnitOfWork) -> rebuilding.Finished:
            tx.after_commit(self._refresher.wake)
            return await rebuilding.finish_rebuild(tx, self._standards, request.generation)

        outcome = await self._database.run("finish_rebuild", finish)
        if outcome.finished:
            self._refresher.begin_anew()
        return pb.FinishRebuildResponse(
            finished=outcome.finished, differing=outcome.differing, contributions=outcome.contributions
        )

    def _read(self, logged: pb.LoggedEvent) -> Happened | None:
        """None for what leaves no mark, or that nobody could read when it came: it had no effect then either."""
        kind = self._reader.kinds.get(logged.type)
        if kind is None:
            return None
        try:
            event = decode(kind, logged.body)
        except UnreadableError:
            return None
        return event, UUID(logged.event_id), logged.occurred_at.ToDatetime(UTC), logged.entity_version
