"""Builds partners and runs it: `python -m partners` serves, `python -m partners migrate` updates the database."""

from bihuan.partners.v1.partners_pb2_grpc import add_PartnerServiceServicer_to_server
from bihuan.partners.v1.webhooks_pb2_grpc import add_WebhookServiceServicer_to_server
from servicekit.service import Platform, Service, run

from partners.clocks import build_clocks
from partners.facts import entity_facts
from partners.feed.provisioning import FeedProvisioner
from partners.policy import Policy
from partners.pruning import build_prunings
from partners.reactions import build_reactions
from partners.rpc.partners import PartnerServicer
from partners.rpc.webhooks import WebhookServicer
from partners.settings import PartnersSettings
from partners.webhooks.addresses import Destinations
from partners.webhooks.courier import Courier
from partners.webhooks.sending import WebhookSender


def build(settings: PartnersSettings) -> Service:
    """Nothing is connected yet when it returns."""
    platform = Platform.create("partners", settings)
    database, policy, sealer = platform.database, Policy.of(platform.standards), platform.sealer
    destinations = Destinations(settings.webhook_allowed)
    courier = Courier(database, policy, sealer, WebhookSender(destinations, policy.request_seconds))
    reactions = build_reactions(courier.wake)
    provisioner = FeedProvisioner(database, platform.bus, settings.bus_accounts, reactions)
    return Service(
        platform,
        servicers=[
            (add_PartnerServiceServicer_to_server, PartnerServicer(database, policy, provisioner)),
            (add_WebhookServiceServicer_to_server, WebhookServicer(database, policy, sealer, destinations, courier)),
        ],
        reactions=reactions,
        deadlines=build_clocks(provisioner.wake),
        entity_facts=entity_facts,
        prunings=build_prunings(policy),
        background={"feeds": provisioner.run, "courier": courier.run},
        handles_together=True,
    )


if __name__ == "__main__":
    run(build, PartnersSettings)
