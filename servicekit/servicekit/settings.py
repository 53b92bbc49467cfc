"""What a process is told from outside: environment variables with the prefix `BIHUAN_`."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_BYTES = 32


def _is_a_key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:
        raise ValueError("must be base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes, not {len(key)}")
    return value


# 32 bytes in base64.
SecretKey = Annotated[SecretStr, AfterValidator(_is_a_key)]


def bytes_of(key: SecretStr) -> bytes:
    """The bytes of a SecretKey."""
    return base64.b64decode(key.get_secret_value())


class ProcessSettings(BaseSettings):
    """What every process of ours needs, whether it has a database or not."""

    model_config = SettingsConfigDict(env_prefix="BIHUAN_", extra="ignore", frozen=True)

    oidc_issuer: str = Field(description="The `iss` that tokens must carry.")
    oidc_audience: str = Field("bihuan", description="The `aud` that tokens must carry.")
    oidc_jwks: str = Field(description="Where the issuer's public keys are: a file path or an https URL.")
    standards_dir: Path | None = Field(None, description="The operator's own standards; else the built-in ones.")
    targets: dict[str, str] = Field(default_factory=dict, description="gRPC address of each service, as JSON.")
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    drain_seconds: float = Field(10, gt=0, description="How long running calls may take to end after SIGTERM.")
    span_store: Path | None = Field(None, description="SQLite file that keeps spans here, for `bihuan trace`.")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="Share of new request traces that is sampled.")
    metrics_listen: str = Field("", description="host:port to serve Prometheus metrics on; empty: off.")


class ServiceSettings(ProcessSettings):
    """What a service with its own database and bus account needs."""

    database_url: SecretStr = Field(description="postgresql+asyncpg://role:password@host:port/database")
    database_pool: int = Field(10, ge=2, le=200, description="Most connections at once.")
    nats_url: str = Field(description="nats://host:port")
    nats_user: str = ""
    nats_password: SecretStr = SecretStr("")
    grpc_listen: str = Field("127.0.0.1:0", description="host:port to serve gRPC on; port 0 takes a free one.")
    clock_adjustable: bool = Field(
        default=False, description="Platform time can be advanced by `bihuan clock`; never in production."
    )
    master_key: SecretKey = Field(description="32 random bytes in base64: wraps the customers' keys.")
    relay_batch: int = Field(500, ge=1, le=5000, description="Outbox rows published in one go.")
    consumer_concurrency: int = Field(8, ge=1, le=64, description="Cases whose events are handled side by side.")

    @property
    def master_key_bytes(self) -> bytes:
        return bytes_of(self.master_key)


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """Reads `kind` from the environment, or ends the process with every wrong variable named (exit status 2)."""
    try:
        return kind()
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False, include_input=False):
            variable = "BIHUAN_" + "_".join(str(part) for part in error["loc"]).upper()
            sys.stderr.write(f"{variable}: {error['msg']}\n")
        raise SystemExit(2) from None
