import numpy as np
import pytest

from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.data.population import Population, Sampling
from surefoot.errors import StudyFileError
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.screen import Screen
from surefoot.study_files.build import baseline_of, candidates_of, read_study, rules_of, setting_of
from surefoot.study_files.read import read_study_file

BASE = """
[population]
source = "x.npz"
[loss]
name = "rmse"
[space]
channels = [[4], [4, 6]]
kernel = 3
pool = "max2"
side = [true, false]
side_layer = 0
learning_rate = [1e-3, 1e-2]
batch_size = 16
"""


@pytest.fixture
def population():
    rng = np.random.default_rng(1)
    return Population(
        rng.random((40, 144)), rng.random((40, 2)) + 1, side=rng.random((40, 3)), name="cells"
    )


@pytest.fixture
def study(tmp_path):
    """Return a function that writes a small study file, data beside it, with a line in a table."""
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "d.npz", x=rng.random((40, 2)), y=rng.random(40))

    def writing(table, line):
        tables = {
            "population": 'source = "d.npz"\nfeatures = "x"\ntarget = "y"\n',
            "loss": 'name = "rmse"\n',
            "space": 'family = "scaled_sum"\nlinear = [true, false]\n',
            "baseline": 'family = "scaled_sum"\n',
        }
        tables[table] = tables.get(table, "") + line + "\n"
        text = "".join(f"[{name}]\n{lines}" for name, lines in tables.items())
        (tmp_path / "s.toml").write_text(text)
        return tmp_path / "s.toml"

    return writing


@pytest.fixture
def file(tmp_path):
    def reading(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return read_study_file(path)

    return reading


def test_candidates_are_completed_by_the_population(file, population):
    candidates = candidates_of(file(BASE), population)
    assert len(candidates) == 8
    assert (
        ConvNet(
            (Conv(4, pool=Pool("max", 2)), Conv(6, pool=Pool("max", 2))),
            side=3,
            side_layer=0,
            input_shape=(1, 12, 12),
            outputs=2,
            learning_rate=1e-3,
            batch_size=16,
        )
        in candidates
    )
    assert {net.side for net in candidates} == {0, 3}


def test_unions_and_conditions(file, population):
    text = BASE.replace("[space]", "[[space]]\nconditions = ['learning_rate > 1e-3 or not side']")
    text += "[[space]]\nchannels = [4]\nmax_parameters = 500\nkernel = [1, 2, 7]\n"
    candidates = candidates_of(file(text), population)
    assert sum(net.learning_rate == 1e-3 and net.side > 0 for net in candidates) == 0
    alone = [net for net in candidates if net.convolutions[0].pool is None]
    assert [net.convolutions[0].kernel for net in alone] == [7]


def test_networks_without_convolutions_take_any_number_of_features(file):
    table = Population(np.ones((9, 7)), np.ones((9, 2)), name="table")
    head = BASE.partition("[space]")[0]
    space = "[space]\nchannels = []\nhidden = [[8], [8, 4]]\nscale = [true, false]\n"
    nets = candidates_of(file(head + space), table)
    assert [(net.hidden, net.scale) for net in nets] == [
        (hidden, scale) for hidden in ((8,), (8, 4)) for scale in (True, False)
    ]
    assert {(net.input_shape, net.outputs, net.convolutions) for net in nets} == {
        ((1, 1, 7), 2, ())
    }
    with pytest.raises(StudyFileError, match="the 7 features of table are no square image"):
        candidates_of(file(head + "[space]\nchannels = [[], [4]]\n"), table)
    for wrong in ("[]", "[2, 3]"):
        text = head + f"[space]\nchannels = []\ninput_shape = {wrong}\n"
        with pytest.raises(StudyFileError, match="does not hold the 7 features"):
            candidates_of(file(text), table)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kernel = 3", "kernel = 5", r"\[space\] kernel 5 of conv2 is larger"),
        ("batch_size = 16", "batch_size = 16\nmax_parameters = 10", "max_parameters = 10: relax"),
        ('pool = "max2"', 'pool = "max"', "pool = 'max' is not a pooling"),
        ("side_layer = 0", "input_shape = [2, 9, 9]", "does not hold the 144 features of cells"),
        ("batch_size = 16", "batch_size = 16\nactivation = 'rely'", "did you mean 'relu'"),
    ],
)
def test_impossible_spaces_name_file_and_table(file, population, old, new, message):
    with pytest.raises(StudyFileError, match=message) as caught:
        candidates_of(file(BASE.replace(old, new)), population)
    assert "study.toml: [space]" in str(caught.value)


def test_recipes_are_choices_of_networks_and_modules(file, population):
    recipe = """
objective = ["root", "square"]
schedule = ["constant", "cosine(0.01)"]
warmup = 2
average = ["none", "ema(2 epochs)", "last(0.5)"]
clip = ["none", 1.0]
"""
    nets = candidates_of(file(BASE + recipe), population)
    assert len(nets) == 8 * 24
    assert {net.average for net in nets} == {"none", "ema(2 epochs)", "last(0.5)"}
    assert {(net.clip, net.warmup) for net in nets} == {(None, 2.0), (1.0, 2.0)}
    factory = "[[space]]\nfamily = 'module'\nfactory = 'surefoot.candidates.resnet.ResNet'\n"
    modules = candidates_of(file(BASE.partition("[space]")[0] + factory + recipe), population)
    assert len(modules) == 24
    assert {module.schedule for module in modules} == {None, "cosine(0.01)"}
    text = BASE + recipe.replace("last(0.5)", "last(5)")
    with pytest.raises(StudyFileError, match=r"study.toml: \[space\] average 'last\(5\)': 5 must"):
        candidates_of(file(text), population)


