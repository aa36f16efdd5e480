"""``surefoot paper`` with formulas in place of networks, and with everything."""

import json
import re
from dataclasses import asdict

import numpy as np
import pytest

from surefoot.calorimeter.paper import run as paper_run
from surefoot.calorimeter.paper.evidence import read_evidence, write_summary
from surefoot.calorimeter.paper.figures import paper_figures
from surefoot.calorimeter.paper.run import PaperRun, run_paper
from surefoot.calorimeter.paper.verdicts import verdicts_of
from surefoot.calorimeter.simulation.simulate import FAST_VERSION
from surefoot.journal import Journal, identity

STUDY = """
[study]
name = "Formulas"
seed = 1

[population]
source = "photons:A"
target = "energy"

[loss]
name = "relative_rmse"

[[space]]
name = "model 2"
family = "scaled_sum"
linear = true

[[space]]
name = "model 2, ema"
family = "scaled_sum"
window = "5x5"

[[space]]
name = "XGBoost, paper's features"
family = "scaled_sum"
window = "3x3"

[baseline]
name = "scaled sum"
family = "scaled_sum"

[compare]
sizes = [200, 400]
instances = 6

[paper]
command = "compare"
claims = [17, 18]
sources = ["A", "B"]

[paper.smoke]
photons = 2_000
"""


@pytest.fixture
def studies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "energy.toml").write_text(STUDY)
    return tmp_path


def test_a_run_simulates_trains_tells_verdicts_and_goes_on(run, studies):
    asked = ("--scale", "smoke", "--studies", "files", "-w", 2)
    code, out, err = run("paper", "run", "energy-A", *asked)
    assert (code, err) == (0, "")
    assert "energy-A (1 of 1): Formulas; about" in out
    assert "trainings: 48 to go" in out
    assert re.search(r"\n17 .*cannot be decided here +The study energy-B has not been run", out)
    assert sorted(p.name for p in (studies / "paper-smoke").iterdir()) == [
        "energy-A.db", f"photons-A-2000-v{FAST_VERSION}.root",
    ]  # fmt: skip
    code, out, _ = run("paper", "run", *asked)
    assert code == 0
    assert out.count("48 to go") == 1
    assert re.search(r"\n18 .*cannot be decided here +There it is", out)
    assert "400 examples, not 32,000" in " ".join(out.split())
    (studies / "sums").mkdir()
    code, out, err = run("paper", "summarise", "-o", "sums")
    assert (code, err) == (0, "")
    assert re.search(r"2 studies, 96 instances, 0\.0\d MB in sums\n", out)
    told = [run("paper", "verdicts", 17, 18, "--json", "--from", place)[1]
            for place in ("paper-smoke", "sums", "sums/energy-A.parquet")]  # fmt: skip
    assert told[0] == told[1] != told[2]
    (first, second) = json.loads(told[0])
    assert (first["claim"], first["scale"]) == (17, "smoke")
    assert first["rule"].startswith("Seen if model 2's spread is above")
    assert second["command"] == "surefoot paper run energy"
    code, out, _ = run("paper", "list", "--scale", "smoke", "--studies", "files")
    assert re.search(r"energy-B +compare +17 18 +B, 2,000 fast +48 of 48 instances", out)
    (studies / "figs").mkdir()
    code, out, err = run("paper", "figures", "-o", "figs", "-f", "svg")
    assert (code, err) == (0, "")
    assert {"fig6-energy-A.svg", "fig6-energy-B.svg", "fig11-cells.svg"} <= {
        path.name for path in (studies / "figs").iterdir()
    }


def test_fewer_instances_go_on_to_more_and_studies_share_their_trainings(run, studies):
    def counted(*asked):
        out = run("paper", "run", "--scale", "smoke", "--studies", "files", "-w", 1, *asked)[1]
        return list(map(int, re.findall(r"trainings: (\d+) to go", out)))

    head, tail = STUDY.split('[[space]]\nname = "model 2, ema"')
    _, tail = tail.split("[baseline]")
    (studies / "files" / "pair.toml").write_text(f"{head}\n[baseline]{tail}")
    assert counted("pair-A", "-i", 4) == [16]
    assert counted("pair-A") == [8]
    assert counted("energy-A", "-i", 5) == [20]
    with Journal.read(studies / "paper-smoke" / "energy-A.db") as journal:
        assert journal.notes()["taken_over"] == {"pair-A": 20}
        taken = {identity(one): one.loss for one in journal.outcomes()}
    with Journal.read(studies / "paper-smoke" / "pair-A.db") as journal:
        pairs = {identity(one): one.loss for one in journal.outcomes()}
    assert len(pairs) == 24
    assert {key: loss for key, loss in pairs.items() if key[2] < 5}.items() <= taken.items()
    assert counted("energy-A") == [4]
    for asked, words in ((("-i", 3), "24 instances"), ((), "48 of 48 instances")):
        assert counted("energy-A", *asked) == []
        (told,) = read_evidence([studies / "paper-smoke" / "energy-A.db"]).values()
        assert told.complete
        assert told.progress.endswith(words)
    # All of one may be another's: it has a journal of its own, too.
    (studies / "files" / "again.toml").write_text(f"{head}\n[baseline]{tail}")
    assert counted("again-A") == []
    with Journal.read(studies / "paper-smoke" / "again-A.db") as journal:
        assert (journal.count(), journal.notes()["taken_over"]) == (24, {"energy-A": 24})
    (studies / "files" / "again.toml").unlink()
    # Of two that are to be trained, both counted once and each journal whole.
    assert sorted(counted("energy-B", "pair-B")) == [24, 24]
    for name, number in (("energy-B", 48), ("pair-B", 24)):
        with Journal.read(studies / "paper-smoke" / f"{name}.db") as journal:
            assert journal.count() == number
    code, out, _ = run("paper", "run", "--scale", "smoke", "--studies", "files", "-w", 1)
    assert code == 0
    assert "4 of 4 studies are recorded already" in out
    assert "to go" not in out
    assert re.search(r"\n17 ", out)


