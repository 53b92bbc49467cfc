"""The streams on the bus, and what each service may do there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from servicekit.messaging import users
from servicekit.messaging.feeds import FEED_SENDER, FEED_SUBJECTS, FEEDS, sender_subjects
from standards import load

EVENTS = "BIHUAN_EVENTS"
COMMANDS = "BIHUAN_COMMANDS"
DEAD = "BIHUAN_DEAD"
DISCARDED = "BIHUAN_DISCARDED"

OPERATOR = users.OPERATOR

CLOCK_BUCKET = "platform_clock"
CLOCK_KEY = "offset_seconds"
CLOCK_SUBJECT = f"$KV.{CLOCK_BUCKET}.{CLOCK_KEY}"
# JetStream sends every stored offset on here too, so that a process hears of it without a consumer of its own.
CLOCK_CHANGED = "platform_clock.changed"

# How long an event can still be delivered: longer than a year, so that last year's figures can be computed again.
EVENTS_KEPT = timedelta(days=400)
_COMMANDS_KEPT = timedelta(days=30)
_DEDUPLICATION = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream: its name, the subjects it keeps and for how long; a word is a window of standards/thresholds.yaml."""

    name: str
    subjects: tuple[str, ...]
    max_age: timedelta | str
    description: str

    def config(self, replicas: int) -> StreamConfig:
        return StreamConfig(
            name=self.name,
            description=self.description,
            subjects=list(self.subjects),
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=self._kept().total_seconds(),
            duplicate_window=_DEDUPLICATION.total_seconds(),
            num_replicas=replicas,
            allow_direct=True,
        )

    def _kept(self) -> timedelta:
        return load().windows[self.max_age].length if isinstance(self.max_age, str) else self.max_age


# Dead letters have one token less than commands: `bihuan.dead.*.*` would overlap `bihuan.*.commands.*`.
STREAMS = (
    Stream(EVENTS, ("bihuan.*.*.*.v1",), EVENTS_KEPT, "What happened, from every service"),
    Stream(COMMANDS, ("bihuan.*.commands.*",), _COMMANDS_KEPT, "What one service asks of another"),
    Stream(DEAD, ("bihuan.dead.*",), EVENTS_KEPT, "What a service could not handle, with the reason"),
    Stream(FEEDS, (FEED_SUBJECTS,), "partner_feed", "What partners are told, each on subjects of its own"),
    Stream(DISCARDED, ("bihuan.discarded.*",), EVENTS_KEPT, "Dead letters given up for good, by whom and why"),
)


def dead_letter_subject(service: str) -> str:
    """Where `service` puts what it could not handle."""
    return f"bihuan.dead.{service}"


def discarded_subject(service: str) -> str:
    """Where a dead letter of `service` is kept that nobody will send again; only the operator may publish there."""
    return f"bihuan.discarded.{service}"


def redeliver_subject(service: str) -> str:
    """Where a dead letter of `service` is sent again; only that service hears it."""
    return f"bihuan.{service}.commands.redeliver"


async def provision(jetstream: JetStreamContext, *, replicas: int = 1) -> None:
    """Creates what is missing and applies what has changed; doing it again changes nothing. For the operator.

    Raises nats.js.errors.APIError when the server refuses, such as too few servers for `replicas`.
    """
    for stream in STREAMS:
        await _apply(jetstream, stream.config(replicas))
    await _apply(jetstream, _clock_bucket(replicas))


async def _apply(jetstream: JetStreamContext, config: StreamConfig) -> None:
    assert config.name is not None
    try:
        await jetstream.stream_info(config.name)
    except NotFoundError:
        await jetstream.add_stream(config)
    else:
        await jetstream.update_stream(config)


def _clock_bucket(replicas: int) -> StreamConfig:
    """A key-value bucket is a stream of this form; made here because only so it can be kept and changed in one way."""
    return StreamConfig(
        name=f"KV_{CLOCK_BUCKET}",
        description="How far platform time is ahead of real time",
        subjects=[f"$KV.{CLOCK_BUCKET}.>"],
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=5,
        num_replicas=replicas,
        allow_rollup_hdrs=True,
        deny_delete=True,
        allow_direct=True,
        republish=RePublish(src=CLOCK_SUBJECT, dest=CLOCK_CHANGED),
    )


def inbox_prefix(service: str) -> str:
    """Answers to `service` come under this prefix, which nobody else may read."""
    return f"_INBOX_{service}"


def permissions(service: str) -> dict[str, dict[str, list[str]]]:
    """What the NATS user of `service` may publish and subscribe to; everything else is denied.

    It publishes its own events and dead letters, commands to anybody, and what its own durable consumer needs; it
    subscribes to nothing but the answers to its own requests and the platform clock.
    """
    return {
        "publish": {
            "allow": [
                f"bihuan.{service}.>",
                "bihuan.*.commands.*",
                dead_letter_subject(service),
                *_consumer_subjects(service, (EVENTS, COMMANDS)),
                *(sender_subjects() if service == FEED_SENDER else ()),
                f"$JS.API.DIRECT.GET.KV_{CLOCK_BUCKET}.{CLOCK_SUBJECT}",
            ],
            # What is sent again counts as what it was, whoever first said it: only the operator may.
            "deny": [redeliver_subject("*")],
        },
        "subscribe": {"allow": [f"{inbox_prefix(service)}.>", CLOCK_CHANGED]},
    }


def _consumer_subjects(service: str, streams: Iterable[str]) -> Iterable[str]:
    for stream in streams:
        yield f"$JS.API.CONSUMER.CREATE.{stream}.{service}"
        yield f"$JS.API.CONSUMER.INFO.{stream}.{service}"
        yield f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}"
        yield f"$JS.ACK.{stream}.{service}.>"


def operator_permissions() -> dict[str, Any]:
    """The operator (the `bihuan` command) may do everything."""
    return {"publish": {"allow": [">"]}, "subscribe": {"allow": [">"]}}
