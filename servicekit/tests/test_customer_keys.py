"""Customers' keys and the texts that are kept with them, in tables and in messages (REC-05, REC-06)."""

from collections.abc import Iterable
from uuid import uuid4

import pytest
from bihuan.complaints.v1 import complaints_pb2
from hypothesis import given
from hypothesis import strategies as st
from servicekit.customerkeys import (
    NOTHING_KEPT,
    CustomerKey,
    KeptKey,
    KeyRing,
    erased_text,
    is_sealed,
    open_text,
    public_key,
    readable,
    readable_text,
    seal,
    seal_text,
    seal_text_for,
    sealed_in,
    unseal,
    unseal_if_whole,
    written,
)
from servicekit.customertexts import change_texts, texts_about_customer
from servicekit.errors import Fault
from servicekit.identity.call import Call, serve_call
from servicekit.sealing import Sealer
from sqlalchemy.schema import CreateTable
from structlog.testing import capture_logs

sealer = Sealer(bytes(range(32)))
key = CustomerKey(uuid4(), sealer.new_key())
erased = CustomerKey(key.customer_id, None)


class KeyOfTest(KeptKey, table=True):
    __tablename__ = "keys_of_test"


KEYS = KeyOfTest.metadata.tables["keys_of_test"]


@given(st.text(min_size=1))
def test_a_kept_text_opens_as_it_was_written_however_it_begins(text):
    kept = seal_text(sealer, key, text)
    assert is_sealed(kept)
    assert open_text(sealer, key, kept) == text
    assert open_text(sealer, key, seal_text_for(public_key(sealer, key), key.customer_id, text)) == text
    assert unseal(sealer, key, seal(sealer, key, text)) == text
    assert written(sealed_in(kept)) == kept


def test_no_text_is_no_text_and_one_from_before_is_read_as_it_is():
    assert seal_text(sealer, key, "") == seal_text_for(public_key(sealer, key), key.customer_id, "") == ""
    assert open_text(sealer, key, "") == ""
    assert open_text(sealer, key, "Modem replaced") == open_text(sealer, erased, "Modem replaced") == "Modem replaced"
    assert open_text(sealer, key, "sealed: the box by the door") == "sealed: the box by the door"
    with pytest.raises(ValueError, match="not sealed"):
        sealed_in("Modem replaced")


async def test_rec06_after_erasure_a_marked_gap_is_read_in_the_readers_language():
    kept = seal_text(sealer, key, "钥匙在花盆下面")
    assert open_text(sealer, erased, kept) == open_text(sealer, None, kept) == "（已按客户要求清除）"
    serve_call(Call("bihuan.intake.v1.CaseService/GetCase", "en", deadline=0))
    assert open_text(sealer, erased, kept) == erased_text() == "(erased at the customer's wish)"


def test_rec06_of_an_erased_customer_only_is_kept_that_there_was_a_text():
    assert seal(sealer, erased, "words") == b""
    assert seal_text(sealer, erased, "words") == NOTHING_KEPT
    assert open_text(sealer, key, NOTHING_KEPT) == erased_text()
    assert public_key(sealer, erased) != public_key(sealer, erased), "nobody has kept the key to either"
    assert open_text(sealer, erased, seal_text_for(public_key(sealer, erased), key.customer_id, "a")) == erased_text()


async def test_a_text_that_cannot_be_opened_says_so_in_its_place_and_hides_no_others():
    good, of_another = seal(sealer, key, "a"), seal(sealer, CustomerKey(uuid4(), sealer.new_key()), "b")
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    with capture_logs() as logs:
        shown = [readable(sealer, key, sealed) for sealed in (damaged, good, of_another, damaged)]
    assert shown == ["（此文本已无法打开）", "a", "（此文本已无法打开）", "（此文本已无法打开）"]
    assert [entry["event"] for entry in logs] == ["sealed_text_unreadable"] * 2, "each is told of once"
    serve_call(Call("bihuan.intake.v1.CaseService/ListCases", "en", deadline=0))
    assert readable_text(sealer, key, written(damaged)) == "(this text can't be opened any more)"
    assert readable_text(sealer, key, written(good)) == readable_text(sealer, key, "a") == "a"
    assert readable_text(sealer, erased, written(damaged)) == erased_text()
    with pytest.raises(Fault, match="sealed_text_invalid"):
        open_text(sealer, key, written(damaged))


def test_a_damaged_key_hides_its_customers_texts_and_no_others():
    damaged = CustomerKey(key.customer_id, key.wrapped[:-1] + bytes([key.wrapped[-1] ^ 1]))
    sealed = seal(sealer, key, "a")
    with capture_logs() as logs:
        shown = readable(sealer, damaged, sealed), readable_text(sealer, damaged, written(sealed))
        assert unseal_if_whole(sealer, damaged, sealed) is None
    assert shown == ("（此文本已无法打开）", "（此文本已无法打开）")
    assert [entry["reason"] for entry in logs] == ["customer_key_invalid"]
    assert unseal_if_whole(sealer, key, sealed) == "a"
    with pytest.raises(Fault, match="customer_key_invalid"):
        open_text(sealer, damaged, written(sealed))


def test_what_the_log_was_told_of_is_remembered_in_bounded_space():
    def look_at(texts: Iterable[bytes]) -> int:
        with capture_logs() as logs:
            for text in texts:
                readable(sealer, key, text)
        return len(logs)

    many = [b"?%d" % number for number in range(3000)]
    assert look_at(many) == 3000
    assert look_at(many[-1:]) == 0
    assert look_at(many[:10]) == 10, "of the first the log is told again, they are remembered no more"


async def test_a_key_is_made_once_and_never_again_after_erasure(database):
    async with database.transaction("create") as tx:
        await tx.execute(CreateTable(KEYS))
    ring, customer_id, stranger = KeyRing(KEYS), uuid4(), uuid4()
    async with database.transaction("first") as tx:
        first = await ring.key_for(tx, sealer, customer_id)
    async with database.transaction("again") as tx:
        assert await ring.key_for(tx, sealer, customer_id) == first
        assert await ring.find(tx, [customer_id, stranger]) == {customer_id: first}
        assert await ring.find(tx, []) == {}
        for each in (customer_id, stranger):
            await ring.erase(tx, each)
    async with database.transaction("later") as tx:
        for each in (customer_id, stranger):
            assert await ring.key_for(tx, sealer, each) == CustomerKey(each, None)


def test_texts_about_customers_are_found_however_deep_and_nothing_else_is():
    complaint = complaints_pb2.Complaint(complaint_number="C1", result="a", region="cn.gd")
    complaint.investigations.add(findings="b", skill="broadband_repair")
    complaint.dispute.add(stage="mediation", outcome="c").documents.add(title="d", checksum="0" * 64)
    complaint.cause.whys.extend(["e", "f"])
    found = list(texts_about_customer(complaint))
    assert sorted(text for _, text in found) == list("abcdef")
    assert ("findings", "b") in found
    change_texts(complaint, str.upper)
    assert sorted(text for _, text in texts_about_customer(complaint)) == list("ABCDEF")
    assert (complaint.complaint_number, complaint.region, complaint.dispute[0].stage) == ("C1", "cn.gd", "mediation")
