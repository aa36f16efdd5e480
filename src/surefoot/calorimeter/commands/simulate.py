"""``surefoot simulate``: photons in the calorimeter, into a file, with events per second."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import WorkersOption
from surefoot.errors import DataError, ExportError, nearest

ENGINES = ("fast", "geant4")
SUFFIXES = (".root", ".npz", ".parquet")


def simulate(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A (normal) or B (inclined).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help=".root, .npz or .parquet.")
    ],
    n: Annotated[int, typer.Option("--events", "-n", metavar="N", help="Photons.")] = 20_000,
    engine: Annotated[
        str, typer.Option("--with", metavar="ENGINE", help="fast, or geant4 (an extra).")
    ] = "fast",
    seed: Annotated[
        int, typer.Option("--seed", "-s", metavar="N", help="Decides every random number.")
    ] = 1,
    chunk: Annotated[
        int | None,
        typer.Option(
            "--chunk", metavar="N", help="Events at once, which bounds memory, not results."
        ),
    ] = None,
    workers: WorkersOption = None,
    noise: Annotated[
        float, typer.Option("--noise", metavar="GEV", help="Standard deviation per cell.")
    ] = 0.0,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="GEV", help="Smallest deposit kept.")
    ] = 0.0,
    physics: Annotated[
        str, typer.Option("--physics", metavar="LIST", help="Geant4's reference physics list.")
    ] = "FTFP_BERT",
    cells: Annotated[
        str, typer.Option("--cells", metavar="SIZE", help="inner, middle or outer module.")
    ] = "inner",
    first: Annotated[
        int, typer.Option("--first", metavar="N", help="Number of the first photon.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Simulate photons in the Shashlik calorimeter.

    An event depends on seed, dataset and its number alone: neither on chunks
    nor on workers. The file appears when it is complete; Ctrl-C leaves none,
    and keeps Geant4's chunks.

    [bold]Examples[/bold]

      [dim]Fast showers, thousands a second.[/dim]
      surefoot simulate A -n 500000 -o A.root

      [dim]Inclined photons in a calorimeter with noise, in GeV of visible energy.[/dim]
      surefoot simulate B -n 20000 -o b.root --noise 0.001 --threshold 0.002

      [dim]Geant4 itself, with pip install 'surefoot\\[geant4]' and its data sets.[/dim]
      surefoot simulate A -n 1000 -o real.root --with geant4
    """
    import shutil

    from surefoot import __version__
    from surefoot.calorimeter.detector import PRESETS
    from surefoot.calorimeter.root_io import write_photons
    from surefoot.calorimeter.simulation.simulate import FAST_VERSION, simulate
    from surefoot.cli.show.console import bar, console
    from surefoot.replacing import check_folder

    out = console()
    check_choices(n, output, engine, cells)
    check_folder(output, "file ")
    if output.exists() and not overwrite:
        raise ExportError(f"{output} exists already: give another name, or --overwrite")
    detector = PRESETS[cells]
    parts = output.with_name(f"{output.name}.chunks") if engine == "geant4" else None
    about = {
        "dataset": dataset,
        "events": n,
        "first": first,
        "simulation": engine,
        "seed": str(seed),
        "noise": noise,
        "threshold": threshold,
        "cells": cells,
        "pitch": detector.pitch,
        "surefoot": __version__,
        **({"physics": physics} if engine == "geant4" else {"version": FAST_VERSION}),
    }
    began = time.monotonic()
    try:
        chunks = simulate(
            dataset,
            n,
            seed,
            engine="geant4" if engine == "geant4" else "fast",
            chunk=chunk,
            workers=workers,
            first=first,
            detector=detector,
            noise=noise,
            threshold=threshold,
            physics=physics,
            folder=parts,
        )
        with bar(out, f"simulating {dataset}", n, unit="events") as advance:
            written = write_photons(output, chunks, metadata=about, progress=advance)
    except KeyboardInterrupt:
        kept = f"; finished chunks are kept in {parts}: the same command goes on" if parts else ""
        raise KeyboardInterrupt(f"{output} was not written{kept}") from None
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


def check_choices(n: int, output: Path, engine: str, cells: str) -> None:
    """Raise `DataError` unless the options name something that exists."""
    from surefoot.calorimeter.detector import PRESETS

    if n < 1:
        raise DataError(f"-n {n} photons cannot be simulated: give 1 or more")
    if engine not in ENGINES:
        raise DataError(f"--with {engine!r} does not exist: {nearest(engine, ENGINES)}")
    if cells not in PRESETS:
        raise DataError(f"--cells {cells!r} does not exist: {nearest(cells, PRESETS)}")
    if output.suffix.lower() not in SUFFIXES:
        raise DataError(f"{output} must end in .root, .npz or .parquet")
