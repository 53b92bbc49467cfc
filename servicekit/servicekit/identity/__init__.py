"""Who is asking and what they may do: principals, tokens, access rules."""

from servicekit.identity.access import AccessRule, rules_of
from servicekit.identity.call import Call, caller, current_call, language
from servicekit.identity.principal import ROLES, Principal
from servicekit.identity.tokens import TokenVerifier

__all__ = [
    "ROLES",
    "AccessRule",
    "Call",
    "Principal",
    "TokenVerifier",
    "caller",
    "current_call",
    "language",
    "rules_of",
]
