"""Who is asking and what they may do: principals, access rules; tokens.py, which few need, is imported by itself."""

from servicekit.identity.access import AccessRule, rules_of
from servicekit.identity.call import Call, caller, current_call, language
from servicekit.identity.principal import ROLES, Principal

__all__ = [
    "ROLES",
    "AccessRule",
    "Call",
    "Principal",
    "caller",
    "current_call",
    "language",
    "rules_of",
]
