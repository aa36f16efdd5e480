"""``surefoot simulate``: photons in the calorimeter, into a file, with events per second."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import typer

from surefoot.cli.show.console import check_folder, console
from surefoot.errors import DataError, SurefootError, nearest

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task
    from rich.text import Text

INTERRUPTED = 130
ENGINES = ("fast", "geant4")
SUFFIXES = (".root", ".npz", ".parquet")


def run(
    dataset: str,
    n: int,
    output: Path,
    engine: str,
    seed: int,
    chunk: int | None,
    workers: int | None,
    noise: float,
    threshold: float,
    physics: str,
    cells: str,
    first: int,
    overwrite: bool,
) -> None:
    """Run the command; errors are those of `surefoot.calorimeter.simulation.simulate.simulate`."""
    from surefoot.calorimeter.detector import PRESETS
    from surefoot.calorimeter.root_io import write_photons
    from surefoot.calorimeter.simulation.chunks import PhotonChunk
    from surefoot.calorimeter.simulation.simulate import simulate

    out = console()
    _check(n, output, engine, cells, overwrite)
    detector = PRESETS[cells]
    parts = output.with_name(f"{output.name}.chunks") if engine == "geant4" else None
    metadata = _about(
        dataset, n, engine, seed, noise, threshold, physics, cells, detector.pitch, first
    )
    began = time.monotonic()
    try:
        chunks: Iterator[PhotonChunk] = simulate(
            dataset,
            n,
            seed,
            engine=cast(Literal["fast", "geant4"], engine),
            chunk=chunk,
            workers=workers,
            first=first,
            detector=detector,
            noise=noise,
            threshold=threshold,
            physics=physics,
            folder=parts,
        )
        with counting_events(out, f"simulating {dataset}", n) as advance:
            written = write_photons(output, chunks, metadata=metadata, progress=advance)
    except KeyboardInterrupt:
        kept = f"; finished chunks are kept in {parts}: the same command goes on" if parts else ""
        typer.echo(f"\nsurefoot: interrupted; {output} was not written{kept}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if parts is not None:
        shutil.rmtree(parts, ignore_errors=True)
    seconds = max(time.monotonic() - began, 1e-9)
    size = output.stat().st_size / 1e6
    out.print(
        f"{output}: {written:,} photons of {dataset}, {size:,.1f} MB, in {seconds:,.1f} s "
        f"({written / seconds:,.0f} events/s)",
        soft_wrap=True,
    )
    source = f"photons:{output}"
    out.print(f'In a study file: [population] source = "{source}"', soft_wrap=True)


def _check(n: int, output: Path, engine: str, cells: str, overwrite: bool) -> None:
    from surefoot.calorimeter.detector import PRESETS

    if n < 1:
        raise DataError(f"-n {n} photons cannot be simulated: give 1 or more")
    if engine not in ENGINES:
        raise DataError(f"--with {engine!r} does not exist: {nearest(engine, ENGINES)}")
    if cells not in PRESETS:
        raise DataError(f"--cells {cells!r} does not exist: {nearest(cells, PRESETS)}")
    if output.suffix.lower() not in SUFFIXES:
        raise DataError(f"{output} must end in .root, .npz or .parquet")
    check_folder(output, "file")
    if output.exists() and not overwrite:
        raise SurefootError(f"{output} exists already: give another name, or --overwrite")


def _about(
    dataset: str,
    n: int,
    engine: str,
    seed: int,
    noise: float,
    threshold: float,
    physics: str,
    cells: str,
    pitch: float,
    first: int,
) -> dict[str, Any]:
    """Return what the file says of itself, enough to make it again."""
    from surefoot import __version__

    about: dict[str, Any] = {
        "dataset": dataset,
        "events": n,
        "first": first,
        "simulation": engine,
        "seed": str(seed),
        "noise": noise,
        "threshold": threshold,
        "cells": cells,
        "pitch": pitch,
        "surefoot": __version__,
    }
    return about | ({"physics": physics} if engine == "geant4" else {})


@contextmanager
def counting_events(out: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with events per second in a terminal; yield a function of events done."""
    if not out.is_terminal:
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text as RichText

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return RichText("" if speed is None else f"{speed:,.0f} events/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, refresh_per_second=4) as progress:
        task = progress.add_task(what, total=total)
        yield lambda events: progress.advance(task, events)
