"""Whether an incident's state, clocks and fields fit together: the loop check's rule for one incident. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from bihuan.common.v1.common_pb2 import CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING, Clock, ClockState

from dispatch.incidents import rules
from dispatch.incidents.incident import ONGOING, Incident, State
from dispatch.incidents.ladder import Ladder

_WATCHED = frozenset({CLOCK_STATE_RUNNING, CLOCK_STATE_MISSED})


def problems_of(incident: Incident, clocks: Iterable[Clock], ladder: Ladder) -> list[str]:
    """What is wrong with an incident, in words for operators; empty when it is sound."""
    # In the order in which they were started, so that the newest of a name counts.
    states = {clock.name: clock.state for clock in clocks}
    return [*_clock_problems(incident, states, ladder), *_field_problems(incident)]


def _clock_problems(incident: Incident, clocks: Mapping[str, ClockState], ladder: Ladder) -> Iterator[str]:
    watched: dict[str, frozenset[ClockState]] = {}
    if incident.state == State.REPORTED:
        rung = ladder.rung(incident.level, incident.region)
        # A missed rung has told the next one at once; only above the highest there is nobody.
        missed = {CLOCK_STATE_MISSED} if rung.level == ladder.highest else set()
        watched[rung.clock] = frozenset({CLOCK_STATE_RUNNING, *missed})
    if incident.state in {State.REPORTED, State.ACKNOWLEDGED}:
        watched |= dict.fromkeys((rules.RESPONSE, rules.OVERALL), _WATCHED)
    if incident.state in ONGOING:
        watched[rules.RESTORATION] = _WATCHED
    if incident.state == State.RESTORED:
        watched[rules.RETROSPECTIVE] = _WATCHED
    for name, allowed in watched.items():
        if clocks.get(name) not in allowed:
            yield f"clock {name} does not watch it in state {incident.state}"
    for name, state in sorted(clocks.items()):
        if state == CLOCK_STATE_RUNNING and name not in watched:
            yield f"clock {name} still runs in state {incident.state}"


def _field_problems(incident: Incident) -> Iterator[str]:
    state = incident.state
    restored = state in {State.RESTORED, State.CLOSED}
    requirements = {
        "a commander": bool(incident.commander),
        "a finding": bool(incident.finding) or state not in {State.ANALYSED, State.ISOLATED, State.RESTORED},
        "a restoration": bool(incident.restoration) == restored,
        "lessons": bool(incident.lessons) == (state == State.CLOSED),
        "a reason": bool(incident.dismissal) == (state == State.DISMISSED),
        "an end": (incident.closed_at is not None) == (state in {State.CLOSED, State.DISMISSED}),
    }
    for what, fulfilled in requirements.items():
        if not fulfilled:
            yield f"{what} is expected in state {state}"
