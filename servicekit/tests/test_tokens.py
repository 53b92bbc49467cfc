"""Tokens: who is let in and who is not (GWY-07, GWY-08)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from servicekit.errors import Fault
from servicekit.identity import Principal, keys, tokens
from servicekit.identity.tokens import TokenVerifier

ISSUER = "https://issuer.test"
AUDIENCE = "bihuan"
UNSAFE = {"verify_signature": False}
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, key_id: str) -> dict[str, Any]:
    kinds = {"ES256": ECAlgorithm, "RS256": RSAAlgorithm, "EdDSA": OKPAlgorithm}
    return {**kinds[algorithm_of(key)].to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}


def algorithm_of(key: Any) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "ES256"
    return "RS256" if isinstance(key, rsa.RSAPrivateKey) else "EdDSA"


def signed(key: Any = KEY, key_id: str | None = "k1", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-17",
        "exp": int(time.time()) + 600,
        "roles": ["agent"],
        "domain": "cn.gd",
        "locale": "en",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": key_id} if key_id else {}
    return jwt.encode(claims, key, algorithm=algorithm_of(key), headers=headers)


def publish(path: Path, *published: dict[str, Any]) -> None:
    path.write_text(json.dumps({"keys": published}))


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    publish(path, public(KEY, "k1"), public(RSA_KEY, "k2"), public(ED_KEY, "k3"))
    return path


@pytest.fixture
def verifier(jwks: Path) -> TokenVerifier:
    return TokenVerifier(ISSUER, AUDIENCE, str(jwks))


async def test_a_good_token_becomes_a_principal(verifier: TokenVerifier) -> None:
    principal = await verifier.verify(signed(roles=["customer", "wizard"], customer_id="c-1", locale="zh-CN"))
    assert principal == Principal("u-17", frozenset({"customer"}), "cn.gd", "c-1", "zh-CN")


@pytest.mark.parametrize(("key", "key_id"), [(KEY, "k1"), (RSA_KEY, "k2"), (ED_KEY, "k3")])
async def test_all_asymmetric_algorithms_are_taken(verifier: TokenVerifier, key: Any, key_id: str) -> None:
    assert (await verifier.verify(signed(key, key_id))).user_id == "u-17"


async def test_the_system_role_can_not_be_claimed(verifier: TokenVerifier) -> None:
    principal = await verifier.verify(signed(roles=["system", "agent"]))
    assert principal.roles == {"agent"}
    assert not principal.is_system


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def part(content: dict[str, Any]) -> str:
    return encoded(json.dumps(content).encode())


def unsigned(algorithm: str = "none", key_id: str = "k1") -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u", "exp": 4102444800}
    return f"{part({'alg': algorithm, 'kid': key_id})}.{part(claims)}."


def signed_with_the_public_key_as_secret() -> str:
    # The classic confusion of an asymmetric key with a shared secret; PyJWT refuses to sign so itself.
    signing_input = unsigned("HS256", "k2").rstrip(".")
    secret = json.dumps(public(RSA_KEY, "k2")).encode()
    return f"{signing_input}.{encoded(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda: signed(exp=int(time.time()) - 60), "token_expired"),
        (lambda: signed(aud="another"), "token_invalid"),
        (lambda: signed(iss="https://evil.test"), "token_invalid"),
        (lambda: signed(OTHER_KEY), "token_invalid"),
        (lambda: signed(OTHER_KEY, "unheard-of"), "token_invalid"),
        (lambda: signed(RSA_KEY, "k1"), "token_invalid"),
        (lambda: signed(key_id=None), "token_invalid"),
        (lambda: signed(exp=None), "token_invalid"),
        (lambda: signed(sub=None), "token_invalid"),
        (lambda: signed(sub=""), "token_invalid"),
        (lambda: signed(roles="agent"), "token_invalid"),
        (lambda: signed(roles=[1]), "token_invalid"),
        (lambda: signed(domain=["cn"]), "token_invalid"),
        (lambda: signed(nbf=int(time.time()) + 600), "token_invalid"),
        (unsigned, "token_invalid"),
        (signed_with_the_public_key_as_secret, "token_invalid"),
        (lambda: signed().rpartition(".")[0] + "." + signed(sub="another").rpartition(".")[2], "token_invalid"),
        (lambda: "", "token_invalid"),
        (lambda: "a.b.c", "token_invalid"),
        (lambda: "x" * 100_000, "token_invalid"),
    ],
)
async def test_a_wrong_token_is_refused_with_its_code(verifier: TokenVerifier, token: Any, code: str) -> None:
    with pytest.raises(Fault) as refused:
        await verifier.verify(token())
    assert refused.value.code == code


@given(st.text(max_size=200))
def test_garbage_is_refused_and_never_breaks(garbage: str) -> None:
    with pytest.raises(Fault):
        asyncio.run(TokenVerifier(ISSUER, AUDIENCE, "/nonexistent").verify(garbage))


async def test_a_remembered_token_is_forgotten_when_it_expires(
    verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed()
    assert await verifier.verify(token) is await verifier.verify(token)
    monkeypatch.setattr(TokenVerifier, "_claims", lambda *_: pytest.fail("verified again"))
    await verifier.verify(token)
    later = time.time() + 601
    monkeypatch.undo()
    monkeypatch.setattr("servicekit.identity.tokens.time.time", lambda: later)
    verified = []
    monkeypatch.setattr(
        TokenVerifier, "_claims", lambda *_: verified.append(token) or jwt.decode(token, options=UNSAFE)
    )
    await verifier.verify(token)
    assert verified == [token]


async def test_a_new_key_of_the_issuer_is_found(
    verifier: TokenVerifier, jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LEAST_SECONDS_BETWEEN", 0.0)
    await verifier.verify(signed())
    publish(jwks, public(KEY, "k1"), public(OTHER_KEY, "k9"))
    assert (await verifier.verify(signed(OTHER_KEY, "k9"))).user_id == "u-17"


async def test_known_keys_outlive_an_issuer_that_is_away(
    verifier: TokenVerifier, jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(signed())
    publish(jwks)
    monkeypatch.setattr(keys, "RENEW_AFTER_SECONDS", -1.0)
    monkeypatch.setattr(keys, "LEAST_SECONDS_BETWEEN", 0.0)
    assert (await verifier.verify(signed(sub="u-18"))).user_id == "u-18"


async def test_a_withdrawn_key_counts_for_remembered_tokens_too(
    verifier: TokenVerifier, jwks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RENEW_AFTER_SECONDS", -1.0)
    monkeypatch.setattr(tokens, "RENEW_AFTER_SECONDS", -1.0)
    monkeypatch.setattr(keys, "LEAST_SECONDS_BETWEEN", 0.0)
    token = signed()
    await verifier.verify(token)
    publish(jwks, public(OTHER_KEY, "k9"))
    with pytest.raises(Fault, match="token_invalid"):
        await verifier.verify(token)


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"keys": [{"kty": "EC"}]}'])
async def test_a_document_without_keys_is_no_defect(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(Fault, match="unavailable"):
        await TokenVerifier(ISSUER, AUDIENCE, str(path)).verify(signed())


async def test_without_any_keys_it_is_unavailable_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "LEAST_SECONDS_BETWEEN", 0.0)
    path = tmp_path / "later.json"
    verifier = TokenVerifier(ISSUER, AUDIENCE, str(path))
    with pytest.raises(Fault) as refused:
        await verifier.verify(signed())
    assert refused.value.code == "unavailable"
    publish(path)
    with pytest.raises(Fault, match="unavailable"):
        await verifier.verify(signed())
    publish(path, public(KEY, "k1"))
    assert (await verifier.verify(signed())).user_id == "u-17"
    assert (await verifier.verify(signed(key_id=None, sub="only-key"))).user_id == "only-key"


@pytest.fixture
def jwks_url() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"keys": [public(KEY, "k1")]}).encode()
            self.send_response(200 if self.path == "/jwks" else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Issuer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


async def test_keys_are_fetched_once_and_not_for_every_invented_key(jwks_url: tuple[str, list[str]]) -> None:
    url, asked = jwks_url
    verifier = TokenVerifier(ISSUER, AUDIENCE, f"{url}/jwks")
    assert (await verifier.verify(signed())).user_id == "u-17"
    for number in range(20):
        with pytest.raises(Fault, match="token_invalid"):
            await verifier.verify(signed(OTHER_KEY, f"invented-{number}"))
    assert asked == ["/jwks"]


async def test_an_issuer_that_answers_with_an_error_is_unavailable(jwks_url: tuple[str, list[str]]) -> None:
    with pytest.raises(Fault, match="unavailable"):
        await TokenVerifier(ISSUER, AUDIENCE, f"{jwks_url[0]}/broken").verify(signed())


# --- principals ------------------------------------------------------------------------------------------------------

regions = st.lists(st.sampled_from(["cn", "gd", "gz", "g", "tianhe"]), min_size=1, max_size=4).map(".".join)


@given(regions, regions)
def test_a_domain_reaches_down_whole_steps_only(domain: str, region: str) -> None:
    above = domain.split(".") == region.split(".")[: len(domain.split("."))]
    assert Principal("u", frozenset({"agent"}), domain).may_see(region) is above


def test_nobody_without_a_domain_sees_a_region_but_the_system_does() -> None:
    stranger = Principal("u", frozenset({"agent"}))
    with pytest.raises(Fault, match="domain_forbidden"):
        stranger.require_region("cn.gd")
    Principal.system("intake").require_region("cn.gd")


def test_histories_never_name_a_customer() -> None:
    assert Principal("u-1", frozenset({"customer"}), customer_id="c-1").actor == "customer"
    assert Principal("u-1", frozenset({"agent"})).actor == "u-1"
    assert Principal.system("intake").actor == "system"
