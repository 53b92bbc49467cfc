"""Certificates: signed, verifiable, expired by the clock, revoked (TRN-05)."""

import base64
import json
from datetime import date, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from servicekit.casenumbers import issue
from servicekit.errors import Fault
from training.certificates import queries
from training.certificates.certificate import State
from training.certificates.signing import CertificateSigner, read_signed


async def test_a_pass_brings_a_certificate_that_verifies_offline(school):
    certificate = await school.certify()
    keys = await school.do(queries.list_keys, school.signer)
    claims = read_signed(certificate.signed, keys)
    assert (claims["jti"], claims["sub"], claims["skill"]) == (certificate.number, "li", "fiber_splicing")
    assert claims["exp"] == certificate.valid_until.timestamp()
    (issued,) = await school.events("certificate.issued")
    assert json.loads(issued)["certificate_id"] == str(certificate.certificate_id)
    assert await school.do(queries.find_by_signature, certificate.signed, school.signer) == certificate


async def test_the_clock_ends_it(school):
    certificate = await school.certify()
    await school.pass_time(timedelta(days=364))
    assert (await school.certificate(certificate.number)).is_valid(school.clock.now())
    await school.pass_time(timedelta(days=1))
    assert (await school.certificate(certificate.number)).state == State.EXPIRED
    assert len(await school.events("certificate.expired")) == 1
    assert await school.problems() == []


async def test_a_revoked_one_stays_revoked(school):
    certificate = await school.certify()
    await school.revoke(certificate.number, expected_version=1)
    with pytest.raises(Fault, match="transition_forbidden"):
        await school.revoke(certificate.number)
    await school.pass_time(timedelta(days=400))
    assert (await school.certificate(certificate.number)).state == State.REVOKED
    assert (len(await school.events("certificate.revoked")), await school.events("certificate.expired")) == (1, [])
    assert await school.problems() == []


async def test_no_skill_no_certificate(school):
    exam_id, _ = await school.ready(skill="")
    attempt_id = (await school.start(exam_id)).attempt_id
    await school.answer(attempt_id)
    assert (await school.submit(attempt_id)).certificate_number == ""
    assert await school.problems() == []


async def test_after_a_change_of_key_old_certificates_still_verify(school):
    certificate = await school.certify()
    school.signer = CertificateSigner(bytes(32), "http://gateway.test")
    found = await school.do(queries.find_by_signature, certificate.signed, school.signer)
    assert found.number == certificate.number
    assert len(await school.do(queries.list_keys, school.signer)) == 2


async def test_a_forged_certificate_is_refused(school):
    certificate = await school.certify()
    forger = CertificateSigner(bytes(32), "http://gateway.test")
    claims = jwt.decode(certificate.signed, options={"verify_signature": False})
    head, _, signature = certificate.signed.split(".")
    richer = base64.urlsafe_b64encode(json.dumps(claims | {"level": "senior"}).encode()).rstrip(b"=").decode()
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = [
        f"{head}.{richer}.{signature}",
        forger.sign(certificate),
        # Signed by somebody else under our key's name.
        jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": school.signer.key_id, "typ": "certificate+jwt"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": school.signer.key_id}),
        # Ours, and never issued under this number.
        school.signer.sign(certificate.model_copy(update={"level": "senior"})),
    ]
    for signed in forged:
        await school.refused("certificate_forged", queries.find_by_signature, signed, school.signer)


@given(st.text(max_size=60))
def test_no_text_passes_for_a_certificate(text):
    signer = CertificateSigner(bytes(32), "issuer")
    with pytest.raises(Fault, match="certificate_forged"):
        read_signed(text, {signer.key_id: signer.x})


async def test_a_wrong_digit_is_told_from_an_unknown_number(school):
    certificate = await school.certify()
    wrong = certificate.number[:-1] + str((int(certificate.number[-1]) + 1) % 10)
    await school.refused("case_number_invalid", queries.find_certificate, wrong)
    await school.refused("certificate_unknown", queries.find_certificate, issue("T", date(2026, 3, 2), 999999))
