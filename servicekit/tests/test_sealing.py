"""Sealed personal texts (REC-05, REC-06)."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault
from servicekit.sealing import Sealer, seal_from_afar

MASTER = bytes(range(32))
sealer = Sealer(MASTER)
key = sealer.new_key()


@given(st.text(), st.text())
def test_what_was_sealed_opens_again_also_in_another_process(text, aad):
    assert Sealer(MASTER).open(key, sealer.seal(key, text, aad), aad) == text


@given(st.text(min_size=1), st.data())
def test_any_changed_bit_is_found(text, data):
    sealed = bytearray(sealer.seal(key, text, "case"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Fault, match="sealed_text_invalid"):
        sealer.open(key, bytes(sealed), "case")


@given(st.binary(max_size=40))
def test_what_was_never_sealed_is_refused(sealed):
    with pytest.raises(Fault, match="sealed_text_invalid"):
        sealer.open(key, sealed, "case")


def test_it_opens_only_for_its_customer_and_purpose():
    sealed = sealer.seal(key, "13800138000", "phone")
    with pytest.raises(Fault, match="sealed_text_invalid"):
        sealer.open(sealer.new_key(), sealed, "phone")
    with pytest.raises(Fault, match="sealed_text_invalid"):
        sealer.open(key, sealed, "name")


def test_a_customers_key_is_useless_without_the_master_key():
    sealed = sealer.seal(key, "13800138000", "phone")
    with pytest.raises(Fault, match="customer_key_invalid"):
        Sealer(os.urandom(32)).open(key, sealed, "phone")


def test_equal_texts_are_sealed_differently_but_indexed_alike():
    assert sealer.seal(key, "13800138000", "phone") != sealer.seal(key, "13800138000", "phone")
    assert sealer.blind_index("13800138000") == Sealer(MASTER).blind_index("13800138000")
    assert sealer.blind_index("13800138000") != sealer.blind_index("13800138001")
    assert sealer.blind_index("13800138000") != Sealer(os.urandom(32)).blind_index("13800138000")


def test_a_digest_is_useless_without_the_master_key():
    assert sealer.digest(b"request") == Sealer(MASTER).digest(b"request")
    assert sealer.digest(b"request") != sealer.digest(b"another")
    assert sealer.digest(b"13800138000") != Sealer(os.urandom(32)).digest(b"13800138000")
    assert sealer.digest(b"13800138000") != sealer.blind_index("13800138000")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32"):
        Sealer(bytes(length))


@given(st.text(), st.text())
def test_who_has_only_the_public_half_seals_and_cannot_open(text, aad):
    sealed = seal_from_afar(sealer.public_key(key), text, aad)
    assert Sealer(MASTER).open(key, sealed, aad) == text
    assert len(text) < 5 or text.encode() not in sealed
    for other_key, other_aad in ((sealer.new_key(), aad), (key, aad + "?")):
        with pytest.raises(Fault, match="sealed_text_invalid"):
            sealer.open(other_key, sealed, other_aad)


def test_the_public_half_is_always_the_same_and_tells_nothing_of_the_key():
    assert Sealer(MASTER).public_key(key) == sealer.public_key(key)
    assert sealer.public_key(sealer.new_key()) != sealer.public_key(key)
    assert len(sealer.public_key(key)) == 32
    with pytest.raises(Fault, match="customer_key_invalid"):
        Sealer(os.urandom(32)).public_key(key)


def test_a_text_sealed_from_afar_that_was_changed_is_refused():
    sealed = bytearray(seal_from_afar(sealer.public_key(key), "13800138000", "phone"))
    for place in (1, 20, len(sealed) - 1):
        changed = bytes(sealed[:place]) + bytes([sealed[place] ^ 1]) + bytes(sealed[place + 1 :])
        with pytest.raises(Fault, match="sealed_text_invalid"):
            sealer.open(key, changed, "phone")
    with pytest.raises(Fault, match="sealed_text_invalid"):
        sealer.open(key, bytes(sealed[:20]), "phone")
