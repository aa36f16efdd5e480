from pathlib import Path

import pytest

import surefoot
from surefoot.calorimeter.paper.plan import SCALES, STUDIES, chosen, paper_studies
from surefoot.calorimeter.paper.verdicts import CLAIMS, verdicts_of
from surefoot.errors import ConfigurationError, StudyFileError
from surefoot.studies.sizes.series import paper_sizes
from surefoot.study_files.build import candidates_of, population_of

ROOT = Path(__file__).parents[3]
EVERY = paper_studies()


@pytest.fixture(scope="module")
def photons():
    return {}


def test_the_examples_are_the_shipped_ones():
    examples = [*(ROOT / "examples" / "paper").iterdir()]
    assert {path.name for path in examples} == {path.name for path in STUDIES.glob("*.toml")}
    assert {path.resolve().parent for path in examples} == {STUDIES.resolve()}
    assert STUDIES.is_relative_to(Path(surefoot.__file__).parent)


def test_claims_and_studies_name_each_other():
    verdicts_of({})
    for number, claim in CLAIMS.items():
        for name in (*claim.studies, *claim.beside):
            known = [s for s in EVERY.values() if name in (s.name, s.file.stem)]
            assert all(number in one.about.claims for one in known), (number, name)
    for study in EVERY.values():
        for number in study.about.claims:
            named = (*CLAIMS[number].studies, *CLAIMS[number].beside)
            assert number == 11 or any(one.startswith(study.file.stem) for one in named), number


@pytest.mark.parametrize("name", EVERY)
def test_every_study_can_be_asked_at_every_scale(name, photons):
    study = EVERY[name]
    for scale in SCALES:
        file = study.read(scale, f"photons:{study.dataset}")
        key = study.dataset, str(file.tables.population.target)
        if key not in photons:
            photons[key] = population_of(file)
        assert candidates_of(file, photons[key])
        size, count = file.tables.compare.sizes, study.photons(scale)
        largest = paper_sizes()[-1] if size == "paper" else max(size or [0])
        largest = max(largest, file.tables.sampling.size or 0)
        assert 2 * largest <= (66_580 if count is None else count)
        if scale == "paper" and study.about.command != "search" and study.about.claims:
            assert largest in (32_000, 31_697)
        if scale != "smoke":
            assert file.tables.stopping.max_epochs >= 100


def test_studies_are_chosen_by_name_or_file_and_bring_their_selection():
    assert list(chosen(["energy"])) == ["energy-A", "energy-B"]
    assert list(chosen(["energy-B"])) == ["energy-B"]
    assert list(chosen(["transfer"])) == ["selection", "transfer"]
    assert chosen([]) == EVERY
    assert list(chosen([], claims=[16, 21, 23])) == [
        "sizes-energy-A", "sizes-position-A", "sizes-position-B",
    ]  # fmt: skip
    assert list(chosen(["nas"], claims=[27, 11])) == ["nas", "energy-B"]
    with pytest.raises(ConfigurationError, match="claims = 11 take no training"):
        chosen([], claims=[11])
    with pytest.raises(ConfigurationError, match="no claim 30"):
        chosen([], claims=[30])
    with pytest.raises(ConfigurationError, match="did you mean 'energy-"):
        chosen(["energy-C"])
    with pytest.raises(ConfigurationError, match="--scale 'lap' does not exist"):
        EVERY["nas"].changes("lap")


def test_files_that_are_no_studies_of_the_paper_are_one_sentence(tmp_path):
    with pytest.raises(StudyFileError, match="there are no study files in"):
        paper_studies(tmp_path)
    (tmp_path / "a.toml").write_text((ROOT / "examples" / "energy.toml").read_text())
    with pytest.raises(StudyFileError, match=r"a\.toml has no table \[paper\]"):
        paper_studies(tmp_path)
