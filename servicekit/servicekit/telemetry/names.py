"""Every name that our telemetry uses, with meaning and unit: a contract that dashboards, alerts and tests rely on.

Names of the OpenTelemetry semantic conventions are used where there is one; ours begin with `bihuan.`.
"""

from __future__ import annotations

from typing import Final

# --- spans -----------------------------------------------------------------------------------------------------------
# A served HTTP request is named by method and route, `POST /v1/cases/{case}:assess` (kind server; FastAPI's own span).
# A served gRPC call is named by its full method: `bihuan.intake.v1.CaseService/OpenCase` (kind server). Calling
# another service makes no span of its own: the server's span hangs directly under the caller's.

SPAN_TRANSACTION: Final = "db.transaction"
"""One database transaction, from begin to commit or rollback. Single statements have no spans: they cost too much."""

SPAN_GATHERED: Final = "db.gathered"
"""A request waits for, and shares, a transaction with others; that transaction's own trace is linked to this span."""

SPAN_CONSUME: Final = "bus.consume"
"""An event or command takes effect in a service; child of the span that wrote it, and linked to it (kind consumer)."""

SPAN_DEADLINE: Final = "deadline.fire"
"""A mark of a clock is acted on; the root of a new trace, linked to the trace that started the clock."""

SPAN_CASE: Final = "case"
"""The whole life of a case: the root of its life-cycle trace, whose trace id is the case id (platform time)."""

SPAN_STAGE_PREFIX: Final = "stage."
"""One stay of a case in a stage, such as `stage.handling`: true start and end in platform time, written at its end."""

# --- attributes of spans ---------------------------------------------------------------------------------------------

RPC_SYSTEM: Final = "rpc.system"
"""Always `grpc`."""

RPC_METHOD: Final = "rpc.method"
"""Full method, `bihuan.intake.v1.CaseService/OpenCase`. Also on the call duration metric."""

RPC_STATUS: Final = "rpc.response.status_code"
"""Name of the gRPC status, `OK` or `NOT_FOUND`. Also on the call duration metric."""

ERROR_TYPE: Final = "error.type"
"""Fault code, or the exception's class for a defect. Absent on success. Also on the call duration metric."""

TRANSACTION: Final = "bihuan.transaction"
"""Name of the use case that opened the transaction, such as `open_case`."""

CASE_ID: Final = "bihuan.case.id"
"""Case that the span is about. Spans with it belong to the picture of the case, whatever their trace."""

STAGE: Final = "bihuan.stage"
"""Stage of the case, in lower case without prefix: `accepted` … `archived`."""

RESPONSIBLE: Final = "bihuan.responsible"
"""User id or engineer id of whoever was responsible during a stage (INT-08); `system` when nobody was."""

CLOCK: Final = "bihuan.clock"
"""Name of a clock in standards/clocks.yaml."""

CLOCK_MARK: Final = "bihuan.clock.mark"
"""Which mark of a clock has come: `warned` or `missed`. On the deadline lag metric."""

STREAM: Final = "stream"
"""JetStream stream. On the consumer lag metric."""

CLOCK_OUTCOME: Final = "bihuan.clock.outcome"
"""How the clock of a stage ended: `met`, `missed` or `cancelled`; `running` when it goes on after the stage."""

CASE_OUTCOME: Final = "bihuan.case.outcome"
"""How the case ended: `solved` or `withdrawn`."""

EVENT_TYPE: Final = "bihuan.event.type"
"""Full name of the event's message, `bihuan.intake.v1.CaseOpened`."""

MESSAGING_DESTINATION: Final = "messaging.destination.name"
"""Subject on the bus. Also on the counter of handled messages."""

MESSAGING_ID: Final = "messaging.message.id"
"""Event id (`ce-id`)."""

MESSAGING_DELIVERIES: Final = "messaging.nats.deliveries"
"""How often the bus has delivered the message, 1 the first time."""

MESSAGING_OUTCOME: Final = "bihuan.consumer.outcome"
"""On the counter of handled messages: `done`, `repeated` (a duplicate), `retried` or `dead`."""

WEBHOOK_OUTCOME: Final = "bihuan.webhook.outcome"
"""On the counter of webhook attempts: `delivered`, or why it failed: `status`, `timeout`, `unreachable`,
`address_refused`."""

# --- metrics ---------------------------------------------------------------------------------------------------------

RPC_DURATION: Final = "rpc.server.call.duration"
"""Histogram, seconds: served gRPC calls by method, status and error type. Rate, errors and duration in one (TRC-02)."""

OUTBOX_WAITING: Final = "bihuan.outbox.waiting"
"""Gauge, rows: events committed and not yet published."""

OUTBOX_OLDEST: Final = "bihuan.outbox.oldest"
"""Gauge, seconds of real time: age of the oldest waiting outbox row."""

OUTBOX_PARKED: Final = "bihuan.outbox.parked"
"""Gauge, rows: events that the bus will never take as they are; each has its reason in `outbox.parked_reason`."""

CONSUMED: Final = "bihuan.consumer.handled"
"""Counter, messages: by destination and outcome."""

CONSUMER_LAG: Final = "bihuan.consumer.lag"
"""Gauge, messages: stored for this service and not yet handled, by stream. Every replica tells of the whole service."""

DEADLINE_LAG: Final = "bihuan.deadline.lag"
"""Histogram, seconds of platform time: how late a mark was acted on, by clock and mark; its count: how many came."""

UNREADABLE_TEXTS: Final = "bihuan.texts.unreadable"
"""Counter, texts: shown to somebody as unreadable, damaged or sealed for another customer; each time it is shown."""

WEBHOOK_ATTEMPTS: Final = "bihuan.webhook.attempts"
"""Counter, attempts: to deliver a webhook to a partner, by outcome."""

WEBHOOK_DISABLED: Final = "bihuan.webhook.disabled"
"""Counter, endpoints: of partners, disabled because they failed too often or said that they are gone."""
