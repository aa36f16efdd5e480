import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import StudyFileError
from surefoot.study_files.read import read_study_file
from surefoot.study_files.schema import StudyModel

GOOD = """
[study]
name = "a study"
seed = 18446744073709551615

[population]
source = "photons:A"
target = "energy"

[loss]
name = "relative_rmse"

[space]
channels = [[8, 16], [4]]
pool = [["max2", "none"], "max2"]
learning_rate = [1e-3, 1]
"""


@pytest.fixture
def read(tmp_path):
    def reading(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return read_study_file(path).tables

    return reading


def test_a_study_file_is_read_with_its_defaults(read):
    tables = read(GOOD)
    assert tables.study.seed == 2**64 - 1
    assert tables.space[0].channels == [[8, 16], [4]]
    assert tables.space[0].learning_rate == [1e-3, 1.0]
    assert tables.sampling.method == "bootstrap"
    assert tables.certificate.n == 59
    assert tables.race.screen is False
    assert tables.baseline is None


def test_several_spaces_and_other_families(read):
    tables = read(
        GOOD.replace("[space]", "[[space]]") + '\n[[space]]\nfamily = "forest"\ntrees = [10, 100]\n'
    )
    assert [space.family for space in tables.space] == ["convnet", "forest"]
    assert tables.space[1].model_extra == {"trees": [10, 100]}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed", "sede", r"\[study\] has the unknown key 'sede': did you mean 'seed'\?"),
        ("18446744073709551615", "'a'", r"\[study\] seed = 'a' cannot be used: .* whole number"),
        ("[study]", "[studdy]", r"\[studdy\] is not a table .* did you mean 'study'\?"),
        ('[loss]\nname = "relative_rmse"', "", r"the table \[loss\] is missing"),
        ('source = "photons:A"', "", r"\[population\] needs the key 'source'"),
        ("channels", "channls", r"\[space\] has the unknown key 'channls': .*'channels'"),
        ("[[8, 16], [4]]", "'wide'", r"\[space\] channels = 'wide' .* a list of channels"),
        ("\n[study]", "seed = 1\n[study]", r"'seed' stands outside any table: .* \[study\]"),
        ("[space]", "[[space]]\nkernel = '3'\n[space2]", r"\[space2\] is not a table"),
        ("[space]", "space = 3", r"\[loss\] has the unknown key 'space'"),
        ("= [1e-3, 1]", "= true", r"learning_rate = True cannot be used: .* a number"),
        ("[study]", "[study", "is not TOML: .*line 2"),
    ],
)
def test_a_mistake_is_one_sentence(read, tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(StudyFileError, match=message) as caught:
        read(GOOD.replace(old, new))
    assert str(tmp_path / "study.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("[race]\nscreen = true", r"\[race\] screen = True .* such as 0\.2, or false"),
        ("[race]\nwarmpu = 3", "did you mean 'warmup'"),
        ("[race]\nschedule = 'halfing'", r"schedule = 'halfing' .* 'halving'"),
        ("[baseline]\ncandidate = 'x'", r"\[baseline\] needs the key 'family'"),
        ("[engine]\nworkers = 1.5", r"\[engine\] workers = 1\.5 .* whole number"),
        ("[engine]\ndevice = 'gpu'", r"\[engine\] device = 'gpu' .* 'cuda' or one GPU as 'cuda:0'"),
        ("[certificate]\nn = '59'", r"\[certificate\] n = '59'"),
        ("[stopping]\nmax_epoch = 3", "did you mean 'max_epochs'"),
    ],
)
def test_a_mistake_in_another_table_is_one_sentence(read, added, message):
    with pytest.raises(StudyFileError, match=message):
        read(f"{GOOD}\n{added}\n")


def test_the_space_at_fault_is_numbered(read):
    text = GOOD.replace("[space]", "[[space]]") + "\n[[space]]\nkernel = '3'\n"
    with pytest.raises(StudyFileError, match=r"\[\[space\]\] number 2 kernel = '3'"):
        read(text)


def test_missing_and_unreadable_files_are_named(tmp_path):
    (tmp_path / "energy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StudyFileError, match=r"no study file .* did you mean 'energy\.toml'"):
        read_study_file(tmp_path / "enrgy.toml")
    with pytest.raises(StudyFileError, match="not UTF-8"):
        read_study_file(tmp_path / "energy.toml")
    with pytest.raises(StudyFileError, match="cannot be read"):
        read_study_file(tmp_path)


toml_values = st.sampled_from(["1", "1.5", "true", "'x'", "[1]", "['x']", "[[1]]", "{a = 1}"])
keys = st.sampled_from(
    sorted({key for field in StudyModel.model_fields for key in (field, "seed", "kernel", "n")})
)


@given(st.sampled_from(sorted(StudyModel.model_fields)), keys, toml_values, st.booleans())
def test_any_wrong_file_gives_one_sentence_and_no_other_error(
    tmp_path_factory, table, key, value, several
):
    path = tmp_path_factory.mktemp("files") / "study.toml"
    header = f"[[{table}]]" if several else f"[{table}]"
    path.write_text(f"{header}\n{key} = {value}\n")
    with pytest.raises(StudyFileError) as caught:
        read_study_file(path)
    assert "\n" not in str(caught.value)
