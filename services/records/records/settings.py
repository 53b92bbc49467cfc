"""What the records service is told from outside."""

from pydantic import Field, field_validator
from servicekit.settings import SecretKey, ServiceSettings, bytes_of

INTAKE = "intake"
COMPLAINTS = "complaints"


class RecordsSettings(ServiceSettings):
    """`targets` must name intake and complaints, which open the texts that they sealed.

    `log_key` signs the heads of the log: whoever has it and the database can rewrite the log.
    """

    log_key: SecretKey = Field(description="32 random bytes in base64: the Ed25519 key of the log's heads.")

    @property
    def log_key_bytes(self) -> bytes:
        return bytes_of(self.log_key)

    @field_validator("targets")
    @classmethod
    def _names_keyholders(cls, targets: dict[str, str]) -> dict[str, str]:
        for service in (INTAKE, COMPLAINTS):
            if service not in targets:
                raise ValueError(f'must name {service}, such as {{"{service}": "127.0.0.1:7001"}}')
        return targets
