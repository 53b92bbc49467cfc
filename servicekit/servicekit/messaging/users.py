"""Who the platform's own users on the bus are: each process by its name, and the operator. A partner bears none of
these names: the server refuses a configuration with two users of one name, and would not start again."""

from typing import Final

SERVICES: Final = ("intake", "dispatch", "complaints", "records", "training", "quality", "partners")
GATEWAY: Final = "gateway"
# Provisions the streams and looks into everything: the `bihuan` command.
OPERATOR: Final = "operator"

USERS: Final = frozenset({*SERVICES, GATEWAY, OPERATOR})
