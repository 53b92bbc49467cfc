"""What the training service is told from outside."""

import base64

from pydantic import Field, SecretStr, field_validator
from servicekit.settings import ServiceSettings

KEY_BYTES = 32


class TrainingSettings(ServiceSettings):
    """`certificate_key` signs certificates. Whoever has it can make genuine ones."""

    certificate_key: SecretStr = Field(description="32 random bytes in base64: the Ed25519 key of certificates.")

    @field_validator("certificate_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            key = base64.b64decode(value.get_secret_value(), validate=True)
        except ValueError:
            raise ValueError("must be base64") from None
        if len(key) != KEY_BYTES:
            raise ValueError(f"must be {KEY_BYTES} bytes, not {len(key)}")
        return value

    @property
    def certificate_key_bytes(self) -> bytes:
        return base64.b64decode(self.certificate_key.get_secret_value())
