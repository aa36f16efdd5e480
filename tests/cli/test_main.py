import inspect
import os
import re
import subprocess
import sys
import time

import pytest
from typer.main import get_command

import surefoot
from surefoot import registry
from surefoot.cli.main import app

COMMANDS = ("select", "show", "replay", "export", "plot")
EVERY = sorted(command.name for command in app.registered_commands)
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


@pytest.mark.parametrize(
    "command",
    [
        "assess",
        "variance",
        "sample-size",
        "plan",
        "rerace",
        "compare",
        "transfer",
        "simulate",
        "grid",
        "search",
    ],
)
def test_every_command_has_help_with_examples(run, command):
    _, text, _ = run(command, "--help")
    assert f"surefoot {command}" in text
    assert "Examples" in text


def parameters():
    """Every command with its arguments and options, those of groups too."""
    groups = [(get_command(app), ())]
    while groups:
        group, path = groups.pop()
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                groups.append((command, (*path, name)))
            else:
                yield (*path, name), command.params


@pytest.mark.parametrize(("path", "params"), list(parameters()))
def test_help_shows_every_word_and_bracket(run, path, params):
    shown = re.sub(r"[\s│]", "", run(*path, "--help")[1])
    for one in params:
        words = [getattr(one, "help", None) or ""]
        if isinstance(one.show_default, str):
            words.append(f"[default: ({one.show_default})]")
        for text in words:
            assert re.sub(r"[\s]", "", text.replace("\\[", "[")) in shown


def test_an_application_adds_its_commands_by_entry_points():
    added = set(registry.names("commands"))
    assert {"photons", "simulate"} <= added <= set(get_command(app).commands)


def test_the_module_is_the_command(folder):
    command = [sys.executable, "-m", "surefoot", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"surefoot {surefoot.__version__}\n"


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


def test_a_shell_completes_commands_and_options():
    def completed(*words):
        given = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        environment = os.environ | given | {"_SUREFOOT_COMPLETE": "complete_bash"}
        command = [
            sys.executable,
            "-c",
            "from surefoot.cli.main import app; app(prog_name='surefoot')",
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        return done.stdout.split()

    assert completed("surefoot", "sel") == ["select"]
    assert {"criteria", "candidates"} <= set(completed("surefoot", "list", "c"))
    assert "--json" in completed("surefoot", "show", "--js")
