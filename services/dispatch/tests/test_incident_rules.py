"""The life cycle of an incident and its ladder (DSP-06, DSP-07), for any order of moves."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from bihuan.common.v1.common_pb2 import CLOCK_STATE_CANCELLED, CLOCK_STATE_MET, CLOCK_STATE_MISSED, CLOCK_STATE_RUNNING
from bihuan.common.v1.common_pb2 import Clock as ClockMessage
from dispatch.incidents import rules
from dispatch.incidents.consistency import problems_of
from dispatch.incidents.incident import ONGOING, Incident, Source, State
from dispatch.incidents.ladder import Ladder
from hypothesis import given
from hypothesis import strategies as st
from servicekit.errors import Fault

from standards import load

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PLACE = "cn.gd.gz.tianhe"
LADDER = Ladder.of(load())

MOVES = {
    "join_reports": lambda incident: rules.join_reports(incident, asked_as="x", reports=3),
    "escalate": lambda incident: rules.escalate(incident, LADDER.rung(LADDER.highest, PLACE), clock="c"),
    "acknowledge": lambda incident: rules.acknowledge(incident, NOW, commander="zhang", ladder=LADDER.clocks),
    "analyse": lambda incident: rules.analyse(incident, NOW, finding="card broken"),
    "isolate": lambda incident: rules.isolate(incident, NOW),
    "restore": lambda incident: rules.restore(incident, NOW, restoration="card replaced"),
    "close": lambda incident: rules.close(incident, NOW, lessons="spare cards"),
    "dismiss": lambda incident: rules.dismiss(incident, NOW, reason="a test"),
}
ALLOWED = {
    "join_reports": set(ONGOING),
    "escalate": {State.REPORTED},
    "acknowledge": {State.REPORTED},
    "analyse": {State.ACKNOWLEDGED, State.ANALYSED, State.ISOLATED},
    "isolate": {State.ANALYSED},
    "restore": {State.ANALYSED, State.ISOLATED},
    "close": {State.RESTORED},
    "dismiss": set(ONGOING),
}


def an_incident(state: State = State.REPORTED, level: int = LADDER.lowest) -> Incident:
    return Incident(
        incident_id=UUID(int=1),
        incident_number="I2603-0000-0010",
        version=1,
        state=state,
        kind="service",
        source=Source.REPORTS,
        region=PLACE,
        categories=["internet_access"],
        level=level,
        commander=LADDER.rung(level, PLACE).commander,
        reported_at=NOW,
    )


class Life:
    """An incident with its clocks, moved by steps the way the store moves the stored one."""

    def __init__(self, level: int) -> None:
        self.incident = an_incident(level=level)
        self.clocks: dict[str, int] = {}
        self.take(rules.open_incident(self.incident, LADDER.rung(level, PLACE)))

    def take(self, step: rules.Step) -> None:
        self.incident = step.after
        self._end(self.clocks if step.cancels_all else step.cancels, CLOCK_STATE_CANCELLED)
        self._end(step.meets, CLOCK_STATE_MET)
        for clock in step.starts:
            assert self.clocks.get(clock) != CLOCK_STATE_RUNNING, "a clock can't be started twice"
            self.clocks[clock] = CLOCK_STATE_RUNNING

    def miss(self) -> None:
        """The ladder's running clock runs out, as clocks.py acts on it."""
        rung = LADDER.rung(self.incident.level, PLACE)
        if self.clocks.get(rung.clock) != CLOCK_STATE_RUNNING:
            return
        self.clocks[rung.clock] = CLOCK_STATE_MISSED
        if (above := LADDER.above(self.incident.level, PLACE)) is not None:
            self.take(rules.escalate(self.incident, above, clock=rung.clock))

    def problems(self) -> list[str]:
        clocks = [ClockMessage(name=name, state=state) for name, state in self.clocks.items()]
        return problems_of(self.incident, clocks, LADDER)

    def _end(self, names, state) -> None:
        for name in list(names):
            if self.clocks.get(name) == CLOCK_STATE_RUNNING:
                self.clocks[name] = state


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", State)
def test_dsp_07_every_move_from_every_state_is_allowed_or_refused_by_code(move, state) -> None:
    incident = an_incident(state)
    if state in ALLOWED[move]:
        assert MOVES[move](incident).after.version == incident.version + 1
    else:
        with pytest.raises(Fault) as refusal:
            MOVES[move](incident)
        assert refusal.value.code == "transition_forbidden"


@given(
    st.integers(LADDER.highest, LADDER.lowest),
    st.lists(
        st.sampled_from(["miss", "acknowledge", "analyse", "isolate", "restore", "close", "dismiss"]), max_size=12
    ),
)
def test_dsp_06_whatever_happens_an_incident_has_its_ladder_clock_and_commander(level, moves) -> None:
    life = Life(level)
    assert life.problems() == []
    for move in moves:
        before = life.incident
        if move == "miss":
            life.miss()
        else:
            with suppress(Fault):
                life.take(MOVES[move](life.incident))
        assert life.incident.level <= before.level, "the ladder only climbs"
        assert life.problems() == []


@given(st.integers(LADDER.highest, LADDER.lowest), st.sampled_from(sorted(load().regions)))
def test_dsp_06_the_ladder_ends_at_the_top_whoever_stands_on_it(level, region) -> None:
    told = [LADDER.rung(level, region)]
    while (above := LADDER.above(told[-1].level, region)) is not None:
        told.append(above)
    assert [rung.level for rung in told] == list(range(level, 0, -1))
    assert told[-1].commander == load().regions["cn"].supervisor
    assert all(rung.commander and rung.clock in LADDER.clocks for rung in told)


@given(st.sets(st.integers(1, 9), min_size=1))
def test_dsp_06_the_ladder_has_the_levels_of_the_standards_and_no_others(levels: set[int]) -> None:
    ladder = Ladder({level: (f"clock_{level}", "regional_centre") for level in levels}, load().regions)
    climbed = [ladder.rung(ladder.lowest, PLACE)]
    while (above := ladder.above(climbed[-1].level, PLACE)) is not None:
        climbed.append(above)
    assert [rung.level for rung in climbed] == sorted(levels, reverse=True)
    assert climbed[-1].level == ladder.highest


def test_dsp_06_each_level_has_its_own_commander_and_time() -> None:
    rungs = [LADDER.rung(level, PLACE) for level in (3, 2, 1)]
    assert [rung.commander for rung in rungs] == ["duty.gz", "supervisor.gz", "supervisor"]
    minutes = [load().clock(rung.clock).limit.total_seconds() / 60 for rung in rungs]
    assert minutes == [120, 60, 15]
