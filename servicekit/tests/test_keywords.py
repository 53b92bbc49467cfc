"""Which keyword rules a text fulfils, and what they speak for together (INT-04, CMP-02)."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from servicekit.keywords import Found, KeywordReader, weigh


@dataclass
class Words:
    words: dict[str, tuple[str, ...]]


READER = KeywordReader({"slow": Words({"zh-CN": ("慢", "很慢"), "en": ("slow",)}), "fee": Words({"en": ("fee",)})})
VOTES = st.lists(
    st.tuples(st.one_of(st.none(), st.sampled_from(["a", "b"])), st.decimals("0.1", 10, places=1)), max_size=8
)


def test_the_first_and_longest_word_is_the_evidence_and_english_words_stand_alone():
    assert READER.read("网速很慢") == [Found("slow", "很慢")]
    assert READER.read("慢，很慢") == [Found("slow", "慢")]
    assert READER.read("slowly, SLOW, 慢") == [Found("slow", "SLOW")]
    assert READER.read("fee, 慢") == [Found("slow", "慢"), Found("fee", "fee")]
    assert READER.read("Slow, and the Fees rise") == [Found("slow", "Slow"), Found("fee", "Fees")]
    assert READER.read("slowly, coffee") == []


@given(VOTES)
def test_the_heaviest_word_wins_and_is_never_certain(votes):
    word, confidence = weigh(votes, "default")
    totals = {name: sum((weight for each, weight in votes if each == name), Decimal(0)) for name in ("a", "b")}
    if not any(totals.values()):
        assert (word, confidence) == ("default", 0)
    else:
        assert totals[word] == max(totals.values())
        assert 0 < confidence < 1