def test_side_features_must_exist_and_images_be_square(file):
    rng = np.random.default_rng(1)
    with pytest.raises(StudyFileError, match="plain has no side features"):
        candidates_of(file(BASE), Population(rng.random((8, 144)), rng.random(8), name="plain"))
    with pytest.raises(StudyFileError, match="the 80 features of plain are no square image"):
        candidates_of(
            file(BASE.replace("side = [true, false]", "")),
            Population(rng.random((8, 80)), rng.random(8), name="plain"),
        )


def test_setting(file, population):
    text = BASE + "[sampling]\nsize = 9\ntest_size = 5\n[stopping]\nmax_epochs = 7\n"
    setting = setting_of(file(text + "[study]\nseed = 3\n"), population)
    assert setting.sampling == Sampling(9, "bootstrap", 5)
    assert setting.loss == Loss("rmse")
    assert setting.stopping == Stopping(max_epochs=7)
    assert setting.halves.pool.tolist() == population.split(3).pool.tolist()
    rooted = BASE.replace('"rmse"', '"rmse"\nobjective = "root"\nplain_curves = true')
    setting = setting_of(file(rooted), population)
    assert setting.loss == Loss("rmse", objective="root")
    assert setting.plain_curves


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("[sampling]\nsize = 21\nmethod = 'subsample'", r"\[sampling\] a sample of 21 .* pool"),
        ("[sampling]\nmethod = 'bootstrp'", r"\[sampling\] .*'bootstrp' is unknown"),
        ("[stopping]\nwindow = 0", r"\[stopping\] stopping window = 0"),
    ],
)
def test_impossible_settings_name_file_and_table(file, population, added, message):
    with pytest.raises(StudyFileError, match=message):
        setting_of(file(f"{BASE}\n{added}\n"), population)


def test_rules_of_the_race(file):
    rules = rules_of(file(BASE + "[race]\nschedule = 'halving'\nwarmup = 5\nlimit = 99\n"), 64)
    assert rules == {
        "schedule": Halving(warmup=5),
        "rule": None,
        "rungs": None,
        "max_instances": None,
        "limit": 99,
        "screen": None,
        "cost": "instances",
    }
    assert baseline_of(file(BASE)) is None


@pytest.mark.parametrize(
    ("race", "message"),
    [
        ("warmup = 5", "warmup = 5 has no meaning for schedule = 'default': .* 'halving', 'fl"),
        (
            "schedule = 'halving'\nkeep = 1.5",
            r"keep = 1\.5 cannot be used: give a share",
        ),
        ("rule = 'quantile'", r"rule 'quantile' cannot judge 'mean'; take a criterion such as"),
        ("schedule = 'exact_max'", r"'exact_max' is of the criterion 'max' alone, not of 'mean'"),
        ("rule = 'test'\nmax_instances = 4", r"before 5 instances of each, but max_instances = 4"),
    ],
)
def test_impossible_rules_name_file_and_table(file, race, message):
    with pytest.raises(StudyFileError, match=rf"study\.toml: \[race\] .*{message}"):
        rules_of(file(f"{BASE}[race]\n{race}\n"), 64)


def test_a_screen_needs_a_baseline(file):
    with pytest.raises(StudyFileError, match=r"screen = 0\.2 compares with a baseline"):
        rules_of(file(BASE + "[race]\nscreen = 0.2\n"), 64)
    text = BASE + "[race]\nscreen = 0.3\nscreen_margin = 'noise'\n[baseline]\nfamily = 'x'\n"
    assert rules_of(file(text), 64)["screen"] == Screen(tolerance=0.3, margin="noise")
    with pytest.raises(StudyFileError, match=r"\[baseline\] 'x' is not a known name"):
        baseline_of(file(text))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        *(("race", f"limit = {one}") for one in ("-5", "0", "1", "nan", "inf")),
        *(("race", f"max_instances = {one}") for one in ("-5", "0", "1_000_000_000")),
        ("race", "screen = nan"),
        ("sampling", "size = 0"),
        ("sampling", "size = 1_000_000_000"),
        ("sampling", "test_size = -1"),
        ("stopping", "tolerance = nan"),
        ("stopping", "max_epochs = 1_000_000_000"),
        ("population", "pool_fraction = nan"),
        *(("certificate", f"n = {one}") for one in ("-1", "1_000_000_000")),
        *(("certificate", f"content = {one}") for one in ("nan", "0.0", "1.0", "inf")),
    ],
)
def test_numbers_that_are_none_are_refused(study, table, line):
    path = study(table, line)
    with pytest.raises(StudyFileError, match=rf"\[(race|{table}|study|certificate)\]"):
        read_study(path)


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("", "auto"),
        ('device = "cpu"', "auto(cpu)"),
        ('name = "torch_stacked"\ndevice = "cuda:1"', "torch_stacked(cuda:1)"),
        ('name = "direct"\ndevice = "auto"', "direct"),
    ],
)
def test_the_engine_and_its_device(study, line, asked):
    found = read_study(study("engine", line))
    assert found.engine == found.description.json()["engine"] == asked
    assert read_study(study("engine", line), engine="direct").engine == "direct"
