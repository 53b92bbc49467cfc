"""The life-cycle trace of a case: a span for each stage that it leaves (TRC-01)."""

from collections.abc import Sequence

from bihuan.common.v1.common_pb2 import Clock
from servicekit.telemetry import names
from servicekit.telemetry.lifecycle import CaseTrace

from intake.cases.case import Case, Stage
from intake.cases.promises import outcome, promised_clock


def write_spans(left: Case, entered: Case, clocks: Sequence[Clock], moved_by: str) -> None:
    """Writes the span of the stage that was left, linked to the requests that began and ended it.

    To be called after the commit; `moved_by` is the traceparent of the request that ended it. With the archive the
    whole case ends, and its root span is written too.
    """
    attributes = {names.RESPONSIBLE: left.responsible}
    if (clock := promised_clock(left, clocks)) is not None:
        attributes |= {names.CLOCK: clock.name, names.CLOCK_OUTCOME: outcome(clock)}
    links = [traceparent for traceparent in dict.fromkeys((left.stage_entered_by, moved_by)) if traceparent]
    ended = entered.stage_entered_at
    CaseTrace.stage_ended(
        left.case_id, left.stage.value, left.stage_entered_at, ended, attributes=attributes, links=links
    )
    if entered.stage == Stage.ARCHIVED:
        closed = {names.CASE_OUTCOME: entered.outcome.value}
        CaseTrace.case_ended(entered.case_id, entered.accepted_at, ended, attributes=closed, links=links)
