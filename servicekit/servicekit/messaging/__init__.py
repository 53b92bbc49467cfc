"""Messages between services: out by the outbox and its relay, in by durable consumers and the inbox."""

from servicekit.messaging.bus import Bus
from servicekit.messaging.reactions import NotYet, Reactions, Received

__all__ = ["Bus", "NotYet", "Reactions", "Received"]
