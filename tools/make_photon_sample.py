"""Make the shipped Geant4 sample: the images as simulated, losslessly, as small as they go.

    python tools/make_photon_sample.py photons_A.npz src/surefoot/calorimeter/data/photons_A.root

The source holds `deposits` [N, 225] float32 GeV, `energy`, `x`, `y`, `theta`, `phi`, `shower`,
`outside` and `copy`; images with `copy` = 0 are kept, all others are reflections of them.

The numbers are kept bit for bit. Deposits are noise below their first digits, so the size is in
the coder: LZMA with its literal contexts aligned to the four bytes of a float (lp=2, lc=0) instead
of the default (lp=0, lc=3) saves 7 %. Any reader of ROOT's LZMA reads it.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from surefoot.calorimeter.root_io import read_photons, write_photons
from surefoot.calorimeter.simulation.chunks import PhotonChunk

COLUMNS = ("deposits", "energy", "x", "y", "theta", "phi", "outside")
ROWS = 8_192
BEAMS = {
    "A": "normal incidence; energy uniform in 1-100 GeV; x, y at the front face",
    "B": "energy falling roughly exponentially in 1-100 GeV (mean 25 GeV); projected angles within "
    "0.31 rad, correlated with energy (Gaussian copula, rho = -0.5, an assumption); x, y of the "
    "shower axis at a depth of 130 mm: x at the front is x - 130 tan(theta) cos(phi)",
}


class FloatLZMA(uproot.LZMA):  # type: ignore[misc]
    """LZMA whose literal coder knows the place of a byte in its float."""

    def compress(self, data: bytes) -> bytes:
        """Return an xz stream."""
        coder = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}
        return lzma.compress(data, filters=[coder | {"lc": 0, "lp": 2, "pb": 2}])

    @property
    def code_pair(self) -> tuple[int, int]:
        """ROOT's number of LZMA and the level."""
        return 2, self.level


def main() -> None:
    """Read the source, write the sample, read it back and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", type=Path, help="npz file of all images")
    parser.add_argument("sample", type=Path, help="ROOT file to write")
    arguments = parser.parse_args()

    dataset = arguments.source.stem.rpartition("_")[2]
    with np.load(arguments.source) as source:
        kept = source["copy"] == 0
        arrays = {name: source[name][kept].astype(np.float32) for name in COLUMNS}
        shower = source["shower"][kept].astype(np.int64)
    chunks = (
        PhotonChunk(
            **{name: values[start : start + ROWS] for name, values in arrays.items()},
            shower=shower[start : start + ROWS],
        )
        for start in range(0, len(shower), ROWS)
    )
    count = write_photons(
        arguments.sample, chunks, metadata=metadata(dataset, arrays), compression=FloatLZMA(9)
    )
    back = read_photons(str(arguments.sample))
    for name, values in {**arrays, "shower": shower}.items():
        if getattr(back, name).tobytes() != values.tobytes():
            raise SystemExit(f"{name} differs after reading back")
    size = arguments.sample.stat().st_size
    print(f"{arguments.sample}: {count} images, {size:,} bytes, read back bit for bit")


def metadata(dataset: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return units and provenance."""
    return {
        "dataset": dataset,
        "images": "copy 0 of every shower, as simulated; one image per shower",
        "beam": BEAMS[dataset],
        "detector": "66 layers of 2 mm lead and 4.24 mm scintillator (TYVEK smeared in), 24.2 X0; "
        "15 x 15 cells of 40.4 mm; slabs without cell walls, fibres, steel or Birks quenching",
        "simulation": "Geant4 11.4.0; photoelectric (Sandia), Klein-Nishina, Bethe-Heitler and "
        "relativistic pair production, Moller-Bhabha, relativistic bremsstrahlung scaled to the "
        "ESTAR radiative loss, Urban multiple scattering (safety step limit, range factor 0.04), "
        "annihilation; production cuts 1.5 mm, electron tracking cut 300 keV",
        "noise": 0.0,
        "threshold": 0.0,
        "sha256_of_deposits": hashlib.sha256(arrays["deposits"].tobytes()).hexdigest(),
    }


if __name__ == "__main__":
    main()
