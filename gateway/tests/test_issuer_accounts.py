"""`issuer-init`: key, accounts, rights of the files (GWY-07)."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import uuid

import pytest
from gateway.issuer.initialise import initialise
from gateway.issuer.passwords import hash_password, matches
from gateway.issuer.registry import Client, Registry
from gateway.issuer.signing import SigningKey
from servicekit.identity import ROLES


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_have_the_rights_they_need_and_no_more(tmp_path):
    folder = tmp_path / "issuer"
    before = os.umask(0o077)
    try:
        initialise(folder)
    finally:
        os.umask(before)
    modes = {path.name: mode(path) for path in folder.iterdir()}
    assert modes == {"signing_key.pem": 0o600, "users.json": 0o600, "credentials.json": 0o600, "jwks.json": 0o644}


def test_doing_it_again_changes_nothing(issuer_dir):
    before = {path.name: path.read_bytes() for path in issuer_dir.iterdir()}
    assert initialise(issuer_dir) == []
    assert {path.name: path.read_bytes() for path in issuer_dir.iterdir()} == before


def test_a_missing_account_is_made_and_the_others_stay(tmp_path):
    initialise(tmp_path)
    registry = Registry.load(tmp_path)
    fewer = registry.model_copy(update={"people": registry.people[1:]})
    (tmp_path / "users.json").write_text(fewer.model_dump_json())
    before = json.loads((tmp_path / "credentials.json").read_text())
    assert initialise(tmp_path) == ["credentials.json", "users.json"]
    after = json.loads((tmp_path / "credentials.json").read_text())
    changed = {name for name, password in after["people"].items() if before["people"][name] != password}
    assert changed == {registry.people[0].user}
    assert Registry.load(tmp_path).sign_in(registry.people[0].user, after["people"][registry.people[0].user])


def test_every_role_has_somebody(issuer_dir):
    registry = Registry.load(issuer_dir)
    held = {role for account in (*registry.people, *registry.clients) for role in account.roles}
    assert held == ROLES
    assert registry.person("agent2").domain == "cn.gd.gz"
    assert registry.person("outsider").domain == "cn.bj"
    assert uuid.UUID(registry.person("customer").customer_id)
    assert {f"engineer{number}" for number in range(1, 9)} <= {person.user for person in registry.people}
    assert {client.client for client in registry.clients if not client.is_public} == {
        "channel-app",
        "channel-web",
        "channel-hotline",
        "channel-monitoring",
        "partner-alarms",
        "partner-demo",
    }


def test_passwords_are_kept_as_hashes_and_shown_only_in_the_credentials(issuer_dir):
    credentials = json.loads((issuer_dir / "credentials.json").read_text())
    users = (issuer_dir / "users.json").read_text()
    for password in [*credentials["people"].values(), *credentials["clients"].values()]:
        assert password not in users
        assert len(password) >= 16


def test_the_command_prints_no_password(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "issuer-init", str(tmp_path)], capture_output=True, text=True, check=True
    )
    credentials = json.loads((tmp_path / "credentials.json").read_text())
    assert "users.json" in done.stdout
    assert not any(password in done.stdout + done.stderr for password in credentials["people"].values())


def test_hashes_match_their_password_only():
    stored = hash_password("密码 \ud800")
    assert matches("密码 \ud800", stored)
    assert not matches("密码", stored)
    assert stored != hash_password("密码 \ud800")


def test_users_json_with_a_mistake_is_refused_with_the_place(tmp_path):
    (tmp_path / "users.json").write_text('{"people": [{"user": "a", "roles": ["king"]}]}')
    with pytest.raises(ValueError, match=r"people\.0\.roles\.0"):
        Registry.load(tmp_path)


def test_the_published_key_is_the_signing_key(issuer_dir):
    key = SigningKey.load(issuer_dir)
    published = json.loads((issuer_dir / "jwks.json").read_text())["keys"]
    assert [known["kid"] for known in published] == [key.key_id]
    assert "d" not in published[0]


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:54321/callback", True),
        ("http://localhost:1/callback", True),
        ("http://127.0.0.1:54321/other", False),
        ("http://127.0.0.1.evil.example:1/callback", False),
        ("http://user@127.0.0.1:1/callback", False),
        ("https://app.example/done", True),
        ("https://app.example:444/done", False),
        ("https://app.example/done?x=1", False),
        ("http://127.0.0.1:99999/callback", False),
        ("", False),
    ],
)
def test_redirects_go_to_registered_addresses_only(uri, allowed):
    uris = ("http://127.0.0.1/callback", "http://localhost/callback", "https://app.example/done")
    assert Client(client="web", redirect_uris=uris).may_redirect_to(uri) is allowed
