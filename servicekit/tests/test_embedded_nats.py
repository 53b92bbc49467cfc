"""The embedded NATS server: its users, its data over a crash, its ports."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from servicekit.embedded.nats import EmbeddedNats
from servicekit.messaging import Bus
from servicekit.messaging.streams import EVENTS, OPERATOR, provision
from servicekit.testing.nats import connect
from servicekit.testing.waiting import eventually
from structlog.testing import capture_logs


async def test_acknowledged_messages_survive_a_crash(tmp_path: Path) -> None:
    first = EmbeddedNats(tmp_path, ["intake"])
    await first.start()
    assert await first.is_healthy()
    async with connect(first, OPERATOR) as operator:
        jetstream = (await operator.connected()).jetstream
        await provision(jetstream)
        for _ in range(10):
            await jetstream.publish("bihuan.intake.case.opened.v1", b"{}")
        os.kill(first.pid, signal.SIGKILL)
        await first.process.wait(5)
        assert not await first.is_healthy()

        second = EmbeddedNats(tmp_path, ["intake", "dispatch"])  # a service more than before
        await second.start()
        try:
            assert second.url == first.url
            assert second.password("intake") == first.password("intake")
            await eventually(lambda: operator.is_connected)
            info = await (await operator.connected()).jetstream.stream_info(EVENTS)
            assert info.state.messages == 10
            async with connect(second, "dispatch") as dispatch:
                await dispatch.connected()
        finally:
            await second.stop()


async def test_streams_of_a_home_that_is_older_than_accounts_are_taken_over(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, [], durable=False)
    streams = tmp_path / "jetstream" / "jetstream"
    for start in range(2):
        await server.start()
        async with connect(server, OPERATOR) as operator:
            jetstream = (await operator.connected()).jetstream
            await provision(jetstream)
            assert (await jetstream.stream_info(EVENTS)).state.messages == start
            await jetstream.publish("bihuan.intake.case.opened.v1", b"{}")
        await server.stop()
        if not start:
            # The server's nameless account, where everything lay before.
            (streams / "PLATFORM").rename(streams / "$G")


async def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    home = tmp_path / '我的 "平台" \\ $HOME'
    home.mkdir()
    server = EmbeddedNats(home, ["intake"])
    await server.start()
    try:
        assert await server.is_healthy()
        assert (home / "jetstream").is_dir()
    finally:
        await server.stop()


async def test_starting_again_ends_what_a_killed_parent_left(tmp_path: Path) -> None:
    left = EmbeddedNats(tmp_path, ["intake"])
    await left.start()
    again = EmbeddedNats(tmp_path, ["intake"])
    await again.start()
    try:
        assert left.process.returncode is not None
        assert await again.is_healthy()
    finally:
        await again.stop()


async def test_files_that_a_power_cut_emptied_are_no_obstacle(tmp_path: Path) -> None:
    for name in ("port", "monitoring-port", "nats.pid"):
        (tmp_path / name).touch()
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    await server.stop()


def told(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["error"] for line in lines if line["event"] == "bus_away"]


async def test_a_wrong_password_is_told_once_while_the_bus_goes_on_trying(nats_server: EmbeddedNats) -> None:
    with capture_logs() as lines:
        async with Bus(nats_server.url, service="intake", user="intake", password="guess"):
            await eventually(lambda: any("Authorization" in error for error in told(lines)))
            await asyncio.sleep(1)  # several more attempts
    assert len(told(lines)) == len(set(told(lines)))


async def test_nobody_comes_in_without_a_password(nats_server: EmbeddedNats) -> None:
    for user, password in [("", ""), ("intake", "guess"), ("intake", ""), (OPERATOR, "")]:
        async with Bus(nats_server.url, service="intake", user=user, password=password) as bus:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bus.connected(), 0.5)


async def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    await server.stop()
    for name in ("nats.conf", "passwords.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert server.password("intake") not in (tmp_path / "nats.log").read_text()


async def test_bus_comes_in_once_the_password_is_right(tmp_path: Path) -> None:
    """Services, NATS and their settings may come in any order."""
    server = EmbeddedNats(tmp_path, ["intake"])
    await server.start()
    right = server.password("intake")
    await server.stop()
    (tmp_path / "passwords.json").write_text('{"intake": "other"}')
    wrong = EmbeddedNats(tmp_path, ["intake"])
    await wrong.start()
    async with Bus(wrong.url, service="intake", user="intake", password=right) as bus:
        await asyncio.sleep(0.5)
        assert not bus.is_connected
        await wrong.stop()
        (tmp_path / "passwords.json").write_text(f'{{"intake": "{right}"}}')
        await server.start()
        try:
            await bus.connected()
        finally:
            await server.stop()


async def test_provisioning_again_changes_nothing_and_applies_changes(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, [])
    await server.start()
    try:
        async with connect(server, OPERATOR) as operator:
            jetstream = (await operator.connected()).jetstream
            await provision(jetstream)
            config = (await jetstream.stream_info(EVENTS)).config
            assert config.max_age == 400 * 24 * 3600
            assert config.duplicate_window == 600
            await jetstream.update_stream(config.evolve(max_age=3600))
            await jetstream.publish("bihuan.intake.case.opened.v1", b"{}")
            await provision(jetstream)
            info = await jetstream.stream_info(EVENTS)
            assert info.config.max_age == 400 * 24 * 3600
            assert info.state.messages == 1
    finally:
        await server.stop()
