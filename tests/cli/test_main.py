import inspect
import subprocess
import sys
import time

import pytest

import surefoot
from surefoot.cli.main import app

COMMANDS = ("select", "show", "replay", "export", "plot")
HEAVY = ("numba", "scipy", "matplotlib", "sqlalchemy", "torch", "uproot", "pydantic", "pandas")


def test_help_names_every_command_and_a_first_step(run):
    code, out, _ = run("--help")
    assert code == 0
    assert all(f" {command} " in out for command in COMMANDS)
    assert "surefoot select examples/energy.toml --dry-run" in " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_teaches_by_examples_that_fit_80_columns(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(command, "--help")
    assert code == 0
    (found,) = [c.callback for c in app.registered_commands if c.name == command]
    written = inspect.getdoc(found).splitlines()
    examples = [line.strip() for line in written if line.strip().startswith("surefoot ")]
    shown = [line.strip() for line in out.splitlines()]
    assert len(examples) >= 3
    assert all(example in shown for example in examples)


def test_version(run):
    assert run("--version")[:2] == (0, f"surefoot {surefoot.__version__}\n")


def test_wrong_usage_is_exit_code_2(run):
    code, _, err = run("selct")
    assert code == 2
    assert "selct" in err


def test_an_error_is_one_line_on_stderr_and_exit_code_2(run, tmp_path):
    for command in ("show", "plot"):
        code, out, err = run(command, tmp_path / "none.db", *["x.png"] * (command == "plot"))
        assert code == 2
        assert out == ""
        assert err.startswith("surefoot: there is no journal")
        assert err.count("\n") == 1


def test_help_starts_quickly_and_imports_nothing_heavy():
    program = (
        "import sys\n"
        "from surefoot.cli.main import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    assert time.perf_counter() - began < 3.0
