"""One form for one phone number, however it was written or signalled: `13800138000`, `+86138…`, `0086138…`. Pure.

The canonical form is the international number (ITU-T E.164) without its plus. A number without a country code is
Chinese when it looks like a Chinese mobile number, or has the trunk 0 before its area code; anything else is kept as it
came: local and service numbers (`10086`) mean nothing outside their network.
"""

import re

_CHINA = "86"
_INTERNATIONAL = re.compile(r"\+|00")
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
# An area code with the subscriber's number; people write its trunk 0 even after +86.
_FIXED = re.compile(r"0?((?:10|2\d|[3-9]\d{2})\d{7,8})", re.ASCII)


def canonical_phone(phone: str) -> str:
    """The one form of a number given as digits, with or without a leading plus."""
    prefix = _INTERNATIONAL.match(phone)
    digits = phone[prefix.end() :] if prefix else phone
    if digits.startswith(_CHINA) and (national := _chinese(digits[len(_CHINA) :])):
        return _CHINA + national
    if prefix is None and (_MOBILE.fullmatch(digits) or (digits.startswith("0") and _chinese(digits))):
        return _CHINA + _chinese(digits)
    return digits


def spellings(phone: str) -> tuple[str, ...]:
    """The canonical form first, then the forms under which a customer may have been registered before there was one."""
    canonical = canonical_phone(phone)
    national = _chinese(canonical.removeprefix(_CHINA)) if canonical.startswith(_CHINA) else ""
    if not national:
        return (canonical,)
    return (canonical, national if _MOBILE.fullmatch(national) else f"0{national}")


def _chinese(digits: str) -> str:
    """The national number without its trunk 0; empty when it is no Chinese number."""
    if _MOBILE.fullmatch(digits):
        return digits
    fixed = _FIXED.fullmatch(digits)
    return fixed[1] if fixed else ""
