"""Personal data as much as somebody needs to see of it (REC-05). Pure."""

MASK = "*"
_SHOWN_DIGITS = 4


def mask_name(name: str) -> str:
    """`张**`, `A**`: the beginning, and nothing about its length."""
    return f"{name[:1]}{MASK * 2}" if name else ""


def mask_phone(phone: str) -> str:
    """`*******5678`: enough to recognise a number that one knows."""
    return f"{MASK * max(0, len(phone) - _SHOWN_DIGITS)}{phone[-_SHOWN_DIGITS:]}" if phone else ""


def mask_email(email: str) -> str:
    """`a***@example.com`"""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}{MASK * 3}{at}{domain}" if email else ""
