import numpy as np
import pytest
from rich.console import Console

from surefoot.candidates.convnet.notation import convnet
from surefoot.cli.show.live import LiveTable, PlainLog, Progress
from surefoot.data.population import Population, Sampling
from surefoot.instances import Outcome, Setting, Status
from surefoot.learning.losses import Loss
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import Pairs
from surefoot.racing.table import LossTable
from surefoot.seeds.ledger import Role
from surefoot.studies.duration import TimeLeft

NETS = [convnet([c], input_shape=(1, 5, 5)) for c in (1, 2, 3, 4)]
KEYS = [net.key for net in NETS]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def make():
    rng = np.random.default_rng(0)
    halves = Population(rng.random((40, 25)), rng.random(40) + 1).split(1)
    setting = Setting(halves, Sampling(8), Loss("rmse"))

    def making(kind=Progress, schedule=None):
        race = Race(tuple(KEYS), "mean", schedule or Halving())
        made = kind(
            candidates=NETS,
            criterion=as_criterion("mean"),
            plan=race.plan(),
            certifying_instances=5,
            time_left=TimeLeft(NETS, setting, 1),
            clock=Clock(),
        )
        made.race = race
        return made

    return making


def outcome(key, number, loss, role=Role.RACE, seconds=2.0):
    status = Status.FINISHED if np.isfinite(loss) else Status.DIVERGED
    curve = np.array([loss], dtype=np.float32)
    return Outcome(key, role, number, 8, status, loss, curve, seconds, "fused_cpu")


def run_first_round(progress):
    state = Replay(progress.race).run(LossTable.empty(tuple(KEYS)))
    progress.started(4, 0)
    progress.round_started(state.current, len(state.need))
    for number, key in enumerate(KEYS):
        progress.outcome(outcome(key, 0, 1.0 + number))
    table = LossTable.from_outcomes([(key, 0, 1.0 + n) for n, key in enumerate(KEYS)])
    state = Replay(progress.race).run(table)
    progress.round_finished(state.rounds[0])
    return state


def test_instances_left_are_those_of_the_plan_and_the_certificate(make):
    progress = make()
    assert progress.left == 4 + 2 + 5
    state = Replay(progress.race).run(LossTable.empty(tuple(KEYS)))
    progress.started(4, 0)
    progress.round_started(state.current, 4)
    assert progress.left == 11
    progress.outcome(outcome(KEYS[0], 0, 1.0))
    assert progress.left == 10
    assert ", " in progress.status().partition("left")[2]


def test_rounds_show_survivors_and_the_best_value_so_far(make):
    progress = make()
    state = run_first_round(progress)
    (row,) = progress.rows
    assert (row.done, row.total, row.candidates, row.stay) == (4, 4, 4, 2)
    assert row.best == 1.0
    assert row.label == NETS[0].label
    progress.round_started(state.current, 2)
    progress.outcome(outcome(KEYS[1], 1, 4.0))
    assert progress.rows[-1].best == pytest.approx(3.0)
    progress.outcome(outcome(KEYS[0], 1, 2.0))
    assert progress.rows[-1].best == pytest.approx(1.5)


def test_resumed_races_count_what_was_recorded(make):
    progress = make()
    state = Replay(progress.race).run(LossTable.empty(tuple(KEYS)))
    progress.losses[KEYS[0]] = [4.0]
    progress.started(4, 1)
    progress.round_started(state.current, 3)
    assert (progress.rows[0].done, progress.rows[0].total) == (1, 4)
    progress.outcome(outcome(KEYS[0], 1, 2.0))
    assert progress.rows[0].best == pytest.approx(3.0)


def test_certificates_have_rows_of_their_own(make):
    progress = make()
    run_first_round(progress)
    progress.certifying(NETS[0], 3)
    for number in range(3):
        assert progress.left == 5 - number
        progress.outcome(outcome(KEYS[0], number, 1.0, Role.CERTIFY))
    progress.certifying(NETS[1], 2)
    assert [row.name for row in progress.rows[1:]] == ["certificate", "certificate 2"]
    assert progress.left == 2


def test_the_live_table_shows_all_of_it_in_80_columns(make):
    console = Console(width=80, record=True, highlight=False)
    table = make(LiveTable)
    state = run_first_round(table)
    table.round_started(state.current, 2)
    table.outcome(outcome(KEYS[0], 1, float("inf")))
    console.print(table.render())
    text = console.export_text()
    for words in ("round 1", "4/4", "1/2", "━━━━━━──────", "5 instances trained"):
        assert words in text
    assert "1 diverged" in text
    assert "about 6 left" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_long_wait_for_the_first_instance_is_explained(make):
    table = make(LiveTable)
    state = Replay(table.race).run(LossTable.empty(tuple(KEYS)))
    table.started(4, 0)
    table.round_started(state.current, 4)
    assert table.status().startswith("0 instances trained · about 11 left")
    table.clock.now = 4.0
    assert "never used it is compiled first" in table.status()
    table.outcome(outcome(KEYS[0], 0, 1.0))
    assert "compiles" not in table.status()


def test_the_plain_log_is_one_line_per_event(make):
    log = make(PlainLog)
    lines = []
    log.write = lines.append
    with log:
        run_first_round(log)
        log.clock.now = 11.0
        log.certifying(NETS[0], 5)
        log.outcome(outcome(KEYS[0], 0, 1.0, Role.CERTIFY))
    assert lines[0] == "round 1: 4 candidates, 4 instances to train"
    assert lines[1].startswith(f"round 1: best mean 1 ({NETS[0].label}); 2 of 4 stay")
    assert lines[2] == f"certificate: 5 fresh instances of {NETS[0].label}"
    assert lines[3].startswith("  5 instances trained · about 4 left, ")


def race_in_pairs(progress):
    """Follow a race whose last rounds are in pairs; return the losses trained."""
    losses = np.random.default_rng(3).lognormal(0, 0.1, (4, 9))
    table = LossTable.empty(tuple(KEYS))
    told = 0
    progress.started(4, 0)
    while True:
        state = Replay(progress.race).run(table)
        for finished in state.rounds[told:]:
            progress.round_finished(finished)
        told = len(state.rounds)
        if state.over:
            return state, table
        progress.round_started(state.current, len(state.need))
        new = [(key, i, losses[KEYS.index(key), i]) for key, i in state.need]
        for one in new:
            progress.outcome(outcome(*one))
        table = table.extended(new)


def test_rounds_in_which_all_stay_share_a_row(make):
    progress = make(schedule=Pairs(9, 1, separation=99.0))
    state, table = race_in_pairs(progress)
    (row,) = progress.rows
    assert len(state.rounds) > 5
    assert row.name == f"rounds 1–{len(state.rounds)}"
    assert (row.done, row.total, row.stay) == (table.count, table.count, 1)
    assert row.best == pytest.approx(float(state.rounds[-1].values[0]))


def test_the_log_says_such_rounds_once(make):
    log, said = make(PlainLog, Pairs(9, 1, separation=99.0)), []
    log.write = said.append
    with log:
        state, _ = race_in_pairs(log)
    starts, ends = said[0], said[-1]
    assert len(said) == 2
    assert starts == "round 1: 4 candidates, 4 instances to train"
    assert ends.startswith(f"rounds 1–{len(state.rounds)}: best mean")
    assert ends.endswith("1 of 4 stay")
