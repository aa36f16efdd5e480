from pathlib import Path

import pytest

from surefoot.candidates.convnet.notation import preset
from surefoot.studies.search.space import Space
from surefoot.studies.sizes.compare import PAPER_STOPPING
from surefoot.study_files.build import baseline_of, population_of, search_of, study_of
from surefoot.study_files.read import read_study_file

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("name", "count"), [("energy.toml", 64), ("position.toml", 48)])
def test_the_demonstrations_are_as_large_as_they_say(name, count):
    file = read_study_file(EXAMPLES / name)
    study = study_of(file, population_of(file))
    assert len({candidate.key for candidate in study.candidates}) == count
    assert study.race.screen is not None


@pytest.mark.parametrize(
    "path",
    sorted(set(EXAMPLES.glob("*.toml")) - set(EXAMPLES.glob("paper-*.toml"))),
    ids=lambda path: path.stem,
)
def test_every_example_is_a_study(path):
    file = read_study_file(path)
    study = study_of(file, population_of(file))
    assert len(study.candidates) + (baseline_of(file) is not None) > 1


@pytest.mark.parametrize("name", ["energy", "position"])
def test_the_paper_scale_study_has_the_papers_numbers(run, name):
    code, out, _ = run("select", EXAMPLES / f"paper-{name}.toml", "--dry-run")
    assert code == 0
    for words in (
        "6,912 candidates",
        "round 1       6,912 candidates, 34,560 trainings, 3,456 stay",
        "round 12      3 candidates, 3 trainings, 1 stay",
        "race          41,467 trainings",
        "certificate   2 x 50 = 100 trainings",
        "total         41,567 trainings\n",
        "exhaustive    345,600 trainings",
        " h",
    ):
        assert words in out


@pytest.mark.parametrize(
    ("name", "models"), [("energy", ("model_1", "model_2")), ("position", ("model_3", "model_4"))]
)
def test_the_paper_scale_grid_holds_the_papers_models(name, models):
    file = read_study_file(EXAMPLES / f"paper-{name}.toml")
    candidates = study_of(file, population_of(file)).candidates
    assert max(candidate.number_of_parameters for candidate in candidates) <= 24_000
    assert {preset(model).key for model in models} <= {c.key for c in candidates}
    assert baseline_of(file) is not None, "transfer needs one"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("paper-*.toml")), ids=lambda path: path.stem)
def test_the_papers_studies_stop_by_the_literal_reading(path):
    stopping = read_study_file(path).tables.stopping
    for asked in (stopping, PAPER_STOPPING):
        found = asked.reading, asked.min_epochs, asked.window, asked.tolerance
        assert found == ("explosion", 100, 30, 0.1)


@pytest.mark.slow
def test_the_papers_search_is_among_its_28431_networks_and_the_two_found_are_among_them():
    file = read_study_file(EXAMPLES / "paper-nas.toml")
    asked = search_of(file, population_of(file))
    assert len(asked.candidates) == 9 * (3 + 9 + 27) * 3**4 == 28_431
    assert {preset("nas_1").key, preset("nas_2").key} <= {c.key for c in asked.candidates}
    assert asked.after == (120, 360)
    assert asked.rival == preset("model_2")
    assert asked.cost == 360 + 3 * 50
    space = Space((one.family, one.spec()) for one in asked.candidates)
    names = [choice.name for choice, _ in space.choices(28_430)]
    assert [name for name in names if name.startswith("hidden")] == [
        "hidden length",
        "hidden 1",
        "hidden 2 of 32, 64, 128",  # of two layers the second has 9 units
        "hidden 3 of 32, 64, 128",
    ]
    assert sum("channels" in name for name in names) == 2
