"""PartnerService (GWY-05)."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio
from bihuan.partners.v1 import partners_pb2 as pb
from bihuan.partners.v1 import partners_pb2_grpc
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed

from partners.access import require_own
from partners.feed.provisioning import FeedProvisioner, bus_accounts
from partners.policy import Policy
from partners.registry import commands, queries
from partners.registry.partner import Partner, State
from partners.rpc.messages import feed_message, partner_message, scope_of, state_of

DEFAULT_PAGE = 50
LISTING = "partners"

Context = grpc.aio.ServicerContext[Any, Any]


class PartnerServicer(partners_pb2_grpc.PartnerServiceServicer):
    def __init__(self, database: Database, policy: Policy, provisioner: FeedProvisioner) -> None:
        self._database = database
        self._policy = policy
        self._provisioner = provisioner

    async def RegisterPartner(self, request: pb.RegisterPartnerRequest, context: Context) -> pb.RegisterPartnerResponse:
        principal = caller(context)

        async def register(tx: UnitOfWork) -> pb.RegisterPartnerResponse:
            partner, password = await commands.register_partner(
                tx,
                request.partner,
                request.display_name,
                scope_of(request.scope),
                principal=principal,
                policy=self._policy,
            )
            tx.after_commit(self._provisioner.wake)
            view = (await queries.describe(tx, [partner]))[0]
            feed = feed_message(partner, password.text if password else "")
            return pb.RegisterPartnerResponse(partner=partner_message(view), feed=feed)

        return await self._database.run("register_partner", register)

    async def GetPartner(self, request: pb.GetPartnerRequest, context: Context) -> pb.Partner:
        async with self._database.transaction("get_partner") as tx:
            return partner_message(await queries.get_partner(tx, request.partner, caller(context)))

    async def ListPartners(self, request: pb.ListPartnersRequest, context: Context) -> pb.ListPartnersResponse:
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(LISTING, request), request.page_token)
        async with self._database.transaction("list_partners") as tx:
            found = await queries.list_partners(
                tx,
                caller(context),
                state=state_of(State, pb.PartnerState, request.state),
                after=key[0] if key else "",
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(LISTING, request), page[-1].partner.partner) if len(found) > size else ""
        return pb.ListPartnersResponse(partners=[partner_message(view) for view in page], next_page_token=more)

    async def ChangeScope(self, request: pb.ChangeScopeRequest, context: Context) -> pb.Partner:
        principal = caller(context)
        return await self._change(
            "change_scope",
            lambda tx: commands.change_scope(
                tx,
                request.partner,
                scope_of(request.scope),
                expected_version=request.expected_version,
                principal=principal,
                policy=self._policy,
            ),
        )

    async def SuspendPartner(self, request: pb.SuspendPartnerRequest, context: Context) -> pb.Partner:
        principal, version = caller(context), request.expected_version
        return await self._change(
            "suspend_partner",
            lambda tx: commands.suspend_partner(tx, request.partner, expected_version=version, principal=principal),
        )

    async def ResumePartner(self, request: pb.ResumePartnerRequest, context: Context) -> pb.Partner:
        principal, version = caller(context), request.expected_version
        return await self._change(
            "resume_partner",
            lambda tx: commands.resume_partner(tx, request.partner, expected_version=version, principal=principal),
        )

    async def EndPartner(self, request: pb.EndPartnerRequest, context: Context) -> pb.Partner:
        principal = caller(context)
        return await self._change(
            "end_partner",
            lambda tx: commands.end_partner(
                tx,
                request.partner,
                reason=request.reason,
                expected_version=request.expected_version,
                principal=principal,
            ),
        )

    async def GetFeedAccess(self, request: pb.GetFeedAccessRequest, context: Context) -> pb.FeedAccess:
        require_own(caller(context), request.partner)
        async with self._database.transaction("get_feed_access") as tx:
            return feed_message(await queries.find_partner(tx, request.partner))

    async def RotateFeedPassword(self, request: pb.RotateFeedPasswordRequest, context: Context) -> pb.FeedAccess:
        principal = caller(context)

        async def rotate(tx: UnitOfWork) -> pb.FeedAccess:
            partner, password = await commands.rotate_feed_password(
                tx, request.partner, expected_version=request.expected_version, principal=principal
            )
            tx.after_commit(self._provisioner.wake)
            return feed_message(partner, password.text)

        return await self._database.run("rotate_feed_password", rotate)

    async def GetBusAccounts(self, _request: pb.GetBusAccountsRequest, _context: Context) -> pb.BusAccounts:
        async with self._database.transaction("get_bus_accounts") as tx:
            return pb.BusAccounts(configuration=bus_accounts(await queries.all_partners(tx)))

    async def _change(self, use_case: str, change: Callable[[UnitOfWork], Awaitable[Partner]]) -> pb.Partner:
        """Carries out one change and has the bus brought in step with it."""

        async def work(tx: UnitOfWork) -> queries.View:
            changed = await change(tx)
            tx.after_commit(self._provisioner.wake)
            return (await queries.describe(tx, [changed]))[0]

        return partner_message(await self._database.run(use_case, work))
