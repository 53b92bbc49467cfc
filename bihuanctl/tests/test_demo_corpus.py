"""The demo's data: a corpus in both languages, and shares that are dealt out exactly and by the seed."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from bihuan.intake.v1.cases_pb2 import OpenCaseRequest
from bihuanctl.demo.corpus import Template, Verdict, corpora
from bihuanctl.demo.personas import Personas, Share, deal, personas
from bihuanctl.demo.requests import compose
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from servicekit.languages import LANGUAGES, Language
from servicekit.rpc.interceptors.validation import Validation

from standards import load

CHINESE = re.compile(r"[\u4e00-\u9fff]")
each_language = pytest.mark.parametrize("language", LANGUAGES)


def test_there_are_at_least_sixty_templates() -> None:
    texts = {(template.subject, template.description) for corpus in corpora().values() for template in corpus.requests}
    assert len(texts) >= 60


@each_language
def test_every_verdict_uses_words_of_the_standards(language: Language) -> None:
    """INT-02, INT-03."""
    standards = load()
    for template in corpora()[language].requests:
        assert template.verdict.kind in standards.kinds
        assert template.verdict.category in standards.categories
        assert template.verdict.urgency in standards.urgencies
    assert {template.verdict.kind for template in corpora()[language].requests} >= {"fault_repair", "inquiry"}


@each_language
def test_texts_are_in_their_language(language: Language) -> None:
    for template in corpora()[language].requests:
        assert bool(CHINESE.search(template.description)) == (language == "zh-CN")


@each_language
def test_every_saying_has_something_to_choose_from(language: Language) -> None:
    for name, sayings in corpora()[language].sayings:
        assert sayings, name
        assert all(saying.strip() for saying in sayings)


def test_every_composed_request_is_within_the_contract() -> None:
    validation = Validation()
    for request in compose(300, personas(), Random(3)):
        assert "{" not in request.subject + request.description
        validation.require_valid(ParseDict(request.body("13800138000"), OpenCaseRequest()), "en")


def test_the_same_seed_composes_the_same_requests_and_another_seed_others() -> None:
    assert compose(50, personas(), Random(7)) == compose(50, personas(), Random(7))
    assert compose(50, personas(), Random(7)) != compose(50, personas(), Random(8))


def test_a_request_needs_a_visit_or_an_answer() -> None:
    verdict = Verdict(kind="inquiry", category="data", urgency="normal", visit=False)
    with pytest.raises(ValidationError, match="a visit or an answer"):
        Template(verdict=verdict, subject="?", description="?")


def test_channels_and_regions_of_the_table_exist() -> None:
    assert personas().channels.keys() <= load().channels.keys()
    assert personas().regions.keys() <= load().regions.keys()
    assert {crew.territory for crew in personas().workforce.values()} <= load().regions.keys()


def test_shares_that_do_not_add_up_are_refused() -> None:
    document = personas().model_dump()
    document["customers"]["silent"]["share"] += 1
    with pytest.raises(ValidationError, match="add up to 101"):
        Personas.model_validate(document)


@given(count=st.integers(0, 500), seed=st.integers(), cuts=st.lists(st.integers(0, 100), max_size=8))
def test_everybody_draws_and_every_share_is_kept(count: int, seed: int, cuts: list[int]) -> None:
    marks = [0, *sorted(cuts), 100]
    table = {f"p{number}": Share(share=end - begin) for number, (begin, end) in enumerate(pairwise(marks))}
    dealt = deal(table, count, Random(seed))
    assert len(dealt) == count
    for name, number in Counter(dealt).items():
        assert abs(number - table[name].share * count / 100) <= 1
    assert dealt == deal(table, count, Random(seed))
