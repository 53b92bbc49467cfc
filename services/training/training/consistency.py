"""Whether states, clocks and fields fit together: the loop check's rules for training's own entities. Pure."""

from collections.abc import Iterable, Iterator

from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING, Clock, ClockState

from training.assignments.assignment import Assignment
from training.assignments.assignment import State as AssignmentState
from training.certificates.certificate import Certificate
from training.certificates.certificate import State as CertificateState
from training.exams.attempt import FINISHED, Attempt
from training.exams.attempt import State as AttemptState
from training.policy import CERTIFICATE_VALIDITY, EXAM_MARKING, EXAM_TIME, TRAINING_DUE

_RUNNING = frozenset({CLOCK_STATE_RUNNING})
# A clock that ran out has done its work by telling.
_RUNNING_OR_MISSED = _RUNNING | {CLOCK_STATE_MISSED}


def problems_of_assignment(assignment: Assignment, clocks: Iterable[Clock]) -> list[str]:
    """What is wrong with it, in words for operators; empty when it is sound."""
    is_open = assignment.state != AssignmentState.COMPLETED
    found = list(_clock_problems({TRAINING_DUE: _RUNNING_OR_MISSED} if is_open else {}, clocks, assignment.state))
    if is_open != (assignment.completed_at is None):
        found.append(f"completed_at does not fit state {assignment.state}")
    return found


def problems_of_attempt(
    attempt: Attempt, clocks: Iterable[Clock], *, has_certificate: bool, certifies: bool
) -> list[str]:
    """The same of an attempt. `certifies`: its exam promises a certificate for a pass."""
    watched = {
        AttemptState.RUNNING: {EXAM_TIME: _RUNNING},
        AttemptState.MARKING: {EXAM_MARKING: _RUNNING_OR_MISSED},
    }.get(attempt.state, {})
    found = list(_clock_problems(watched, clocks, attempt.state))
    if (attempt.marked_at is not None) != (attempt.state in FINISHED):
        found.append(f"marked_at does not fit state {attempt.state}")
    if has_certificate != (certifies and attempt.state == AttemptState.PASSED):
        found.append(f"a certificate is {'there' if has_certificate else 'missing'} in state {attempt.state}")
    return found


def problems_of_certificate(certificate: Certificate, clocks: Iterable[Clock]) -> list[str]:
    """The same of a certificate."""
    watched = {CERTIFICATE_VALIDITY: _RUNNING} if certificate.state == CertificateState.VALID else {}
    return list(_clock_problems(watched, clocks, certificate.state))


def _clock_problems(watched: dict[str, frozenset[ClockState]], clocks: Iterable[Clock], state: str) -> Iterator[str]:
    # In the order in which they were started, so that the newest of a name counts.
    known = {clock.name: clock.state for clock in clocks}
    for name, allowed in watched.items():
        if name not in known:
            yield f"clock {name} was never started"
        elif known[name] not in allowed:
            yield f"clock {name} is {ClockState.Name(known[name])} in state {state}"
    for name, clock_state in sorted(known.items()):
        if clock_state == CLOCK_STATE_RUNNING and name not in watched:
            yield f"clock {name} still runs in state {state}"
