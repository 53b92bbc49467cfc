"""`python -m servicekit.messaging.provision`: streams and the clock's bucket, as the operator, on any NATS.

For a platform that no supervisor starts. Waits for NATS; doing it again changes nothing.
"""

from __future__ import annotations

import asyncio
import sys

from nats.js.errors import APIError
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.messaging.bus import Bus
from servicekit.messaging.streams import OPERATOR, STREAMS, provision
from servicekit.settings import read_settings

PATIENCE_SECONDS = 60.0


class ProvisionSettings(BaseSettings):
    """Where the bus is, and how often each message is kept there."""

    model_config = SettingsConfigDict(env_prefix="BIHUAN_", extra="ignore", frozen=True)

    nats_url: str = Field(description="nats://host:port")
    nats_user: str = OPERATOR
    nats_password: SecretStr = SecretStr("")
    stream_replicas: int = Field(1, ge=1, le=5, description="Servers that keep each stream; no more than there are.")


async def provision_streams(settings: ProvisionSettings) -> None:
    """Raises TimeoutError when NATS does not come, APIError when it refuses."""
    password = settings.nats_password.get_secret_value()
    async with Bus(settings.nats_url, service=OPERATOR, user=settings.nats_user, password=password) as bus:
        async with asyncio.timeout(PATIENCE_SECONDS):
            connection = await bus.connected()
        await provision(connection.jetstream, replicas=settings.stream_replicas)


def main() -> None:
    """Exit status 1 when NATS is away or refuses; whoever started this tries again."""
    settings = read_settings(ProvisionSettings)
    try:
        asyncio.run(provision_streams(settings))
    except (TimeoutError, APIError) as wrong:
        sys.stderr.write(f"{settings.nats_url}: {wrong or 'no connection'}\n")
        raise SystemExit(1) from None
    sys.stdout.write(f"{', '.join(stream.name for stream in STREAMS)}: {settings.stream_replicas} replicas\n")


if __name__ == "__main__":
    main()
