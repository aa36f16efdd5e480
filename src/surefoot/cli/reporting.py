"""How a command ends when it cannot go on: one line on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

USAGE_ERROR = 2
INTERRUPTED = 130


@contextmanager
def reporting() -> Iterator[None]:
    """Turn errors raised on purpose into one line on stderr and exit code 2."""
    from surefoot.errors import SurefootError

    try:
        yield
    except SurefootError as error:
        typer.echo(f"surefoot: {error}", err=True)
        raise typer.Exit(USAGE_ERROR) from None
    except KeyboardInterrupt:
        typer.echo("surefoot: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(0) from None
