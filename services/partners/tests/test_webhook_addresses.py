"""Where webhooks go, and where they never go (GWY-05)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partners.webhooks.addresses import Destinations, RefusedAddressError, is_public
from partners.webhooks.sending import WebhookSender
from servicekit.errors import Fault

HERE = Destinations((ip_network("127.0.0.1/32"),))
# What no webhook may reach, by the networks of the IANA registries.
INSIDE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::1/128",
    "::/128",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "2001:db8::/32",
    "64:ff9b::/96",
    "2002::/16",
    "::ffff:10.0.0.0/104",
    "::ffff:127.0.0.0/104",
]


@given(st.data())
def test_no_address_inside_is_public(data: st.DataObject) -> None:
    network = ip_network(data.draw(st.sampled_from(INSIDE)))
    offset = data.draw(st.integers(0, network.num_addresses - 1))
    assert not is_public(network.network_address + offset)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_when_it_is_mapped(address: IPv4Address) -> None:
    assert is_public(IPv6Address(f"::ffff:{address}")) == is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
def test_the_public_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://169.254.169.254/latest", "webhook_address_refused"),
        ("https://[::1]/", "webhook_address_refused"),
        ("https://0x7f000001/", "webhook_address_refused"),
        ("https://2130706433/", "webhook_address_refused"),
        ("https://localhost/", "webhook_address_refused"),
        ("http://1.1.1.1/", "webhook_address_refused"),
        ("ftp://1.1.1.1/", "webhook_url_invalid"),
        ("https://user:pass@1.1.1.1/", "webhook_url_invalid"),
        ("https:///hook", "webhook_url_invalid"),
        ("https://1.1.1.1:port/", "webhook_url_invalid"),
        ("https://1.1.1.1\\@10.0.0.1/", "webhook_url_invalid"),
        ("https://1.1.1.1/ x", "webhook_url_invalid"),
        ("hook", "webhook_url_invalid"),
    ],
)
async def test_a_wrong_url_is_refused_before_anything_is_stored(destinations, url: str, code: str) -> None:
    with pytest.raises(Fault) as refusal:
        await destinations.require(url)
    assert (refusal.value.code, refusal.value.field) == (code, "url")


async def test_plain_http_and_this_machine_only_where_it_is_allowed(destinations) -> None:
    await HERE.require("http://127.0.0.1:8090/hook")
    with pytest.raises(Fault):
        await HERE.require("http://127.0.0.2:8090/hook")
    with pytest.raises(Fault):
        await destinations.require("http://127.0.0.1:8090/hook")


async def test_a_host_with_one_address_inside_is_refused_altogether(destinations, monkeypatch) -> None:
    async def both(*_: object, **__: object):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(RefusedAddressError):
        await destinations.resolve("partner.example", 443, encrypted=True)


@asynccontextmanager
async def server(answer: bytes, *, then_wait: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers every connection with the same bytes, and remembers what came."""
    heard: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if then_wait:
            await over.wait()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/hook?x=1", heard
    finally:
        over.set()
        running.close()
        await running.wait_closed()


@asynccontextmanager
async def sender(destinations: Destinations, seconds: float = 60) -> AsyncIterator[WebhookSender]:
    sending = WebhookSender(destinations, seconds)
    try:
        yield sending
    finally:
        await sending.close()


async def test_a_request_is_sent_as_it_is_with_its_headers() -> None:
    async with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, heard), sender(HERE) as sending:
        outcome = await sending.send(url, {"webhook-id": "m1", "content-type": "application/json"}, b"{}")
    assert (outcome.status, outcome.succeeded) == (204, True)
    assert heard[0].startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"webhook-id: m1\r\n" in heard[0]


async def test_nobody_is_followed_to_another_place() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    async with server(redirect) as (url, heard), sender(HERE) as sending:
        outcome = await sending.send(url, {}, b"{}")
    assert (outcome.status, outcome.failure, len(heard)) == (302, "status", 1)


async def test_an_answer_without_end_is_cut_short() -> None:
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 200_000
    async with server(endless, then_wait=True) as (url, _), sender(HERE) as sending:
        assert (await sending.send(url, {}, b"{}")).succeeded


async def test_a_receiver_that_does_not_answer_has_only_so_long() -> None:
    async with server(b"", then_wait=True) as (url, _), sender(HERE, seconds=0.2) as sending:
        outcome = await sending.send(url, {}, b"{}")
    assert (outcome.status, outcome.failure) == (0, "timeout")


async def test_the_address_is_judged_again_when_it_is_sent(destinations) -> None:
    async with server(b"") as (url, heard), sender(destinations) as sending:
        outcome = await sending.send(url, {}, b"{}")
    assert (outcome.failure, heard) == ("address_refused", [])


async def test_who_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        async with sender(HERE) as sending:
            assert (await sending.send(url, {}, b"{}")).failure == "unreachable"
