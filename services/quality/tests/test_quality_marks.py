"""The standards name only what the contracts have, and quality hears only that (QLT-01)."""

import pytest
from bihuan.complaints.v1.events_pb2 import ComplaintSettled
from bihuan.intake.v1.cases_pb2 import CONFIRMATION_BY_CUSTOMER
from bihuan.intake.v1.events_pb2 import CaseAssessed, CaseClosed, CaseConfirmed, CustomerErased
from bihuan.options.v1.options_pb2 import Role
from quality.observations.marks import MarkReader
from standards.indicators import Mark

from standards import load

STANDARDS = load()
READER = MarkReader(STANDARDS.marks)


def _left(event) -> dict:
    (left,) = READER.read(event)
    return {"mark": left.mark, "subject": left.subject_id, **left.facts}


def test_facts_are_read_by_the_contracts_names():
    confirmed = CaseConfirmed(case_id="c", confirmation=CONFIRMATION_BY_CUSTOMER)
    assert _left(confirmed) == {"mark": "case_confirmed", "subject": "c", "by": "CONFIRMATION_BY_CUSTOMER"}
    assert _left(ComplaintSettled(complaint_id="k")) == {"mark": "complaint_settled", "subject": "k"}
    assert _left(CaseClosed(case_id="c")) == {"mark": "case_closed", "subject": "c"}
    assessed = CaseAssessed(case_id="c")
    assessed.classification.kind = "inquiry"
    said_no = {"proposal_kept": False, "needs_visit": False}
    assert _left(assessed) == {"mark": "case_assessed", "subject": "c", "kind": "inquiry", **said_no}


def test_what_no_indicator_needs_is_not_heard():
    assert CustomerErased.DESCRIPTOR.full_name not in READER.kinds
    needed = {mark for indicator in STANDARDS.indicators.values() for mark in indicator.formula.marks}
    needed |= {fact.partition(".")[0] for dimension in STANDARDS.dimensions.values() for fact in dimension.facts}
    assert STANDARDS.marks.keys() - needed == {"clock_missed"}


@pytest.mark.parametrize(
    ("event", "subject", "keeps", "reason"),
    [
        ("bihuan.intake.v1.CaseForgotten", "case_id", {}, "there is no event"),
        ("bihuan.intake.v1.CaseOpened", "id", {}, "no single field id"),
        ("bihuan.intake.v1.CaseOpened", "case_id", {"kind": "proposed.kind"}, "no single field proposed.kind"),
        ("bihuan.intake.v1.CaseOpened", "case_id", {"all": "proposed"}, "no single field proposed"),
        ("bihuan.intake.v1.CaseClosed", "case_id", {"all": "history"}, "no single field history"),
    ],
)
def test_what_no_contract_has_ends_the_start(event, subject, keeps, reason):
    mark = Mark(name="m", effective_from="2025-01-01", source="A1", event=event, subject=subject, keeps=keeps)
    with pytest.raises(ValueError, match=reason):
        MarkReader({"m": mark})


def test_owners_have_roles_of_the_contracts():
    assert {f"ROLE_{owner.role.upper()}" for owner in STANDARDS.owners.values()} <= set(Role.keys())


def test_there_are_at_least_25_indicators_each_explained_in_both_languages():
    assert len(STANDARDS.indicators) >= 25
    for indicator in STANDARDS.indicators.values():
        assert indicator.label["en"] != indicator.label["zh-CN"]
        assert indicator.definition["en"] != indicator.definition["zh-CN"]