def test_claims_choose_their_studies(run, studies):
    asked = ("--scale", "smoke", "--studies", "files", "--dry-run", "--claims")
    code, _, err = run("paper", "run", *asked, "15-17,27")
    assert (code, "the paper has no study 'sizes-energy'" in err) == (2, True)
    code, out, _ = run("paper", "run", *asked, "17-18,27", "-i", 3)
    assert code == 0
    assert re.search(r"\nall +48 +", out)
    code, out, _ = run("paper", "run", *asked, "27")
    assert (code, "energy-A" in out) == (0, False)


def test_a_dry_run_counts_and_an_interrupted_one_goes_on(run, studies, monkeypatch):
    asked = ("--scale", "smoke", "--studies", "files", "-w", 1)
    code, out, _ = run("paper", "run", *asked, "--dry-run")
    assert code == 0
    assert re.search(r"\nall +96 +", out)
    assert not list((studies / "paper-smoke").glob("*.db"))
    real = PaperRun.train

    def interrupted(self, study, *rest):
        if study.name == "energy-B":
            raise KeyboardInterrupt
        return real(self, study, *rest)

    monkeypatch.setattr(PaperRun, "train", interrupted)
    code, _, err = run("paper", "run", *asked)
    assert code == 130
    assert "every finished instance is kept in paper-smoke: the same command goes on" in err
    monkeypatch.setattr(PaperRun, "train", real)
    code, out, _ = run("paper", "run", *asked)
    assert code == 0
    assert out.count("48 to go") == 1
    with Journal.read(studies / "paper-smoke" / "energy-A.db") as journal:
        assert journal.notes()["paper"] == {"study": "energy-A", "scale": "smoke"}


def test_a_journal_of_an_earlier_simulation_is_refused(run, studies, monkeypatch):
    asked = ("--scale", "smoke", "--studies", "files", "-w", 1)
    assert run("paper", "run", "energy-A", *asked)[0] == 0
    monkeypatch.setattr(paper_run, "FAST_VERSION", FAST_VERSION + 1)
    monkeypatch.setattr(paper_run, "SEED", 7)
    code, _, err = run("paper", "run", "energy-A", *asked)
    assert code == 2
    assert "paper-smoke/energy-A.db" in err
    assert "population" in err


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("run", "energies"), "the paper has no study 'energies': did you mean 'energy"),
        (("run", "--scale", "small"), "--scale 'small' does not exist"),
        (("run", "--folder", "nowhere"), "there is no folder 'nowhere': make it first"),
        (("run", "--claims", "15-"), "--claims '15-' cannot be read"),
        (("run", "--claims", "18-15"), "--claims '18-15' runs backwards: write 15-18"),
        (("run", "--claims", "1-10000000000"), "the paper has no claim 10000000000 here"),
        (("run", "--claims", "31"), "the paper has no claim 31 here"),
        (("run", "--claims", "11"), "claims = 11 take no training: surefoot paper verdicts 11"),
        (("verdicts", "40"), "the paper has no claim 40 here"),
        (("verdicts", "--from", "none.db"), "there is no 'none.db'"),
        (("figures", "-o", "nowhere"), "there is no folder 'nowhere'"),
        (("summarise", "-o", "nowhere"), "there is no folder 'nowhere' for the summaries"),
        (("figures", "-f", "gif"), "--format 'gif' does not exist"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(run, studies, asked, message):
    code, _, err = run("paper", *asked)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err


def test_verdicts_are_written_into_a_page(run, studies):
    page = studies / "page.md"
    page.write_text("<!-- verdicts: begin --><!-- verdicts: end -->\n")
    code, _, err = run("paper", "verdicts", "--docs", page)
    assert (code, err) == (0, "")
    assert "| 11 | The selection takes 41,567 trainings" in page.read_text()


@pytest.mark.slow
def test_smoke_runs_everything_end_to_end(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_paper(scale="smoke", folder=tmp_path)
    assert {f"{name}.db" for name in done.studies} == {p.name for p in tmp_path.glob("*.db")}
    code, out, err = run("paper", "verdicts", "--from", ".")
    assert (code, err) == (0, "")
    assert "has not been run" not in out
    assert "is not complete" not in out
    assert re.search(r"\n29 ", out)
    (tmp_path / "sums").mkdir()
    known = read_evidence([tmp_path])
    for name, study in known.items():
        write_summary(study, tmp_path / "sums" / f"{name}.parquet")
    again = read_evidence([tmp_path / "sums"])
    assert list(map(str, verdicts_of(again))) == list(map(str, verdicts_of(known)))
    views = [{name: asdict(view) for name, view in paper_figures(one)} for one in (again, known)]
    assert len(views[0]) > 12
    np.testing.assert_equal(*views)
