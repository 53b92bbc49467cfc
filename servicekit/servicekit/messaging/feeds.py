"""Partners' feeds on the bus: a stream of their own, a durable consumer for each, and an account that reaches only it.

A partner's user must not live in the platform's own NATS account. Whoever may ask for messages names the subject that
the server answers on; inside one account that would be any subject, those of the event stream included. So each partner
has an account of its own, which imports nothing but "next message" and "acknowledge" of its own consumer.
"""

from __future__ import annotations

from typing import Any, Final

FEEDS: Final = "BIHUAN_FEEDS"
FEED_SUBJECTS: Final = "bihuan.feed.*.*.*.*.v1"

# The one service that fills feeds and makes their consumers.
FEED_SENDER: Final = "partners"

# Where the services, the gateway and the operator live on the NATS server.
PLATFORM_ACCOUNT: Final = "PLATFORM"


def feed_subject(partner: str, subject: str) -> str:
    """Where an event that travels on `subject` is passed on to a partner."""
    return f"bihuan.feed.{partner}.{subject.removeprefix('bihuan.')}"


def feed_subjects(partner: str) -> str:
    """Everything that is passed on to a partner."""
    return f"bihuan.feed.{partner}.>"


def sender_subjects() -> list[str]:
    """What the sender of feeds may publish besides what every service may."""
    return [
        "bihuan.feed.>",
        f"$JS.API.CONSUMER.CREATE.{FEEDS}.>",
        f"$JS.API.CONSUMER.INFO.{FEEDS}.*",
        f"$JS.API.CONSUMER.DELETE.{FEEDS}.*",
    ]


def platform_exports() -> list[dict[str, str]]:
    """What the platform's account offers to those of partners; each imports its own part."""
    return [
        {"service": f"$JS.API.CONSUMER.MSG.NEXT.{FEEDS}.*", "response_type": "stream"},
        {"service": f"$JS.ACK.{FEEDS}.*.>"},
    ]


def partner_accounts(password_hashes: dict[str, str]) -> dict[str, Any]:
    """Accounts of the server's configuration, one for each partner in `password_hashes` (bcrypt)."""
    return {_account_name(partner): _account(partner, password) for partner, password in password_hashes.items()}


def _account_name(partner: str) -> str:
    return f"PARTNER_{partner}"


def _account(partner: str, password_hash: str) -> dict[str, Any]:
    own = [f"$JS.API.CONSUMER.MSG.NEXT.{FEEDS}.{partner}", f"$JS.ACK.{FEEDS}.{partner}.>"]
    allowed = {"publish": {"allow": own}, "subscribe": {"allow": ["_INBOX.>"]}}
    return {
        "users": [{"user": partner, "password": password_hash, "permissions": allowed}],
        "imports": [{"service": {"account": PLATFORM_ACCOUNT, "subject": subject}} for subject in own],
    }
