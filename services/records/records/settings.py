"""What the records service is told from outside."""

from pydantic import field_validator
from servicekit.settings import ServiceSettings

INTAKE = "intake"
COMPLAINTS = "complaints"


class RecordsSettings(ServiceSettings):
    """`targets` must name intake and complaints, which open the texts that they sealed."""

    @field_validator("targets")
    @classmethod
    def _names_keyholders(cls, targets: dict[str, str]) -> dict[str, str]:
        for service in (INTAKE, COMPLAINTS):
            if service not in targets:
                raise ValueError(f'must name {service}, such as {{"{service}": "127.0.0.1:7001"}}')
        return targets
