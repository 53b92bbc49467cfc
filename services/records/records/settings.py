"""What the records service is told from outside."""

from pydantic import field_validator
from servicekit.settings import ServiceSettings

INTAKE = "intake"


class RecordsSettings(ServiceSettings):
    """`targets` must name intake, which opens sealed texts."""

    @field_validator("targets")
    @classmethod
    def _names_intake(cls, targets: dict[str, str]) -> dict[str, str]:
        if INTAKE not in targets:
            raise ValueError('must name intake, such as {"intake": "127.0.0.1:7001"}')
        return targets
