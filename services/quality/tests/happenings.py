"""What happens elsewhere, and who looks at it, for the tests of quality."""

from uuid import uuid4

from bihuan.common.v1.common_pb2 import ClockMissed
from bihuan.intake.v1 import events_pb2 as intake
from google.protobuf.message import Message
from servicekit.identity import Principal

MANAGER = Principal("quality", frozenset({"quality_manager"}), "cn")
GUANGZHOU = Principal("supervisor.gz", frozenset({"supervisor"}), "cn.gd.gz")
REGION = "cn.gd.gz.tianhe"


def a_case(score: int = 0, *, region: str = REGION, reopened: bool = False, missed: str = "") -> list[Message]:
    """A fault that goes once round, an hour a step."""
    case_id = str(uuid4())
    opened = intake.CaseOpened(case_id=case_id, region=region, channel="app")
    opened.proposed.classification.kind = "fault_repair"
    opened.proposed.classification.category = "internet_access"
    assessed = intake.CaseAssessed(case_id=case_id, proposal_kept=True, needs_visit=True)
    assessed.classification.CopyFrom(opened.proposed.classification)
    steps = [
        opened,
        assessed,
        intake.CaseHandlingStarted(case_id=case_id),
        intake.CaseResultDelivered(case_id=case_id),
        intake.SurveySent(case_id=case_id),
        intake.CaseConfirmed(case_id=case_id, confirmation="CONFIRMATION_BY_CUSTOMER"),
    ]
    if missed:
        steps.insert(1, ClockMissed(subject_id=case_id, clock=missed))
    if score:
        steps.append(intake.SurveyAnswered(case_id=case_id, score=score))
    if reopened:
        steps.append(intake.CaseReopened(case_id=case_id, reason="not_solved", reopened_times=1))
    return steps
