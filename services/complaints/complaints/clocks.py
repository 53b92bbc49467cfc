"""What happens when the clocks of complaints pass a mark (CMP-01, CMP-03, CMP-05).

Every mark is announced by the kit as ClockWarned or ClockMissed; here is what it does to the complaint.
"""

from servicekit.database import UnitOfWork
from servicekit.deadlines import Deadline, DeadlineHandlers

from complaints.complaints import rules, steps, store
from complaints.complaints.complaint import Stage
from complaints.complaints.steps import noted
from standards import Standards

ACTOR = "system"


def build_clocks(standards: Standards) -> DeadlineHandlers:
    clocks = DeadlineHandlers()
    severities = standards.classes.complaint_severities.values()
    watched = sorted({*steps.ALL, *(severity.response_clock for severity in severities)})

    @clocks.warned(*watched)
    async def note_warning(tx: UnitOfWork, deadline: Deadline) -> None:
        complaint = await store.lock(tx, deadline.subject_id)
        warned = noted(complaint, "clock_warned", clock=deadline.clock, percent=str(deadline.percent))
        await store.save(tx, complaint, warned, actor=ACTOR)

    @clocks.missed(*watched)
    async def escalate(tx: UnitOfWork, deadline: Deadline) -> None:
        """The region's supervisor is told; where the work was done late by now, the history says so."""
        complaint = await store.lock(tx, deadline.subject_id)
        if deadline.done_late_at is not None or complaint.stage == Stage.ARCHIVED:
            step = noted(complaint, "clock_missed", clock=deadline.clock)
        else:
            supervisor = standards.regions[complaint.region].supervisor
            step = rules.escalate(complaint, clock=deadline.clock, to=supervisor)
        await store.save(tx, complaint, step, actor=ACTOR)

    return clocks
