import numpy as np
import pytest

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.calorimeter.paper.evidence import read_evidence, recorded_study, write_evidence
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


def test_a_summary_gives_the_same_verdicts_and_is_whole_or_not_at_all(journal, tmp_path):
    rows = {(name, size): losses(1.0) for name in ("model 3", "model 4") for size in (8000, 32000)}
    rows["model 4", 32000] = np.append(losses(1.0)[:-1], np.inf)
    made = study("sizes-position-B", rows, curves={"model 3": np.linspace(2.0, 1.0, 100)})
    known = {"sizes-position-B": made, **read_evidence([journal[0]])}
    file = tmp_path / "summary.parquet"
    write_evidence(list(known.values()), file)
    again = read_evidence([tmp_path])
    assert list(map(str, verdicts_of(again))) == list(map(str, verdicts_of(known)))
    one, other = known["sizes-position-B"].told, again["sizes-position-B"].told
    assert one == other
    assert all((a.curve == b.curve).all() for a, b in zip(one, other, strict=True))
    with pytest.raises(ExportError, match=r"use one of \.parquet"):
        write_evidence([made], tmp_path / "summary.csv")


def test_what_is_no_summary_is_one_sentence(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="is no journal"):
        read_evidence([tmp_path / "a.txt"])
    (tmp_path / "a.parquet").write_bytes(b"x")
    with pytest.raises(DataError, match="no summary of the paper's journals"):
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
