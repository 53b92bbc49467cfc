"""The customer refuses the result: first it is handled again, then mediated; no stage is skipped (CMP-05, CMP-06)."""

from __future__ import annotations

import pytest
from acting import Cast, Place
from complaining import HANDLER, WEB, Grievance, stage_of

pytestmark = pytest.mark.e2e

PLACE = Place("cn.sc", "enterprise_line")
CHECKSUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_refused_mediated_settled(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "合同费用争议", "违约金不合理。")
    grievance.classify("other", "medium")
    grievance.handle("按合同收取。")
    grievance.step(WEB, "answer", answer="RESULT_ANSWER_REJECTED", score=1)
    reopened = grievance.look()
    assert (stage_of(reopened), reopened["reopened_times"], reopened["priority"]) == ("handling", 1, 2)
    grievance.finish("减免一半。")
    grievance.step(WEB, "dispute", claim="全额免除")
    assert grievance.refused(HANDLER, "advanceDispute", stage="litigation", outcome="不成") == "dispute_stage_skipped"
    grievance.add(HANDLER, "dispute-documents", title="合同", checksum=CHECKSUM)
    grievance.step(HANDLER, "settleDispute", settlement="双方同意减免八成。")
    grievance.learn("process_missing")
    archived = grievance.close()
    (mediation,) = archived["dispute"]
    assert mediation["stage"] == "mediation"
    assert mediation["outcome"] == archived["result"] == "双方同意减免八成。"
    assert mediation["documents"][0]["checksum"] == CHECKSUM
    assert archived["outcome"] == "COMPLAINT_OUTCOME_DISPUTE_ENDED"
    platform.assert_nothing_fell_out()


def test_mediation_arbitration_litigation(platform) -> None:
    grievance = Grievance.by_web(Cast(platform, PLACE), "合同费用争议", "违约金不合理。")
    grievance.classify("other", "medium")
    grievance.handle("按合同收取。")
    grievance.step(WEB, "dispute", claim="全额免除")
    grievance.step(HANDLER, "advanceDispute", stage="arbitration", outcome="调解未达成一致")
    grievance.step(HANDLER, "advanceDispute", stage="litigation", outcome="不服裁决")
    stages = grievance.look()["dispute"]
    assert [stage["stage"] for stage in stages] == ["mediation", "arbitration", "litigation"]
    assert grievance.refused(HANDLER, "advanceDispute", stage="mediation", outcome="重来") == "dispute_stage_skipped"
    grievance.step(HANDLER, "settleDispute", settlement="判决维持原合同。")
    grievance.learn("process_not_kept")
    grievance.close()
    platform.assert_nothing_fell_out()
