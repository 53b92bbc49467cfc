"""Passwords of partners on the bus: generated here, told once, and kept as the hash that the NATS server reads."""

import secrets
from dataclasses import dataclass

import bcrypt

PASSWORD_BYTES = 24
# The cheapest that bcrypt has: 192 random bits cannot be guessed however fast, and the server pays at every connection.
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class FeedPassword:
    """`text` goes to the partner and nowhere else."""

    text: str
    hashed: str


def new_password() -> FeedPassword:
    text = secrets.token_urlsafe(PASSWORD_BYTES)
    return FeedPassword(text, bcrypt.hashpw(text.encode(), bcrypt.gensalt(_ROUNDS)).decode())
