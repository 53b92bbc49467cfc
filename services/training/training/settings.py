"""What the training service is told from outside."""

from pydantic import Field
from servicekit.settings import SecretKey, ServiceSettings, bytes_of


class TrainingSettings(ServiceSettings):
    """`certificate_key` signs certificates. Whoever has it can make genuine ones."""

    certificate_key: SecretKey = Field(description="32 random bytes in base64: the Ed25519 key of certificates.")

    @property
    def certificate_key_bytes(self) -> bytes:
        return bytes_of(self.certificate_key)
