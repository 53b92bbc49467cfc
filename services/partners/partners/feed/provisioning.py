"""Keeping the bus in step with the partners: a durable consumer for each, and the accounts that let them in."""

import asyncio
import contextlib
import json
from pathlib import Path

import nats.js.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from servicekit.database import Database
from servicekit.database.trouble import is_database_trouble
from servicekit.embedded.remembered import write_private
from servicekit.errors import Fault
from servicekit.messaging import Bus, Reactions
from servicekit.messaging.feeds import FEEDS, feed_subjects, partner_accounts
from servicekit.messaging.trouble import is_bus_trouble
from servicekit.messaging.users import USERS

from partners.registry.partner import Partner, State
from partners.registry.queries import all_partners

# Besides being woken: what another replica has changed, and what could not be done a moment ago.
_INTERVAL_SECONDS = 2.0
_ACK_WAIT_SECONDS = 30.0
# Events that a partner may have fetched and not acknowledged.
_MOST_UNDER_WAY = 1_000

log = structlog.get_logger(__name__)


class FeedProvisioner:
    """Does again and again what is not done yet, so that it survives restarts of everything.

    While nobody is a partner nothing is heard either. The events wait on the stream, and nothing that follows the first
    registration is missed; those before it are only good for the regions that they bring.
    """

    def __init__(self, database: Database, bus: Bus, accounts: Path | None, reactions: Reactions) -> None:
        """`accounts`: the file that the NATS server takes the partners' accounts from; None: somebody else's affair."""
        self._database = database
        self._bus = bus
        self._reactions = reactions
        self._accounts = accounts
        self._awake = asyncio.Event()
        # What is known to be on the bus as it must be.
        self._settled: dict[str, State] = {}

    def wake(self) -> None:
        """A partner has come, changed or gone."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled; PostgreSQL and NATS may come and go."""
        while True:
            self._awake.clear()
            try:
                await self._provision()
            except Exception as error:  # such as a database that is not there yet; no reason to end the service
                if isinstance(error, (Fault, OSError)) or is_bus_trouble(error) or is_database_trouble(error):
                    log.warning("feeds_wait", reason=str(error))
                else:
                    log.exception("feeds_not_provisioned")
                self._settled.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), _INTERVAL_SECONDS)

    async def _provision(self) -> None:
        async with self._database.transaction("provision_feeds") as tx:
            partners = await all_partners(tx)
        # Of one that is suspended as well: what happens meanwhile is heard now, so that it is not told afterwards.
        if any(partner.state != State.ENDED for partner in partners):
            self._reactions.attend()
        else:
            self._reactions.rest()
        jetstream = (await self._bus.connected()).jetstream
        for partner in partners:
            if self._settled.get(partner.partner) != partner.state:
                await _provision_consumer(jetstream, partner)
                self._settled[partner.partner] = partner.state
        self._write_accounts(partners)

    def _write_accounts(self, partners: list[Partner]) -> None:
        # Last: who can sign in finds the consumer there.
        text = bus_accounts(partners)
        if self._accounts is not None and text != _content(self._accounts):
            write_private(self._accounts, text)
            log.info("bus_accounts_written", partners=len(partners))


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def bus_accounts(partners: list[Partner]) -> str:
    """The accounts of those who may read their feed now, as the NATS server's configuration includes them."""
    # A service that came later may bear a partner's name: better one partner outside than the whole bus down.
    let_in = [partner for partner in partners if partner.state == State.ACTIVE and partner.partner not in USERS]
    hashes = {partner.partner: partner.feed_password_hash for partner in let_in}
    return json.dumps(partner_accounts(hashes), indent=2)


def consumer_config(partner: str) -> ConsumerConfig:
    """The durable consumer of a partner: from the first event on, each until it is acknowledged."""
    return ConsumerConfig(
        name=partner,
        durable_name=partner,
        filter_subject=feed_subjects(partner),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT_SECONDS,
        max_ack_pending=_MOST_UNDER_WAY,
        max_deliver=-1,
    )


async def _provision_consumer(jetstream: JetStreamContext, partner: Partner) -> None:
    if partner.state == State.ENDED:
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await jetstream.delete_consumer(FEEDS, partner.partner)
    else:
        # Made again with the same configuration, it keeps its place.
        await jetstream.add_consumer(FEEDS, consumer_config(partner.partner))
