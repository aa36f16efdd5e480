"""A module beside the study file, or beside the journal, is found once it is trusted."""

import subprocess
import sys

MODULE = """
import surefoot

@surefoot.candidate
def middle(draw, seed, *, shrink=1.0):
    mean = shrink * draw.target.mean(axis=0)
    return lambda features: mean.repeat(len(features))
"""
STUDY = """
[population]
source = "../showers.npz"
features = "cells"
target = "energy"
[sampling]
size = 60
[loss]
name = "rmse"
[space]
family = "function"
function = "my_beside.middle"
parameters = { shrink = [0.9, 1.0] }
[race]
limit = 4
[certificate]
n = 1
[engine]
workers = 1
"""


def surefoot(*arguments):
    command = [sys.executable, "-m", "surefoot", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_module_beside_is_found_where_it_is_trusted(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "my_beside.py").write_text(MODULE)
    (folder / "sub" / "s.toml").write_text(STUDY)
    done = surefoot("select", "sub/s.toml", "-j", "sub/s.db", "--trust", "my_beside", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    again = surefoot("replay", "sub/s.db", "winner", "0", "--trust", "my_beside")
    assert again.returncode == 0, again.stderr
    assert "agree to the last bit" in again.stdout
    untrusted = surefoot("replay", "sub/s.db", "winner", "0")
    assert untrusted.returncode == 2
    assert "--trust my_beside" in untrusted.stderr
