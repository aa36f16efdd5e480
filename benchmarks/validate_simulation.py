"""Compare the fast simulation with Geant4 and redraw the figures of docs/calorimeter.md.

    python benchmarks/validate_simulation.py REFERENCE_A.npz REFERENCE_B.npz [-n 100000]

The references are npz files with the arrays of `PhotonChunk`; rows with ``copy`` above 0 are left
out. Prints the tables of the page. ``--quick`` simulates 5,000 photons; ``--thresholds`` tells
instead what the references themselves give above a threshold per cell.
"""

import argparse
import json
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from surefoot.calorimeter.corrections import fit_curve
from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.simulation import validation as v
from surefoot.calorimeter.simulation import validation_figures as figures
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.shape_gain import shape_features, shape_gain
from surefoot.calorimeter.simulation.simulate import simulate


def load(path):
    with np.load(path) as saved:
        rows = saved["copy"] == 0 if "copy" in saved else slice(None)
        return PhotonChunk(**{name: saved[name][rows] for name in PhotonChunk.__annotations__})


def fast(dataset, n, seed, workers):
    for _ in simulate(dataset, 10, seed):
        pass
    wall, cpu = time.perf_counter(), time.process_time()
    sample = v.gather(list(simulate(dataset, n, seed, workers=workers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{dataset}: {n} events, {n / wall:.0f} per second with {workers} threads, "
        f"{n / cpu:.0f} per second of CPU"
    )
    return sample, {"events per second": n / wall, "events per CPU second": n / cpu}


def gains(sample, n):
    """Gain by shape of every n showers: its mean over the blocks, its spread, their number."""
    blocks = [slice(start, start + n) for start in range(0, len(sample) - n + 1, n)]
    found = [shape_gain(v.rows(sample, block)) for block in blocks]
    return np.mean(found), np.std(found), len(found)


def spreads(sample, lowest=60.0):
    """Standard deviations of the logarithm of the shares outside 3×3 and 5×5, above an energy."""
    shapes = shape_features(sample.deposits[sample.energy > lowest])
    return shapes[:, 2].std(), shapes[:, 3].std()


def print_thresholds(dataset, reference):
    """What a threshold on every cell does to the formulas: MeV, relative errors, mm."""
    energy, x = reference.energy.astype(float), reference.x.astype(float)
    for threshold in (0.0, 1.0, 2.0, 2.5, 3.0):
        kept = np.where(reference.deposits < 1e-3 * threshold, 0, reference.deposits)
        above = replace(reference, deposits=kept)
        terms = np.stack([v.visible(above) / energy, 1 / energy], axis=1)
        line, *_ = np.linalg.lstsq(terms, np.ones(len(energy)))
        centre, _ = v.barycentre(above)
        corrected = fit_curve("asinh", centre, x, INNER.pitch)(centre)
        print(
            f"{dataset} above {threshold:.1f} MeV: scaled sum {v.scaled_sum_error(above):.5f}, "
            f"with a constant {np.sqrt(np.square(terms @ line - 1).mean()):.5f}, "
            f"gain by shape {100 * shape_gain(above):.2f} %, "
            f"x {np.sqrt(np.square(corrected - x).mean()):.3f} mm"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference_a", type=Path)
    parser.add_argument("reference_b", type=Path)
    parser.add_argument("-n", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parser.add_argument("--quick", action="store_true", help="5,000 photons, under a minute")
    parser.add_argument("--json", type=Path, help="write the tables to this file")
    parser.add_argument("--thresholds", action="store_true", help="only of the references")
    options = parser.parse_args()
    if options.thresholds:
        for dataset, path in (("A", options.reference_a), ("B", options.reference_b)):
            print_thresholds(dataset, load(path))
        return
    if options.quick:
        options.n = 5_000
    samples, found = {}, {}
    for dataset, path in (("A", options.reference_a), ("B", options.reference_b)):
        mine, found[dataset] = fast(dataset, options.n, options.seed, options.workers)
        samples[dataset] = {"Geant4": load(path), "fast": mine}
        pair = samples[dataset]
        print(f"{dataset}: {v.compare(pair['fast'], pair['Geant4'])}")
        measures = {
            "response": v.response,
            "resolution": v.resolution,
            "central": lambda s: v.fraction(s, 1),
            "3x3": lambda s: v.fraction(s, 3),
            "5x5": lambda s: v.fraction(s, 5),
        }
        for name, measure in measures.items():
            for kind, sample in pair.items():
                values = [float(x) for x in measure(sample).value]
                found[dataset][f"{name}, {kind}"] = values
                print(f"{dataset} {name:10} {kind:7} " + "  ".join(f"{x:.4f}" for x in values))
        for kind, sample in pair.items():
            a, b = v.fit_resolution(v.resolution(sample))
            print(
                f"{dataset} {kind}: scaled sum {v.scaled_sum_error(sample):.4f}, "
                f"{100 * a:.2f} %/sqrt(E) + {100 * b:.2f} %, spread outside 3x3 and 5x5 "
                "above 60 GeV " + " ".join(f"{x:.4f}" for x in spreads(sample))
            )
        showers = min(map(len, pair.values()))
        for kind, sample in pair.items():
            gain, spread, blocks = gains(sample, showers)
            print(
                f"{dataset} {kind}: gain by shape of {showers} showers {100 * gain:.2f} %, "
                f"spread {100 * spread:.2f} over {blocks} samples"
            )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = {
        "response": figures.response_figure(samples["A"]),
        "resolution": figures.resolution_figure(samples["A"]),
        "fractions": figures.fractions_figure(samples["A"]),
        "radial": figures.radial_figure(samples["A"]),
        "barycentre": figures.barycentre_figure(samples["A"], samples["B"]),
    }
    for name, figure in drawn.items():
        figure.savefig(options.out / f"calorimeter-{name}.png", dpi=110)


if __name__ == "__main__":
    main()
