"""WebhookService (GWY-05)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.partners.v1 import webhooks_pb2 as pb
from bihuan.partners.v1 import webhooks_pb2_grpc
from servicekit.creation import CreationKey
from servicekit.database import Database, UnitOfWork
from servicekit.identity import caller
from servicekit.rpc.paging import PageToken, narrowed
from servicekit.sealing import Sealer

from partners.access import require_own
from partners.policy import Policy
from partners.registry.queries import find_partner
from partners.rpc.messages import delivery_message, endpoint_message, state_of
from partners.webhooks import deliveries, endpoints, queries
from partners.webhooks.addresses import Destinations
from partners.webhooks.courier import Courier
from partners.webhooks.delivery import Delivery, State

DEFAULT_PAGE = 50
ENDPOINTS = "webhook_endpoints"
DELIVERIES = "webhook_deliveries"

Context = grpc.aio.ServicerContext[Any, Any]


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    def __init__(
        self, database: Database, policy: Policy, sealer: Sealer, destinations: Destinations, courier: Courier
    ) -> None:
        self._database = database
        self._policy = policy
        self._sealer = sealer
        self._destinations = destinations
        self._courier = courier

    async def CreateEndpoint(self, request: pb.CreateEndpointRequest, context: Context) -> pb.EndpointWithSecret:
        principal = caller(context)
        require_own(principal, request.partner)
        # Asks the name service: before the transaction, not in it.
        await self._destinations.require(request.url)
        endpoint, secret = await self._database.run(
            "create_endpoint",
            lambda tx: endpoints.create_endpoint(
                tx,
                request.partner,
                request.url,
                list(request.event_types),
                wanted=CreationKey.of(request),
                principal=principal,
                sealer=self._sealer,
            ),
        )
        return pb.EndpointWithSecret(endpoint=endpoint_message(endpoint), secret=secret)

    async def GetEndpoint(self, request: pb.GetEndpointRequest, context: Context) -> pb.Endpoint:
        require_own(caller(context), request.partner)
        async with self._database.transaction("get_endpoint") as tx:
            return endpoint_message(await queries.find_endpoint(tx, request.partner, UUID(request.endpoint_id)))

    async def ListEndpoints(self, request: pb.ListEndpointsRequest, context: Context) -> pb.ListEndpointsResponse:
        require_own(caller(context), request.partner)
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(ENDPOINTS, request), request.page_token)
        async with self._database.transaction("list_endpoints") as tx:
            await find_partner(tx, request.partner)
            found = await queries.list_endpoints(tx, request.partner, after=key[0] if key else None, limit=size + 1)
        page = found[:size]
        more = PageToken.encode(narrowed(ENDPOINTS, request), page[-1].endpoint_id) if len(found) > size else ""
        return pb.ListEndpointsResponse(
            endpoints=[endpoint_message(endpoint) for endpoint in page], next_page_token=more
        )

    async def EnableEndpoint(self, request: pb.EnableEndpointRequest, context: Context) -> pb.Endpoint:
        principal = caller(context)
        endpoint = await self._database.run(
            "enable_endpoint",
            lambda tx: endpoints.enable_endpoint(
                tx,
                request.partner,
                UUID(request.endpoint_id),
                expected_version=request.expected_version,
                principal=principal,
            ),
        )
        return endpoint_message(endpoint)

    async def DisableEndpoint(self, request: pb.DisableEndpointRequest, context: Context) -> pb.Endpoint:
        principal = caller(context)
        endpoint = await self._database.run(
            "disable_endpoint",
            lambda tx: endpoints.disable_endpoint(
                tx,
                request.partner,
                UUID(request.endpoint_id),
                expected_version=request.expected_version,
                principal=principal,
            ),
        )
        return endpoint_message(endpoint)

    async def RotateSecret(self, request: pb.RotateSecretRequest, context: Context) -> pb.EndpointWithSecret:
        principal = caller(context)
        endpoint, secret = await self._database.run(
            "rotate_secret",
            lambda tx: endpoints.rotate_secret(
                tx,
                request.partner,
                UUID(request.endpoint_id),
                expected_version=request.expected_version,
                principal=principal,
                policy=self._policy,
                sealer=self._sealer,
            ),
        )
        return pb.EndpointWithSecret(endpoint=endpoint_message(endpoint), secret=secret)

    async def TestEndpoint(self, request: pb.TestEndpointRequest, context: Context) -> pb.Delivery:
        principal = caller(context)

        async def test(tx: UnitOfWork) -> Delivery:
            tx.after_commit(self._courier.wake)
            return await deliveries.test_endpoint(tx, request.partner, UUID(request.endpoint_id), principal=principal)

        return delivery_message(await self._database.run("test_endpoint", test))

    async def GetDelivery(self, request: pb.GetDeliveryRequest, context: Context) -> pb.Delivery:
        require_own(caller(context), request.partner)
        async with self._database.transaction("get_delivery") as tx:
            found = await queries.find_delivery(tx, request.partner, UUID(request.delivery_id))
        return delivery_message(found, with_content=True)

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Context) -> pb.ListDeliveriesResponse:
        require_own(caller(context), request.partner)
        size = request.page_size or DEFAULT_PAGE
        key = PageToken.decode(narrowed(DELIVERIES, request), request.page_token)
        async with self._database.transaction("list_deliveries") as tx:
            await find_partner(tx, request.partner)
            found = await queries.list_deliveries(
                tx,
                request.partner,
                state=state_of(State, pb.DeliveryState, request.state),
                before=key[0] if key else None,
                limit=size + 1,
            )
        page = found[:size]
        more = PageToken.encode(narrowed(DELIVERIES, request), page[-1].delivery_id) if len(found) > size else ""
        return pb.ListDeliveriesResponse(
            deliveries=[delivery_message(delivery) for delivery in page], next_page_token=more
        )

    async def Redeliver(self, request: pb.RedeliverRequest, context: Context) -> pb.Delivery:
        principal = caller(context)

        async def again(tx: UnitOfWork) -> Delivery:
            tx.after_commit(self._courier.wake)
            return await deliveries.redeliver(tx, request.partner, UUID(request.delivery_id), principal=principal)

        return delivery_message(await self._database.run("redeliver", again))
