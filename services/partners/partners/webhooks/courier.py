"""Carrying deliveries out: takes what is due, sends it outside of any transaction, and writes down what came of it.

What is due follows platform time and stands in the database, so it survives days down. A delivery that is being sent is
leased for a moment of real time: when its courier dies, another one sends it again, under the same `webhook-id`.
"""

import asyncio
import contextlib
import time
from collections import Counter
from uuid import UUID

import structlog
from opentelemetry import metrics
from servicekit.database import Database, UnitOfWork
from servicekit.database.trouble import is_database_trouble
from servicekit.errors import Fault
from servicekit.sealing import Sealer
from servicekit.tasks import end
from servicekit.telemetry import names

from partners.policy import Policy
from partners.webhooks import taking
from partners.webhooks.givingup import give_up_what_nobody_enabled
from partners.webhooks.recording import record_attempt
from partners.webhooks.secrets import open_secrets
from partners.webhooks.sending import NOT_SIGNED, Outcome, WebhookSender
from partners.webhooks.signing import webhook_headers

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_POLL_SECONDS = 1.0
_MOST_AT_ONCE = 64

log = structlog.get_logger(__name__)
attempts = metrics.get_meter("partners.webhooks").create_counter(
    names.WEBHOOK_ATTEMPTS, unit="{attempt}", description="Attempts to deliver a webhook."
)
disabled = metrics.get_meter("partners.webhooks").create_counter(
    names.WEBHOOK_DISABLED, unit="{endpoint}", description="Endpoints disabled because they failed."
)


class Courier:
    """Runs the webhooks of one process; replicas share the work."""

    def __init__(self, database: Database, policy: Policy, sealer: Sealer, sender: WebhookSender) -> None:
        self._database = database
        self._policy = policy
        self._sealer = sealer
        self._sender = sender
        self._awake = asyncio.Event()
        self._under_way: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something may be due."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled; what is under way then is sent again by whoever comes next."""
        try:
            while True:
                self._awake.clear()
                try:
                    if await self.take_due():
                        continue
                except Fault as away:
                    log.warning("courier_waits", reason=away.code)
                except Exception:  # such as a database that is not there yet; no reason to end the service
                    log.exception("courier_failed")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), _POLL_SECONDS)
        finally:
            await end(list(self._tasks))
            await self._sender.close()

    async def take_due(self) -> bool:
        """Begins to send what is due, as far as there is room; whether anything was, so that there may be more."""
        free = _MOST_AT_ONCE - len(self._tasks)
        if not free:
            return False
        async with self._database.transaction("take_deliveries") as tx:
            # An endpoint gets its next ones when those it has are through.
            taken = await taking.take_due(
                tx,
                list(self._under_way),
                limit=min(free, self._policy.concurrency),
                lease_seconds=self._policy.lease_seconds,
            )
            if not taken:
                await give_up_what_nobody_enabled(tx, self._policy.retry_pauses)
        for errand in taken:
            self._under_way[errand.endpoint_id] += 1
            task = asyncio.create_task(self._carry(errand), name=f"webhook {errand.delivery_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(taken)

    async def _carry(self, errand: taking.Errand) -> None:
        try:
            outcome = await self._send(errand)
            attempts.add(1, {names.WEBHOOK_OUTCOME: outcome.failure or "delivered"})

            async def record(tx: UnitOfWork) -> bool:
                return await record_attempt(tx, errand.delivery_id, errand.endpoint_id, outcome, self._policy)

            if await self._database.run("record_attempt", record):
                disabled.add(1)
                log.error("webhook_endpoint_disabled", endpoint_id=str(errand.endpoint_id), partner=errand.partner)
        except Fault as away:
            # Not written down: when the lease is over it is sent again.
            log.warning("attempt_not_recorded", delivery_id=str(errand.delivery_id), reason=away.code)
        except Exception:
            log.exception("attempt_not_recorded", delivery_id=str(errand.delivery_id))
        finally:
            self._under_way[errand.endpoint_id] -= 1
            if not self._under_way[errand.endpoint_id]:
                del self._under_way[errand.endpoint_id]
            self.wake()

    async def _send(self, errand: taking.Errand) -> Outcome:
        try:
            async with self._database.transaction("open_webhook_secrets") as tx:
                secrets = await open_secrets(tx, errand.endpoint_id, self._sealer)
        except Exception as trouble:
            if is_database_trouble(trouble):
                raise
            # Such as a secret that our key does not open: it would fail for ever, so it counts as an attempt.
            log.exception("webhook_not_signed", endpoint_id=str(errand.endpoint_id), partner=errand.partner)
            return Outcome(0, NOT_SIGNED, 0)
        body = errand.content.encode()
        # Real time: receivers compare it with their own clocks.
        headers = webhook_headers(secrets, str(errand.event_id), int(time.time()), body)
        return await self._sender.send(errand.url, {"content-type": CONTENT_TYPE, **headers}, body)
