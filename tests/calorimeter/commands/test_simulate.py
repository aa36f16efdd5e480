"""``surefoot simulate``: files of photons, readable by select, never half of one."""

import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from surefoot.calorimeter.root_io import open_photons, read_photons
from surefoot.cli.main import INTERRUPTED

STUDY = """
[study]
seed = 5
[population]
source = "{source}"
target = "energy"
{more}
[sampling]
size = 60
[loss]
name = "relative_rmse"
[space]
family = "scaled_sum"
window = ["full", "3x3"]
[baseline]
family = "scaled_sum"
linear = true
[race]
schedule = "halving"
[certificate]
n = 3
"""


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("photons:a.root", ""),
        ("photons:a.root:photons", ""),
        ("a.root:photons", 'features = "deposits"\ngroups = "shower"'),
    ],
)
def test_what_is_simulated_is_read_by_select(run, folder, source, more):
    code, out, err = run("simulate", "A", "-n", 300, "-o", "a.root", "--workers", 1)
    assert (code, err) == (0, "")
    assert re.search(r"a\.root: 300 photons of A, [\d.]+ MB, in [\d.]+ s \([\d,]+ events/s\)", out)
    assert 'source = "photons:a.root"' in out
    (folder / "s.toml").write_text(STUDY.format(source=source, more=more))
    code, out, err = run("select", "s.toml")
    assert (code, err) == (0, "")
    assert "Winner" in out


def test_chunks_and_workers_change_no_bit_and_the_file_says_how_it_was_made(run, folder):
    run("simulate", "B", "-n", 50, "-o", "one.npz", "--chunk", 7, "--noise", 0.01, "-s", 9)
    run("simulate", "B", "-n", 50, "-o", "two.npz", "--workers", 1, "--noise", 0.01, "-s", 9)
    one, two = read_photons("one.npz"), read_photons("two.npz")
    np.testing.assert_array_equal(one.deposits, two.deposits)
    with open_photons("one.npz") as table:
        said = table.metadata
    assert (said["dataset"], said["seed"], said["noise"], said["pitch"]) == ("B", "9", 0.01, 40.4)
    run("simulate", "B", "-n", 10, "-o", "rest.npz", "--first", 40, "-s", 9, "--noise", 0.01)
    np.testing.assert_array_equal(read_photons("rest.npz").shower, one.shower[40:])
    np.testing.assert_array_equal(read_photons("rest.npz").energy, one.energy[40:])


def test_larger_cells_are_known_to_whoever_reads_the_file(run, folder):
    run("simulate", "A", "-n", 1000, "-o", "outer.npz", "--cells", "outer")
    assert np.abs(read_photons("outer.npz").x).max() > 40.4
    code, out, err = run("photons", "show", "outer.npz", "-t", "x")
    assert (code, err) == (0, "")
    error = {name: float(value) for name, value in re.findall(r"x, (\w+) +RMSE ([\d.]+) mm", out)}
    assert error["asinh"] < 0.8 * error["none"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("C",), "dataset 'C' does not exist; known are: A, B"),
        (("A", "-n", 0), "-n 0 photons cannot be simulated: give 1 or more"),
        (("A", "--noise", "nan"), "the noise must be 0 GeV or more, not nan"),
        (("A", "--threshold", -1), "the threshold must be 0 GeV or more, not -1.0"),
        (("A", "--with", "gent4"), "--with 'gent4' does not exist: did you mean 'geant4'?"),
        (("A", "--cells", "iner"), "--cells 'iner' does not exist: did you mean 'inner'?"),
        (("A", "--chunk", 0), "a chunk must hold at least 1 event, not 0"),
        (("A", "--workers", 0), "at least 1 worker is needed, not 0"),
        (("A", "--seed", -1), "study seed -1 is not in 0 … 2^64 - 1"),
        (("A", "-o", "a.txt"), "a.txt must end in .root, .npz or .parquet"),
        (("A", "-o", "no/a.root"), "file 'no/a.root' cannot be written: make the folder 'no'"),
        (("A", "-o", "showers.npz"), "showers.npz exists already: give another name"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_file(run, folder, arguments, message):
    before = sorted(folder.iterdir())
    output = () if "-o" in arguments else ("-o", "a.root")
    code, _, err = run("simulate", *arguments, *output, *(() if "-n" in arguments else ("-n", 5)))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_geant4_without_its_data_sets_is_one_sentence(run, folder, monkeypatch):
    monkeypatch.setenv("GEANT4_DATA_DIR", str(folder / "nowhere"))
    code, _, err = run("simulate", "A", "-n", 5, "-o", "a.root", "--with", "geant4")
    assert code == 2
    assert "set GEANT4_DATA_DIR" in err
    assert err.count("\n") == 1
    assert not (folder / "a.root").exists()


def test_ctrl_c_leaves_no_file_and_says_so(run, folder, monkeypatch):
    from surefoot.calorimeter import root_io

    written = root_io.write_photons

    def interrupted(path, chunks, **options):
        def some():
            yield next(iter(chunks))
            raise KeyboardInterrupt

        return written(path, some(), **options)

    monkeypatch.setattr(root_io, "write_photons", interrupted)
    code, _, err = run("simulate", "A", "-n", 400, "-o", "a.root", "--chunk", 100)
    assert code == INTERRUPTED
    assert "interrupted; a.root was not written" in err
    assert not [path for path in folder.iterdir() if "a.root" in path.name or "part" in path.name]


@pytest.mark.slow
def test_a_real_ctrl_c_ends_soon_without_a_file(folder):
    command = [sys.executable, "-c", "from surefoot.cli.main import main; main()", "simulate", "A"]
    process = subprocess.Popen(
        [*command, "-n", "5000000", "-o", "a.root"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(".a.*.part.root")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10.0
    assert process.returncode == 130
    assert "a.root was not written" in err
    assert "Traceback" not in err
    assert not [path for path in folder.iterdir() if "a." in path.name and "root" in path.name]
