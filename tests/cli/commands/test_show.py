"""``surefoot show`` on a small race."""

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from tests.exports.journals import every_kind


def test_show_has_rounds_ranking_and_certificate(run, raced):
    code, out, _ = run("show", "small.db")
    assert code == 0
    assert "6 candidates, mean of relative_rmse, " in out
    assert "best mean" in out
    assert "\nrank" in out
    assert "With 95 % confidence" in out


def test_show_says_why_each_left(run, raced):
    _, out, _ = run("show", "small.db", "--eliminated")
    reasons = [line for line in out.splitlines() if "ranks" in line or "exceeds" in line]
    assert len(reasons) == 5
    assert all(line.startswith("round ") for line in reasons)


def test_show_lists_the_instances_of_a_candidate(run, raced):
    _, out, _ = run("show", "small.db", "--candidate", "winner")
    with Journal.read("small.db") as journal:
        fresh = journal.outcomes(Role.CERTIFY)
    assert sum(line.startswith("certify ") for line in out.splitlines()) == len(fresh) == 7
    assert f"{fresh[0].loss:.6g}" in out


def test_a_race_under_way_can_be_shown_and_drawn(run, raced):
    """A journal with the screen's outcomes alone is that of a race killed after its screen."""
    with Journal.read("small.db") as journal:
        screened = [o for o in journal.outcomes(Role.RACE) if o.instance == 0]
        study, known = journal.study, journal.candidates()
    candidates = [rebuild_candidate(one) for one in known.values()]
    with Journal.open("part.db", study, candidates) as part:
        part.add(*screened)
    code, out, _ = run("show", "part.db")
    assert code == 0
    assert "round 2 goes on" in out
    assert run("plot", "part.db", "part.png")[0] == 0
    code, _, err = run("replay", "part.db", "winner", 0)
    assert code == 2
    assert "no winner yet" in err


def test_the_name_of_the_study_is_said(run, raced):
    assert run("show", "small.db")[1].startswith("A small study: showers.npz: 6 candidates, ")


def test_every_kind_of_study_is_shown(run, tmp_path):
    said = {
        "assess": ["Losses", "Spread", "Certificate"],
        "promise": ["Promise       broken"],
        "variance": ["Spread", "sample alone"],
        "sample_size": ["Sample size", "plateau"],
        "compare": ["Comparison", "median (GeV)", "Bounds"],
        "grid": ["Grid          3 candidates, 5 instances", "quality"],
        "search": ["8 trials of 1 instance", "Certificate"],
        "pilot": ["24 candidates"],
    }
    for kind, path in every_kind(tmp_path).items():
        code, out, _ = run("show", path)
        assert code == 0
        for words in said.get(kind, ()):
            assert words in out, kind
        assert "instances recorded" in out.splitlines()[0]
