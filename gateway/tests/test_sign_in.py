"""Signing in at the built-in issuer: passwords, client secrets, authorization code with PKCE (GWY-07)."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from gateway.issuer.authorization import AuthorizationCodes, Grant, challenge_of
from gateway.issuer.registry import Person
from gateway.limits import RateLimits
from jwt import PyJWKSet

REDIRECT = "http://127.0.0.1:43210/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0"


@pytest.fixture(scope="module")
def credentials(issuer_dir):
    return json.loads((issuer_dir / "credentials.json").read_text())


async def claims_of(client, token: str, audience: str = "bihuan"):
    keys = PyJWKSet.from_dict((await client.get("/oidc/jwks")).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["ES256"], audience=audience, issuer="http://gateway.test")


async def test_discovery_names_addresses_that_answer(client):
    known = (await client.get("/.well-known/openid-configuration")).json()
    assert known["issuer"] == "http://gateway.test"
    for name in ("jwks_uri", "token_endpoint", "authorization_endpoint"):
        answer = await client.get(known[name])
        assert answer.status_code != 404


async def test_a_person_signs_in_with_their_password(client, credentials, report):
    form = {"grant_type": "password", "username": "customer", "password": credentials["people"]["customer"]}
    answer = await client.post("/oidc/token", data=form)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    claims = await claims_of(client, answer.json()["access_token"])
    assert claims["exp"] - claims["iat"] == 3600
    expected = {
        "sub": "customer",
        "roles": ["customer"],
        "domain": "",
        "customer_id": "0193a5f0-0000-7000-8000-000000000001",
        "locale": "zh-CN",
        "preferred_username": "customer",
    }
    assert claims | expected == claims
    opened = await client.post(
        "/v1/cases", json=report, headers={"Authorization": f"Bearer {answer.json()['access_token']}"}
    )
    assert opened.status_code == 201


@pytest.mark.parametrize("way", ["basic", "form"])
async def test_a_channel_signs_in_with_its_secret(client, credentials, way):
    secret = credentials["clients"]["channel-app"]
    form = {"grant_type": "client_credentials"}
    if way == "basic":
        answer = await client.post("/oidc/token", data=form, auth=("channel-app", secret))
    else:
        answer = await client.post("/oidc/token", data=form | {"client_id": "channel-app", "client_secret": secret})
    claims = await claims_of(client, answer.json()["access_token"])
    assert (claims["sub"], claims["roles"], claims["client_id"]) == ("channel-app", ["channel"], "channel-app")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "username": "agent", "password": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": "x"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_id": "channel-app", "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "bihuan-web"}, 401, "invalid_client"),
        ({"grant_type": "authorization_code", "client_id": "bihuan-web", "code": "x"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "client_id": "nobody", "code": "x"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_request"),
    ],
)
async def test_refusals_are_oauth_errors(client, form, status, error):
    answer = await client.post("/oidc/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].isascii()


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{}", "application/json"), (b"a=%ff", FORM), (b"a=1&a=2", FORM), (b"x" * 20_000, FORM), (b"\xff=1", FORM)],
)
async def test_bodies_that_are_no_forms_are_refused(client, content, kind):
    answer = await client.post("/oidc/token", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_unreadable_basic_credentials_are_refused(client):
    basic = {"Authorization": "Basic !!!", "Content-Type": FORM}
    answer = await client.post("/oidc/token", content=b"grant_type=client_credentials", headers=basic)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_guessing_is_slowed_down(make_client):
    form = {"grant_type": "password", "username": "agent", "password": "wrong"}
    # All at one moment: checking a password takes long on a busy machine, and a second allows another attempt.
    async with make_client(limits=RateLimits(lambda: 0.0)) as client:
        answers = [await client.post("/oidc/token", data=form) for _ in range(40)]
    assert [answer.status_code for answer in answers] == [400] * 20 + [429] * 20
    assert answers[-1].json()["code"] == "rate_limited"


def asked(**changed: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": "bihuan-web",
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "state": "s&1",
        "nonce": "n1",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | changed


async def sign_in(client, page: str, user: str, password: str):
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    form = {name: html.unescape(value) for name, value in fields.items()}
    return await client.post("/oidc/authorize", data=form | {"username": user, "password": password})


def answer_of(redirect) -> dict[str, str]:
    assert redirect.status_code == 303
    assert redirect.headers["location"].startswith(REDIRECT + "?")
    return dict(parse_qsl(urlsplit(redirect.headers["location"]).query))


async def test_an_app_signs_a_person_in_with_pkce(client, credentials):
    page = await client.get("/oidc/authorize", params=asked())
    assert page.status_code == 200
    assert "用户名" in page.text
    assert "form-action 'self' http://127.0.0.1:43210" in page.headers["content-security-policy"]
    redirect = await sign_in(client, page.text, "supervisor", credentials["people"]["supervisor"])
    answer = answer_of(redirect)
    assert (answer["state"], answer["iss"]) == ("s&1", "http://gateway.test")
    form = {
        "grant_type": "authorization_code",
        "client_id": "bihuan-web",
        "redirect_uri": REDIRECT,
        "code": answer["code"],
        "code_verifier": VERIFIER,
    }
    tokens = (await client.post("/oidc/token", data=form)).json()
    access = await claims_of(client, tokens["access_token"])
    assert (access["sub"], access["roles"]) == ("supervisor", ["supervisor"])
    identity = await claims_of(client, tokens["id_token"], audience="bihuan-web")
    assert (identity["sub"], identity["nonce"]) == ("supervisor", "n1")
    # The id token opens nothing, and the code is good once.
    refused = await client.get("/v1/cases", headers={"Authorization": f"Bearer {tokens['id_token']}"})
    assert refused.status_code == 401
    assert (await client.post("/oidc/token", data=form)).json()["error"] == "invalid_grant"


async def test_a_wrong_password_shows_the_page_again(client):
    page = await client.get("/oidc/authorize", params=asked(ui_locales="en zh-CN"))
    again = await sign_in(client, page.text, '"><script>', "wrong")
    assert again.status_code == 401
    assert "The user name or the password is wrong" in again.text
    assert "<script>" not in again.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_id": "nobody"}, "client_unknown"),
        ({"client_id": "channel-app"}, "client_unknown"),
        ({"redirect_uri": "http://evil.example/callback"}, "redirect_forbidden"),
        ({"redirect_uri": ""}, "redirect_forbidden"),
    ],
)
async def test_nobody_is_sent_to_an_unknown_address(client, changed, code):
    answer = await client.get("/oidc/authorize", params=asked(**changed))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_the_app_is_told_what_it_did_wrong(client, changed, error):
    answer = answer_of(await client.get("/oidc/authorize", params=asked(**changed)))
    assert (answer["error"], answer["state"]) == (error, "s&1")


def test_codes_end_and_belong_to_one_app():
    now = [0.0]
    codes = AuthorizationCodes(lambda: now[0])
    grant = Grant(Person(user="a"), "app", REDIRECT, challenge_of(VERIFIER), "", openid=False)
    assert codes.redeem(codes.issue(grant), "app", REDIRECT, VERIFIER) is grant
    assert codes.redeem(codes.issue(grant), "other", REDIRECT, VERIFIER) is None
    assert codes.redeem(codes.issue(grant), "app", REDIRECT + "x", VERIFIER) is None
    assert codes.redeem(codes.issue(grant), "app", REDIRECT, "guess") is None
    late = codes.issue(grant)
    now[0] = 61.0
    assert codes.redeem(late, "app", REDIRECT, VERIFIER) is None
    codes.issue(grant)
    assert len(codes._grants) == 1


async def test_the_issuer_is_off_without_its_folder(make_client):
    async with make_client(issuer_dir=None) as client:
        assert (await client.get("/.well-known/openid-configuration")).status_code == 404
        document = (await client.get("/openapi.json")).json()
    assert "builtInIssuer" not in document["components"]["securitySchemes"]


async def test_a_parameter_that_is_given_twice_is_named(client):
    """RFC 6749 §3.1: parameters must not be included more than once."""
    answer = await client.get("/oidc/authorize?client_id=a&client_id=b")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "field_repeated", "client_id")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post("/oidc/token", content="grant_type=password&grant_type=x", headers=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "field_repeated" in answer.json()["error_description"]
