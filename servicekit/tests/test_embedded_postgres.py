"""The embedded PostgreSQL: crash-safe, private, and gone with its parent."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from servicekit.embedded.binaries import UNPRIVILEGED_UID, is_enterable
from servicekit.embedded.postgres import EmbeddedPostgres
from servicekit.embedded.processes import EmbeddedServerError, is_alive

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as another user")


@pytest.fixture
async def home(tmp_path):
    """A home below a folder that only the current user can enter, as below /root."""
    yield tmp_path / "postgres"
    location = tmp_path / "postgres" / "location"
    if location.exists():
        subprocess.run(["rm", "-rf", location.read_text().strip()], check=True)


async def fetch(server: EmbeddedPostgres, statement: str):
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def gone(pid: int) -> None:
    while is_alive(pid):
        await asyncio.sleep(0.02)


async def test_what_was_committed_survives_kill_9(home):
    server = EmbeddedPostgres(home)
    await server.start()
    try:
        port, url = server.port, server.url
        await fetch(server, "CREATE TABLE t AS SELECT 42 AS n")
        os.kill(server.pid, signal.SIGKILL)
        assert await server.process.wait(10) == -signal.SIGKILL
        await server.start()
        assert await fetch(server, "SELECT n FROM t") == 42
        assert (server.port, server.url) == (port, url)
        assert await fetch(server, "SHOW fsync") == await fetch(server, "SHOW synchronous_commit") == "on"
    finally:
        await server.stop()
    await server.stop()


async def test_nobody_gets_in_without_the_password(home):
    server = EmbeddedPostgres(home, durable=False)
    await server.start()
    try:
        for password in (None, "", "postgres"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(
                    host="127.0.0.1", port=server.port, user="postgres", password=password, database="postgres"
                )
        assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
        assert (await fetch(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")).startswith("SCRAM")
        assert await fetch(server, "SHOW listen_addresses") == "127.0.0.1"
        assert await fetch(server, "SHOW unix_socket_directories") == ""
    finally:
        await server.stop()


async def test_a_stale_lock_file_with_somebody_elses_process_id_does_no_harm(home):
    server = EmbeddedPostgres(home, durable=False)
    await server.start()
    data = Path(await fetch(server, "SHOW data_directory"))
    lock = (data / "postmaster.pid").read_text()
    await server.stop()
    (data / "postmaster.pid").write_text(lock.replace(lock.split("\n", 1)[0], str(os.getpid()), 1))
    await server.start()
    await server.stop()


async def test_an_interrupted_first_start_is_done_again(home):
    home.mkdir()
    (home / "data.unfinished").mkdir()
    (home / "data.unfinished" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home, durable=False)
    await server.start()
    await server.stop()


async def test_it_ends_with_the_process_that_started_it_and_its_successor_starts(home):
    script = (
        "import asyncio, sys, pathlib\n"
        "from servicekit.embedded.postgres import EmbeddedPostgres\n"
        "async def main():\n"
        "    server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)\n"
        "    await server.start()\n"
        "    print(server.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    server = EmbeddedPostgres(home, durable=False)
    await server.start()  # while the old one may still be leaving
    try:
        await gone(pid)
        assert await fetch(server, "SELECT 1") == 1
    finally:
        await server.stop()


async def test_a_start_that_fails_says_why(home):
    taken = EmbeddedPostgres(home, durable=False)
    await taken.start()
    try:
        with pytest.raises(EmbeddedServerError, match="in use"):
            await EmbeddedPostgres(home.with_name("other"), taken.port, durable=False).start()
    finally:
        await taken.stop()
        location = home.with_name("other") / "location"
        if location.exists():
            subprocess.run(["rm", "-rf", location.read_text().strip()], check=True)


@as_root
async def test_as_root_the_server_runs_as_nobody_even_below_a_closed_folder(home):
    home.parent.chmod(0o700)
    server = EmbeddedPostgres(home, durable=False)
    await server.start()
    try:
        assert Path(f"/proc/{server.pid}").stat().st_uid == UNPRIVILEGED_UID
        assert not is_enterable(home, UNPRIVILEGED_UID)
        assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    finally:
        await server.stop()
