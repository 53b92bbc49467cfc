"""A partner receives webhooks: believes only what is signed and fresh, and takes each event once.

    WEBHOOK_SECRET=whsec_… python receive_webhooks.py 8090

Needs nothing but Python. In front of it belongs whatever ends TLS: the platform sends by https only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

# Older and younger requests are somebody's replay, or a clock that goes wrong.
TOLERANCE_SECONDS = 300
# Of a request nobody has verified yet.
MOST_BYTES = 1024 * 1024
MOST_DIGITS = 15
# Of those who don't end what they began to send.
PATIENCE_SECONDS = 15


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the request was signed with our secret and is fresh (Standard Webhooks, `v1`)."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not _is_number(timestamp) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = f"v1,{base64.b64encode(digest).decode()}"
    # While the secret is being changed there are two signatures, one for each.
    given = headers.get("webhook-signature", "").split(" ")
    # As bytes: what comes from outside may hold any character.
    return any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in given)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


class Receiver(ThreadingHTTPServer):
    """Prints every event that is genuine as a line of JSON, each once however often it comes."""

    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.secret = secret
        self.seen: set[str] = set()
        self._taking = Lock()

    def take(self, message_id: str, body: bytes) -> None:
        """What we do with a genuine event."""
        # Each request has a thread of its own, and the same event may come twice at once.
        with self._taking:
            if message_id not in self.seen:
                sys.stdout.write(json.dumps(json.loads(body), ensure_ascii=False) + "\n")
                self.seen.add(message_id)
                sys.stdout.flush()


class Request(BaseHTTPRequestHandler):
    """One webhook."""

    server: Receiver
    timeout = PATIENCE_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not _is_number(length):
            self._answer(411)
            return
        if int(length) > MOST_BYTES:
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_genuine(self.server.secret, headers, body, time.time()):
            self._answer(401)
            return
        self.server.take(headers["webhook-id"], body)
        # Soon: what takes long is done after the answer. Anything but 2xx means "send it again".
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the events are the output."""


if __name__ == "__main__":
    Receiver(int(sys.argv[1]), os.environ["WEBHOOK_SECRET"]).serve_forever()
