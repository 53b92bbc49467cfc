"""How much travels in one message, agreed between client and server."""

from typing import Final

# What either side takes in one message.
MOST_MESSAGE_BYTES: Final = 8 * 1024 * 1024
# Calls that travel together. A larger one goes alone, so that all of them stay far below what a message holds.
MOST_CALLS_TOGETHER: Final = 64
MOST_CARRIED_BYTES: Final = 64 * 1024
# Answers that are ready in one moment share a message up to here. A larger one has its own.
MOST_SHARED_BYTES: Final = 1024 * 1024
