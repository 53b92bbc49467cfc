"""`bihuan quality`: looking after the figures of service quality (QLT-02)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

import typer
from bihuan.quality.v1 import rebuilding_pb2 as pb
from bihuan.quality.v1.rebuilding_pb2_grpc import RebuildServiceStub
from nats.js import JetStreamContext
from servicekit.messaging.streams import EVENTS

from bihuanctl.commands.options import Json
from bihuanctl.platform.bus import operator_bus
from bihuanctl.platform.channels import channels
from bihuanctl.platform.eventlog import LoggedMessage, first_sequence, read_stream
from bihuanctl.platform.signin import operator_token
from bihuanctl.session import Session

SERVICE = "quality"
BATCH = 500
# How often it is asked whether the last of what was replayed is figured.
LOOK_INTERVAL = 0.2

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Figures of service quality.")


@dataclass(frozen=True)
class Rebuilt:
    """How a rebuild went."""

    generation: int
    events: int
    contributions: int
    # Contributions that are not what they were before.
    differing: int


@app.callback()
def group() -> None:
    """Figures of service quality."""


@app.command()
def rebuild(context: typer.Context, *, as_json: Json = False) -> None:
    """Compute all figures again from the event log, and show them if they are complete."""
    session = Session.of(context)
    rebuilt = asyncio.run(_rebuild(session, quiet=as_json))
    if as_json:
        session.print_json(asdict(rebuilt))
        return
    session.say(
        "quality.rebuilt",
        events=rebuilt.events,
        contributions=rebuilt.contributions,
        generation=rebuilt.generation,
    )
    if rebuilt.differing:
        session.say("quality.differing", count=rebuilt.differing)
    else:
        session.say("quality.same")


async def _rebuild(session: Session, *, quiet: bool) -> Rebuilt:
    state = session.platform()
    token = operator_token(state, session.layout.issuer, session.environment)
    targets = {SERVICE: state.targets[SERVICE]}
    async with operator_bus(session.layout.bus_login) as jetstream, channels(targets, token, "en") as opened:
        stub = RebuildServiceStub(opened[SERVICE])  # type: ignore[no-untyped-call]
        begun = await stub.BeginRebuild(await _begin_request(jetstream))
        replayed, batch = 0, []
        async for message in read_stream(jetstream, EVENTS):
            if (logged := _logged(message)) is not None:
                batch.append(logged)
            if len(batch) == BATCH:
                replayed += await _replay(stub, begun.generation, batch)
                batch = []
                if not quiet:
                    session.say("quality.replaying", count=replayed)
        replayed += await _replay(stub, begun.generation, batch)
        done = await _finish(stub, begun.generation)
    return Rebuilt(begun.generation, replayed, done.contributions, done.differing)


async def _begin_request(jetstream: JetStreamContext) -> pb.BeginRebuildRequest:
    """Where the log has lost its beginning, when what is left of it begins."""
    request = pb.BeginRebuildRequest(log_begins_with=max(1, await first_sequence(jetstream, EVENTS)))
    if request.log_begins_with > 1:
        async for message in read_stream(jetstream, EVENTS):
            if message.envelope is not None:
                request.log_begins_at.FromDatetime(message.envelope.occurred_at)
                break
    return request


async def _replay(stub: RebuildServiceStub, generation: int, events: list[pb.LoggedEvent]) -> int:
    if events:
        await stub.ReplayEvents(pb.ReplayEventsRequest(generation=generation, events=events))
    return len(events)


async def _finish(stub: RebuildServiceStub, generation: int) -> pb.FinishRebuildResponse:
    """Returns when all that was replayed is figured, and shown."""
    while True:
        done: pb.FinishRebuildResponse = await stub.FinishRebuild(pb.FinishRebuildRequest(generation=generation))
        if done.finished:
            return done
        await asyncio.sleep(LOOK_INTERVAL)


def _logged(message: LoggedMessage) -> pb.LoggedEvent | None:
    """None for what nobody could read when it came."""
    envelope = message.envelope
    if envelope is None:
        return None
    logged = pb.LoggedEvent(
        event_id=str(envelope.event_id),
        type=envelope.type,
        entity_version=envelope.entity_version,
        body=message.body,
    )
    logged.occurred_at.FromDatetime(envelope.occurred_at)
    return logged
