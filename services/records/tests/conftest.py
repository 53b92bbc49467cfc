"""Records' own database for its tests, and a closed case to file in it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from archive_desk import Archive
from bihuan.common.v1.common_pb2 import Clock
from bihuan.intake.v1 import cases_pb2, events_pb2

CLOSED_AT = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


@pytest.fixture
def a_closed_case():
    """Makes the event of a case that was solved by a visit, confirmed and rated; keywords change its snapshot."""
    serials = count(1)

    def make(**facts) -> events_pb2.CaseClosed:
        case_id = str(uuid4())
        snapshot = {
            "case_id": case_id,
            "case_number": f"2603-{next(serials):08}",
            "version": 9,
            "stage": "CASE_STAGE_CLOSED",
            "customer_id": str(uuid4()),
            "channel": "app",
            "region": "cn.gd.gz",
            "classification": cases_pb2.Classification(
                kind="fault_repair", category="internet_access", urgency="normal"
            ),
            "owner": "agent1",
            "handler": "li",
            "result": "宽带已恢复",
            "confirmation": "CONFIRMATION_BY_CUSTOMER",
            "outcome": "CASE_OUTCOME_SOLVED",
            "satisfaction": 5,
            "clocks": [Clock(name="handling", warned_percent=50)],
            "accepted_at": CLOSED_AT - timedelta(days=2),
            "closed_at": CLOSED_AT,
            **facts,
        }
        happened = ("case_opened", "customer"), ("case_assessed", "agent1"), ("case_assigned", "system"), ("x", "li")
        return events_pb2.CaseClosed(
            case_id=snapshot["case_id"],
            snapshot=cases_pb2.Case(**snapshot),
            history=[
                cases_pb2.HistoryEntry(at=CLOSED_AT, happened=name, actor=actor, details={"b": "2", "a": "1"})
                for name, actor in happened
            ],
            sealed=[events_pb2.SealedText(role="description", at=CLOSED_AT, sealed=b"\x00sealed")],
            outcome=snapshot["outcome"],
        )

    return make


@pytest.fixture
def desk(database, manual_clock) -> Archive:
    return Archive(database, manual_clock)
