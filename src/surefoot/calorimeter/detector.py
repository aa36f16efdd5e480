"""The Shashlik calorimeter: one frozen description that every simulator and figure reads.

The module is the LHCb-like one of Barsuk et al., CERN-LHCb-2000-043: 66 layers of 2 mm lead and
4 mm polystyrene scintillator, with two 0.12 mm TYVEK sheets per layer counted into the
scintillator slab (4.24 mm). A photon enters at z = 0 and meets lead first; z grows inwards.
Cells are columns along z, numbered row-major: cell = iy * cells + ix, the centre of the central
cell at x = y = 0.

Constants of a medium follow Grindhammer and Peters, hep-ex/0001020, section 2; radiation
lengths and ionisation losses of the materials are those of the Particle Data Group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from surefoot.errors import DataError


@dataclass(frozen=True)
class Material:
    """A homogeneous material.

    Attributes
    ----------
    name
        What figures and Geant4 call it.
    z
        Mean atomic number, weighted by mass.
    z_over_a
        Σ Z / Σ A of a molecule, mol/g.
    density
        g/cm³.
    radiation_length
        X0, g/cm².
    minimum_ionising_loss
        Smallest mean dE/dx, MeV cm²/g.
    elements
        Atoms per molecule by element symbol.
    """

    name: str
    z: float
    z_over_a: float
    density: float
    radiation_length: float
    minimum_ionising_loss: float
    elements: tuple[tuple[str, int], ...]

    @property
    def radiation_length_mm(self) -> float:
        """X0 in mm."""
        return 10.0 * self.radiation_length / self.density

    @property
    def critical_energy(self) -> float:
        """Ec = 2.66 (X0 Z/A)^1.1, MeV (X0 in g/cm²)."""
        return 2.66 * math.pow(self.radiation_length * self.z_over_a, 1.1)


LEAD = Material("lead", 82.0, 0.39575, 11.35, 6.37, 1.122, (("Pb", 1),))
POLYSTYRENE = Material("polystyrene", 5.612, 0.53768, 1.06, 43.79, 1.936, (("C", 8), ("H", 8)))


@dataclass(frozen=True)
class Shashlik:
    """A sampling calorimeter of plane layers, read out in square cells.

    Attributes
    ----------
    name
        Name of the preset.
    pitch
        Cell side, mm.
    cells
        Cells along one side of the square window, odd.
    layers
        Number of absorber and scintillator pairs.
    absorber_thickness, active_thickness
        mm per layer.
    absorber
        Passive material, met first.
    active
        Material whose deposits are read.

    Raises
    ------
    DataError
        If a length or a count is not above 0, or ``cells`` is even.
    """

    name: str = "inner"
    pitch: float = 40.4
    cells: int = 15
    layers: int = 66
    absorber_thickness: float = 2.0
    active_thickness: float = 4.24
    absorber: Material = LEAD
    active: Material = POLYSTYRENE

    def __post_init__(self) -> None:
        for field in ("pitch", "layers", "absorber_thickness", "active_thickness"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"a calorimeter's {field} must be above 0, not {value!r}")
        if self.cells < 1 or self.cells % 2 == 0:
            raise DataError(f"a window needs an odd number of cells per side, not {self.cells!r}")

    @property
    def layer_thickness(self) -> float:
        """Absorber and active, mm."""
        return self.absorber_thickness + self.active_thickness

    @property
    def depth(self) -> float:
        """Front face to back face, mm."""
        return self.layers * self.layer_thickness

    @property
    def width(self) -> float:
        """Side of the window, mm."""
        return self.cells * self.pitch

    @property
    def mass_fractions(self) -> tuple[float, float]:
        """Shares of absorber and active in the mass, adding up to 1."""
        absorber = self.absorber_thickness * self.absorber.density
        active = self.active_thickness * self.active.density
        return absorber / (absorber + active), active / (absorber + active)

    @property
    def radiation_length(self) -> float:
        """X0 of the mixture, mm: 1/X0 = Σ thickness share / X0 of each material."""
        lengths = (
            self.absorber_thickness / self.absorber.radiation_length_mm
            + self.active_thickness / self.active.radiation_length_mm
        )
        return self.layer_thickness / lengths

    @property
    def depth_in_radiation_lengths(self) -> float:
        """The material budget at normal incidence, X0."""
        return self.depth / self.radiation_length

    @property
    def _losses(self) -> float:
        """Σ w Ec / X0 over the materials, MeV cm²/g."""
        return sum(
            w * m.critical_energy / m.radiation_length
            for w, m in zip(self.mass_fractions, (self.absorber, self.active))
        )

    @property
    def critical_energy(self) -> float:
        """Ec = X0 Σ w Ec/X0 of the mixture, MeV."""
        w_absorber, w_active = self.mass_fractions
        inverse = w_absorber / self.absorber.radiation_length + w_active / (
            self.active.radiation_length
        )
        return self._losses / inverse

    @property
    def moliere_radius(self) -> float:
        """RM = 21.2 MeV / Σ(w Ec/X0), mm."""
        density = (
            self.absorber_thickness * self.absorber.density
            + self.active_thickness * self.active.density
        ) / self.layer_thickness
        return 10.0 * 21.2 / self._losses / density

    @property
    def effective_z(self) -> float:
        """Σ w Z of the mixture."""
        w_absorber, w_active = self.mass_fractions
        return w_absorber * self.absorber.z + w_active * self.active.z

    @property
    def sampling_frequency(self) -> float:
        """F = X0 / layer thickness."""
        return self.radiation_length / self.layer_thickness

    @property
    def electron_to_muon(self) -> float:
        """ê = e/mip = 1 / [1 + 0.007 (Z_absorber − Z_active)]."""
        return 1.0 / (1.0 + 0.007 * (self.absorber.z - self.active.z))

    @property
    def minimum_ionising_fraction(self) -> float:
        """Share of a minimum-ionising particle's loss that falls in the active layers."""
        loss = [
            thickness * m.density * m.minimum_ionising_loss
            for thickness, m in (
                (self.absorber_thickness, self.absorber),
                (self.active_thickness, self.active),
            )
        ]
        return loss[1] / (loss[0] + loss[1])

    @property
    def sampling_fraction(self) -> float:
        """Expected visible share of an electromagnetic shower: ê times the share of a mip."""
        return self.electron_to_muon * self.minimum_ionising_fraction

    def cell_of(self, x: float, y: float) -> int:
        """Return the number of the cell at ``x``, ``y`` (mm from the window's centre), or −1."""
        ix = math.floor(x / self.pitch + 0.5 * self.cells)
        iy = math.floor(y / self.pitch + 0.5 * self.cells)
        if 0 <= ix < self.cells and 0 <= iy < self.cells:
            return iy * self.cells + ix
        return -1

    def centre_of(self, cell: int) -> tuple[float, float]:
        """Return x and y of a cell's centre, mm."""
        if not 0 <= cell < self.cells**2:
            raise DataError(f"cell {cell!r} is outside the window of {self.cells**2} cells")
        half = self.cells // 2
        return (cell % self.cells - half) * self.pitch, (cell // self.cells - half) * self.pitch


INNER = Shashlik()
MIDDLE = replace(INNER, name="middle", pitch=60.6)
OUTER = replace(INNER, name="outer", pitch=121.2)
PRESETS = {module.name: module for module in (INNER, MIDDLE, OUTER)}
