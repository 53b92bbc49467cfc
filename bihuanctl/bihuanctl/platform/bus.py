"""The operator's place on the bus: found in `.bihuan/run/bus.json`, where the supervisor left it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
from nats.js import JetStreamContext
from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer
from servicekit.messaging.bus import Bus
from servicekit.messaging.streams import OPERATOR

from bihuanctl.platform.files import write_atomically
from bihuanctl.refusal import Refusal

CONNECT_PATIENCE = 3.0


class BusLogin(BaseModel):
    """Where the bus is, and as whom to go there."""

    model_config = ConfigDict(frozen=True)

    url: str
    user: str
    password: SecretStr

    @field_serializer("password")
    def _written_out(self, password: SecretStr) -> str:
        return password.get_secret_value()


def write_login(path: Path, login: BusLogin) -> None:
    write_atomically(path, login.model_dump_json() + "\n")


@asynccontextmanager
async def operator_bus(login_file: Path) -> AsyncIterator[JetStreamContext]:
    """JetStream as the operator, who may do everything. Raises Refusal `not_running` or `bus_away`."""
    login = _read_login(login_file)
    async with Bus(login.url, service=OPERATOR, user=login.user, password=login.password.get_secret_value()) as bus:
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                connection = await bus.connected()
            yield connection.jetstream
        except (TimeoutError, nats.errors.Error) as error:
            raise Refusal("bus_away", reason=str(error) or type(error).__name__) from None


def _read_login(path: Path) -> BusLogin:
    try:
        return BusLogin.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal("not_running") from None
