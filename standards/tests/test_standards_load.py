"""The built-in standards hold what requirements.md says."""

from datetime import timedelta
from decimal import Decimal

import pytest
from bihuan.dispatch.v1 import work_orders_pb2
from bihuan.intake.v1 import cases_pb2

from standards import load


def test_the_same_folder_is_read_once():
    assert load() is load()


def test_the_operator_s_folder_is_taken_from_the_environment(tmp_path, monkeypatch, broken_copy):
    copy = broken_copy("manifest", '"2025.1"', '"2025.1-operator"')
    monkeypatch.setenv("BIHUAN_STANDARDS_DIR", str(copy))
    assert load().version == "2025.1-operator"
    assert load(copy) is load()


def test_the_hash_tells_sets_apart(broken_copy):
    changed = load(broken_copy("clocks", "limit: PT4H", "limit: PT5H"))
    assert changed.clock("fault_response").limit == timedelta(hours=5)
    assert changed.content_hash != load().content_hash


@pytest.mark.parametrize(
    ("clock", "hours"),
    [
        ("fault_response", 4),
        ("ordinary_response", 24),
        ("major_response", 48),
        ("assessment", 48),
        ("staff_assessment", 1),
        ("handling", 24),
        ("result_feedback", 24),
        ("customer_confirmation", 24),
        ("follow_up", 24),
        ("filing", 24),
        ("maintenance_visit", 30 * 24),
        ("work_order_assignment", 2),
        ("work_order_acceptance", 1),
        ("work_order_handling", 24),
        ("emergency_level_1", 0.25),
        ("emergency_level_2", 1),
        ("emergency_level_3", 2),
        ("incident_response", 0.5),
        ("incident_restoration", 0.5),
        ("incident_retrospective", 7 * 24),
        ("complaint_registration", 24),
        ("complaint_classification", 48),
        ("complaint_start", 48),
        ("complaint_first_handling", 72),
        ("complaint_result", 240),
        ("complaint_closure", 30 * 24),
        ("complaint_result_notice", 48),
        ("complaint_satisfaction", 7 * 24),
    ],
)
def test_clocks_have_the_manuals_limits(clock, hours):
    """INT-05, INT-06, DSP-06, DSP-07, CMP-01, CMP-05."""
    standard = load().clock(clock)
    assert standard.limit == timedelta(hours=hours)
    assert standard.warn_at == (50, 80)  # INT-07


def test_complaint_results_count_working_days():
    """CMP-01"""
    assert load().clock("complaint_result").calendar == "working_days"


def test_every_kind_has_one_response_clock_that_applies_to_it():
    """INT-06"""
    standards = load()
    for kind in standards.kinds.values():
        assert kind.name in standards.clock(kind.response_clock).applies_to


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("satisfaction", {"regulatory": 90, "promise": 92, "internal": 98}),
        ("answered_in_30_seconds", {"regulatory": 95}),
        ("booking_success_rate", {"internal": "98.6"}),
        ("mean_time_to_repair", {"internal": "4.2"}),
        ("complaint_timely_handling", {"regulatory": 95}),
        ("record_completeness", {"internal": "99.5"}),
        ("call_drop_rate", {"regulatory": "0.5"}),
        ("network_availability", {"regulatory": "99.9"}),
    ],
)
def test_targets_stand_side_by_side(name, figures):
    """INT-12, INT-18, DSP-07, CMP-09, REC-01, QLT-09"""
    target = load().targets[name]
    assert {figure.strictness: figure.value for figure in target.figures} == {
        strictness: Decimal(value) for strictness, value in figures.items()
    }
    assert target.figure("regulatory") == (Decimal(figures["regulatory"]) if "regulatory" in figures else None)


def test_the_usual_shares_of_complaints_are_kept_as_printed():
    """CMP-02: they sum to 105."""
    assert sum(word.usual_share for word in load().classes.complaint_classes.values()) == 105


def test_staff_performance_weights():
    """TRN-08"""
    assert load().scorecards["staff_performance"].weights == {
        "satisfaction": 30,
        "response_time": 25,
        "resolution": 20,
        "service_time": 15,
        "complaints": 10,
    }


def test_duty_comes_from_above_where_a_region_names_none():
    regions = load().regions
    assert regions["cn.gd.gz.tianhe"].duty_owner == regions["cn.gd.gz"].duty_owner
    assert regions["cn.sc.cd.wuhou"].supervisor == regions["cn"].supervisor
    assert regions["cn"].parent is None


@pytest.mark.parametrize(
    ("section", "enum", "prefix"),
    [
        ("cases", cases_pb2.CaseStage, "CASE_STAGE_"),
        ("work_orders", work_orders_pb2.WorkOrderState, "WORK_ORDER_STATE_"),
    ],
)
def test_every_stage_of_the_contracts_has_its_texts(section, enum, prefix):
    """INT-10"""
    stages = {name.removeprefix(prefix).lower() for name in enum.keys()} - {"unspecified"}  # noqa: SIM118 - an enum
    assert getattr(load().stages, section).keys() == stages


def test_levels_of_the_contracts_are_the_standards_levels():
    """DSP-02, REC-05"""
    assert list(load().levels.engineers) == ["junior", "middle", "senior"]
    assert list(load().levels.data_grades) == ["public", "internal", "sensitive", "core"]


def test_nothing_can_be_changed():
    standards = load()
    with pytest.raises(TypeError):
        standards.kinds["joke"] = None
    with pytest.raises(TypeError):
        standards.kinds["inquiry"].label["en"] = "Question"
