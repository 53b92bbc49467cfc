"""What the gateway is told from outside: environment variables with the prefix `BIHUAN_`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from servicekit.settings import ProcessSettings, SecretKey


class GatewaySettings(ProcessSettings):
    """Settings of the gateway. `targets` names the gRPC address of every service whose contract it serves."""

    http_listen: str = Field("127.0.0.1:8080", description="host:port to serve HTTP on; port 0 takes a free one.")
    public_url: str = Field("", description="Where clients reach the gateway; empty: http:// and http_listen.")
    issuer_dir: Path | None = Field(
        None, description="Folder of the built-in OIDC issuer, made by `python -m gateway issuer-init`; empty: off."
    )
    request_seconds: float = Field(10, gt=0, le=120, description="How long a service may take for one answer.")
    most_body_bytes: int = Field(262_144, ge=1024, description="Larger request bodies are refused.")
    person_rate: float = Field(300, gt=0, description="Requests per second of one signed-in person.")
    client_rate: float = Field(5_000, gt=0, description="Requests per second of one channel or partner system.")
    anonymous_rate: float = Field(50, gt=0, description="Requests per second of one address without a valid token.")

    hotline_key: SecretKey | None = Field(
        None, description="32 random bytes in base64: seals where a call of the hotline stands; empty: no hotline."
    )
    hotline_agents: str = Field(
        "",
        pattern=r"^((tel|sip|sips):\S+)?$",
        description="Where calls go that want an agent; empty: agents call back.",
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _port_is_known(self) -> Self:
        host, _, port = self.http_listen.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("http_listen must be host:port")
        if port == "0" and not self.public_url:
            raise ValueError("public_url is needed when http_listen takes a free port")
        return self

    @property
    def base_url(self) -> str:
        """Where clients reach the gateway, without a slash at the end."""
        return self.public_url or f"http://{self.http_listen}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.http_listen.rpartition(":")
        return host.strip("[]"), int(port)
