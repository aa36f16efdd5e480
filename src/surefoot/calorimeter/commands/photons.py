"""``surefoot photons show``: a sample of photons as a detector physicist looks at it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.errors import ConfigurationError, DataError, JournalMismatchError, nearest
from surefoot.places import Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from surefoot.calorimeter.simulation.chunks import PhotonChunk
    from surefoot.candidates.base import Candidate
    from surefoot.data.population import Halves, Population
    from surefoot.instances import Setting

TARGETS = ("energy", "x", "y")
FORMATS = ("png", "pdf", "svg")

app = typer.Typer(no_args_is_help=True, help="Look at photon samples.")


@app.callback()
def photons() -> None:
    """Look at photon samples."""


@app.command()
def show(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A, B or a file that simulate wrote.")
    ],
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="NAME", help="energy, x or y.")
    ] = "energy",
    study: Annotated[
        Path | None,
        typer.Option("--study", "-s", metavar="STUDY", help="Show its winner's networks too."),
    ] = None,
    journal: Annotated[
        Place | None,
        typer.Option(
            "--journal",
            "-j",
            metavar="JOURNAL",
            help="The study's.",
            show_default="its name with .db",
            parser=Place.of,
        ),
    ] = None,
    retrainings: Annotated[
        int, typer.Option("--retrainings", "-r", metavar="N", help="Of the winner, trained again.")
    ] = 3,
    event: Annotated[
        int, typer.Option("--event", "-e", metavar="ROW", help="Photon to display.")
    ] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where figures go.")
    ] = Path("."),
    suffix: Annotated[
        str, typer.Option("--format", "-f", metavar="KIND", help="png, pdf or svg.")
    ] = "png",
) -> None:
    """Draw what a detector physicist looks at.

    A photon's cluster, the spectrum, and of the classical reconstructions:
    resolution with its fit and bias against energy, or residuals against impact
    point, energy and angle.

    [bold]Examples[/bold]

      [dim]The shipped Geant4 photons at normal incidence.[/dim]
      surefoot photons show A

      [dim]The position of inclined photons that you simulated.[/dim]
      surefoot photons show b.root --target x -o figures

      [dim]A race's winner beside them, three retrainings.[/dim]
      surefoot photons show A --study examples/energy.toml -j energy.db
    """
    from surefoot.calorimeter.detector import INNER
    from surefoot.calorimeter.figures import event_figure, physics_figures
    from surefoot.calorimeter.photons import load_photons, pitch_of
    from surefoot.calorimeter.physics import take
    from surefoot.calorimeter.root_io import open_photons, read_photons
    from surefoot.calorimeter.spectrum import spectrum_figure
    from surefoot.cli.show.console import busy, console, say_paths
    from surefoot.reports.files import save

    out = console()
    source = source.removeprefix("photons:")
    if target not in TARGETS:
        raise DataError(f"--target {target!r} does not exist: {nearest(target, TARGETS)}")
    if suffix not in FORMATS:
        raise ConfigurationError(f"--format {suffix!r} does not exist: {nearest(suffix, FORMATS)}")
    if not output.is_dir():
        raise ConfigurationError(f"there is no folder '{output}' for the figures: make it first")
    with busy(out, f"loading {source}"):
        population = load_photons(source, target)
        sample = read_photons(source)
        with open_photons(source) as table:
            detector = replace(INNER, pitch=pitch_of(table))
    say_sample(out, population.name, sample)
    with busy(out, "drawing the sample"):
        figures = {
            "event": event_figure(sample, event, detector),
            "spectrum": spectrum_figure(sample),
        }
    with busy(out, "reconstructing"):
        if study is None:
            halves = population.split(0)
            predictions = classical(target, halves, detector.pitch)
        else:
            setting, predictions = of_study(study, journal, retrainings, population, target)
            halves = setting.halves
        figures |= physics_figures(target, take(sample, halves.test), predictions, detector)
    say_losses(out, target, halves, predictions)
    stem = f"photons-{Path(source).stem}"
    paths = {}
    for name, drawn in figures.items():
        about = name if name in ("event", "spectrum") else f"{target}-{name}"
        paths[name] = str(save(drawn, output / f"{stem}-{about}.{suffix}"))
    say_paths(out, paths)


def say_sample(out: Console, name: str, sample: PhotonChunk) -> None:
    """Print how many photons there are and where."""
    import numpy as np

    showers = len(np.unique(sample.shower))
    angle = float(sample.theta.max())
    slope = f", angles up to {angle:.2f} rad" if angle > 0.0 else ", normal incidence"
    out.print(
        f"{name}: {len(sample):,} images of {showers:,} showers, {sample.energy.min():.3g} to "
        f"{sample.energy.max():.3g} GeV (mean {sample.energy.mean():.3g}){slope}",
        style="bold",
        soft_wrap=True,
    )


def say_losses(
    out: Console, target: str, halves: Halves, predictions: dict[str, list[NDArray[np.float32]]]
) -> None:
    """Print the loss of every reconstruction on the test half."""
    import numpy as np

    true = halves.population.target[halves.test, 0].astype(np.float64)
    out.print()
    for name, many in predictions.items():
        scale = true if target == "energy" else 1.0
        losses = [float(np.sqrt(np.mean(((one[:, 0] - true) / scale) ** 2))) for one in many]
        words = f"relative RMSE {np.median(losses):.4f}" if target == "energy" else ""
        words = words or f"RMSE {np.median(losses):.3f} mm"
        if len(many) > 1:
            words += f", median of {len(many)} retrainings ({min(losses):.4g} to {max(losses):.4g})"
        out.print(f"{name:<44}{words}", soft_wrap=True)


def classical(target: str, halves: Halves, pitch: float) -> dict[str, list[NDArray[np.float32]]]:
    """Return the classical reconstructions of the test half, fitted to the pool.

    ``pitch`` is the side of a cell in mm.
    """
    from surefoot.calorimeter.baselines import Axis, Barycentre, ScaledSum

    chosen: list[ScaledSum | Barycentre]
    if target == "energy":
        chosen = [ScaledSum(), ScaledSum(window="3x3"), ScaledSum(linear=True)]
    else:
        axis: Axis = "x" if target == "x" else "y"
        chosen = [
            Barycentre(axis=axis, correction="none", pitch=pitch),
            Barycentre(axis=axis, correction="linear", pitch=pitch),
            Barycentre(axis=axis, pitch=pitch),
            Barycentre(axis=axis, correction="log", pitch=pitch),
        ]
    population, pool, test = halves.population, halves.pool, halves.test
    return {
        one.label: [
            one.fit(population.features[pool], None, population.target[pool])(
                population.features[test], None
            )
        ]
        for one in chosen
    }


def of_study(
    study: Path, journal: Place | None, retrainings: int, population: Population, target: str
) -> tuple[Setting, dict[str, list[NDArray[np.float32]]]]:
    """Return a study's setting, and its winner's and baseline's predictions of the test half.

    Instance i of both is fresh (role ASSESS), the same for both and repeatable.

    Raises
    ------
    JournalMismatchError
        If the study is not about this sample and target.
    """
    from surefoot.calorimeter.baselines import baseline_for
    from surefoot.study_files.build import baseline_of, choose_candidate, population_of, setting_of
    from surefoot.study_files.read import read_study_file

    if retrainings < 1:
        raise ConfigurationError(f"--retrainings {retrainings} shows nothing: give 1 or more")
    file = read_study_file(study)
    own = population_of(file)
    for what, theirs, ours in (
        ("target", own.target_name, target),
        ("images", str(own.features.shape), str(population.features.shape)),
        ("data", own.fingerprint, population.fingerprint),
    ):
        if theirs != ours:
            raise JournalMismatchError(
                f"{study} is about {own.name}, {own.target_name}: its {what} ({theirs}) differ "
                f"from those shown ({ours}); show the study's own source and target"
            )
    setting = setting_of(file, own)
    winner = choose_candidate(file, own, None, journal or Place(Path(f"{study.stem}.db")))
    baseline = baseline_of(file) or baseline_for(target)
    seed, engine = file.tables.study.seed, file.tables.engine.asked
    return setting, {
        one.label: predicted(one, setting, seed, engine, count)
        for one, count in ((winner, retrainings), (baseline, retrainings))
    }


def predicted(
    candidate: Candidate, setting: Setting, seed: int, engine: str, count: int
) -> list[NDArray[np.float32]]:
    """Return the predictions [n, 1] of the test half by ``count`` instances, trained here."""

    from surefoot.engines.choose import Chooser
    from surefoot.instances import Instance
    from surefoot.seeds.ledger import InstanceSeed, Role

    chosen = Chooser(engine).choose(candidate, setting)
    population, test = setting.halves.population, setting.halves.test
    side = None if population.side is None else population.side[test]
    found = []
    for number in range(count):
        instance = Instance(candidate, InstanceSeed(seed, Role.ASSESS, number))
        training = chosen.train(instance, setting)
        if training.predictor is None:
            raise ConfigurationError(
                f"instance {number} of {candidate.label} {training.outcome.status}: "
                f"{training.outcome.message or 'there is nothing to show'}"
            )
        found.append(training.predictor.predict(population.features[test], side))
    return found
