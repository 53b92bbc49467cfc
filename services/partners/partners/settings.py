"""What the partners service is told from outside."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field
from servicekit.settings import ServiceSettings


class PartnersSettings(ServiceSettings):
    """`webhook_allowed` opens a door that is closed for a reason: never set it where partners are real."""

    webhook_allowed: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks, as JSON, to which webhooks may go although they are private, there also by plain http; "
        "for tests and demonstrations.",
    )
    bus_accounts: Path | None = Field(
        None, description="File that the NATS server's configuration takes the accounts of partners from; empty: none."
    )
