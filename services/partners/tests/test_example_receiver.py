"""The receiver that partners begin from withstands what anybody may send it (GWY-05)."""

import http.client
import importlib.util
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partners.webhooks.signing import new_secret, webhook_headers

SECRET = new_secret()
BODY = b'{"type": "bihuan.intake.v1.CaseOpened"}'


def load_example() -> ModuleType:
    path = Path(__file__).parents[3] / "examples" / "partner" / "receive_webhooks.py"
    spec = importlib.util.spec_from_file_location("receive_webhooks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = load_example()


@pytest.fixture
def port() -> Iterator[int]:
    server = example.Receiver(0, SECRET)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def post(port: int, headers: dict[str, str], body: bytes = BODY) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def signed(message_id: str = "m1") -> dict[str, str]:
    return webhook_headers([SECRET], message_id, int(time.time()), BODY)


@given(signature=st.text(st.characters(codec="latin-1")), stamp=st.text(st.characters(codec="latin-1")) | st.integers())
def test_no_header_breaks_it_and_none_is_believed(signature: str, stamp: str | int) -> None:
    headers = {"webhook-id": "m1", "webhook-timestamp": str(stamp), "webhook-signature": signature}
    assert not example.is_genuine(SECRET, headers, BODY, time.time())
    assert not example.is_genuine(SECRET, {**signed(), "webhook-signature": signature}, BODY, time.time())
    assert not example.is_genuine(SECRET, {**signed(), "webhook-timestamp": "9" * 5000}, BODY, time.time())


@pytest.mark.parametrize(
    ("length", "status"), [("1048577", 413), ("9" * 15, 413), ("-1", 411), ("many", 411), ("9" * 5000, 411)]
)
def test_what_is_too_long_is_not_read(port: int, length: str, status: int) -> None:
    assert post(port, {**signed(), "content-length": length}) == status


def test_a_signature_beyond_ascii_is_refused_and_one_of_ours_taken(port: int) -> None:
    assert post(port, {**signed(), "webhook-signature": "v1,é"}) == 401
    assert post(port, signed()) == 204


def test_the_same_event_many_times_at_once_is_taken_once(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(4) as senders:
        statuses = list(senders.map(lambda _: post(port, signed()), range(64)))
    assert set(statuses) == {204}
    assert len(capsys.readouterr().out.splitlines()) == 1
