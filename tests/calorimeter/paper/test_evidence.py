import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.calorimeter.paper.evidence import read_evidence, recorded_study, write_summary
from surefoot.calorimeter.paper.figures import paper_figures
from surefoot.calorimeter.paper.verdicts import verdicts_of
from surefoot.errors import DataError, ExportError, StatisticsError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.sizes.compare import CompareStudy
from tests.calorimeter.paper.recorded import losses, study
from tests.fakes import Fake, fake_setting


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A comparison of two candidates and a baseline at two sizes."""
    path = tmp_path_factory.mktemp("paper") / "energy-A.db"
    asked = CompareStudy(
        candidates=(Fake(quality=1.0), Fake(quality=2.0)),
        names=("one", "two"),
        baseline=Fake(quality=3.0),
        setting=fake_setting(),
        sizes=[4, 8],
        n=6,
        engine="fake",
    )
    with asked.open(path, {"paper": {"study": "energy-A", "scale": "laptop"}}) as record:
        with LocalExecutor(1, "fake") as executor:
            asked.run(record, executor=executor)
        return path, asked.result(record)


def test_a_journal_says_what_its_study_found(journal):
    path, answer = journal
    found = read_evidence([path])["energy-A"]
    assert (found.scale, found.kind, found.sizes) == ("laptop", "compare", (4, 8))
    assert found.names[found.baseline] == Fake(quality=3.0).label
    comparison = found.comparison()
    assert comparison.names[:2] == ("one", "two")
    assert (comparison.losses == answer.losses).all()
    assert comparison.reference == answer.reference
    with Journal.read(path) as record:
        outcomes = [o for o in record.outcomes(Role.COMPARE) if o.sample == 8]
    recorded = {(o.candidate, o.instance): o.curve for o in outcomes if o.epochs > 1}
    told = {(one.candidate, one.instance): one for one in found.told if one.sample == 8}
    for key, curve in recorded.items():
        assert told[key].best == curve.min()
        assert (told[key].curve == curve).all()
    assert all(not one.curve.size for one in found.told if one.sample == 4)


def test_a_summary_says_what_its_journal_does_and_is_whole_or_not_at_all(journal, tmp_path):
    (known,) = read_evidence([journal[0]]).values()
    write_summary(known, tmp_path / "energy-A.parquet")
    (again,) = read_evidence([tmp_path]).values()
    assert_same(again, known)
    assert again.description["stopping"]["max_epochs"] >= 1
    assert "candidates" not in again.description
    with pytest.raises(ExportError, match=r"use one of \.parquet"):
        write_summary(known, tmp_path / "summary.csv")


def test_verdicts_and_figures_are_the_same_from_a_summary(tmp_path):
    rows = {(name, size): losses(1.0) for name in ("model 3", "model 4") for size in (8000, 32000)}
    rows["model 4", 32000] = np.append(losses(1.0)[:-1], np.inf)
    curves = {"model 3": np.linspace(2.0, 1.0, 100)}
    made = study("sizes-position-B", rows, curves=curves, baseline="model 4")
    odd = replace(made.told[0], status="failed", loss=np.inf, best=np.inf, seconds=0.1)
    made = replace(made, told=(odd, *made.told[1:]))
    write_summary(made, tmp_path / "a.parquet")
    again = read_evidence([tmp_path])
    assert_same(again["sizes-position-B"], made)
    known = {"sizes-position-B": made}
    assert list(map(str, verdicts_of(again))) == list(map(str, verdicts_of(known)))
    views = [{name: asdict(view) for name, view in paper_figures(one)} for one in (again, known)]
    assert {"fig9-sizes-position-B", "fig16-sizes-position-B"} < set(views[1])
    np.testing.assert_equal(*views)


def test_a_journal_goes_before_the_summary_beside_it(journal, tmp_path):
    path, _ = journal
    (known,) = read_evidence([path]).values()
    stale = replace(known, told=known.told[:3])
    write_summary(stale, tmp_path / "z.parquet")
    assert len(read_evidence([tmp_path])["energy-A"].told) == 3
    shutil.copy(path, tmp_path / "a.db")
    assert_same(read_evidence([tmp_path])["energy-A"], known)


def test_a_study_that_goes_on_is_told_of_and_replaces_none_that_is_complete(journal, tmp_path):
    path, _ = journal
    (known,) = read_evidence([path]).values()
    assert (known.complete, known.progress) == (True, "36 of 36 instances")
    write_summary(known, tmp_path / "whole.parquet")
    more = shutil.copy(path, tmp_path / "more.db")
    with Journal.open(more, known_study(path)) as record:
        record.note({"instances": 60})
    (begun,) = read_evidence([tmp_path / "more.db"]).values()
    assert (begun.complete, begun.progress) == (False, "36 of 60 instances")
    assert read_evidence([tmp_path])["energy-A"].complete
    again = replace(known, told=known.told[:30])
    write_summary(again, tmp_path / "whole.parquet")
    assert len(read_evidence([path, tmp_path / "whole.parquet"])["energy-A"].told) == 30


def known_study(path):
    with Journal.read(path) as record:
        return record.study


def assert_same(one, other):
    """Fail unless two recorded studies agree to the bit, curves and losses of +inf included."""
    np.testing.assert_equal(asdict(one), asdict(other))
    assert {a.curve.dtype for a in one.told} == {np.dtype(np.float32)}


def test_what_is_no_summary_is_one_sentence(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="is no journal"):
        read_evidence([tmp_path / "a.txt"])
    (tmp_path / "a.parquet").write_bytes(b"x")
    with pytest.raises(DataError, match="no summary of a journal"):
        read_evidence([tmp_path / "a.parquet"])


def test_a_study_that_lacks_instances_says_so():
    made = study("s", {("a", 10): losses(1.0), ("b", 20): losses(1.0)})
    with pytest.raises(StatisticsError, match="s has no size with two instances of everybody yet"):
        made.comparison()
    with pytest.raises(StatisticsError, match="s has no instance of a at 20 examples"):
        made.of("a")


def test_a_formula_has_no_curves(tmp_path):
    asked = CompareStudy(
        candidates=(Fake(quality=1.0), Fake(quality=2.0)), setting=fake_setting(), sizes=[4], n=2,
        engine="fake",
    )  # fmt: skip
    with asked.open(tmp_path / "a.db") as record, LocalExecutor(1, "fake") as executor:
        asked.run(record, executor=executor)
        found = recorded_study(record)
    assert (found.study, found.scale) == ("a", "")
    assert ScaledSum().label not in found.names.values()
