"""Messages between services: out by the outbox and its relay, in by durable consumers and the inbox."""

from servicekit.messaging.bus import Bus
from servicekit.messaging.reactions import Happening, NotYet, Reactions, Received

__all__ = ["Bus", "Happening", "NotYet", "Reactions", "Received"]
