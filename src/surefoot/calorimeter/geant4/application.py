"""The Geant4 application itself, run as a process: a job on standard input, an npz file out.

Geometry: `Shashlik.layers` layers, each an absorber plate and a scintillator plate; a scintillator
plate is replicated into rows (y) and cells (x), so Geant4's own scorers count each cell's energy
over all layers. `MARGIN` cells surround the window. The module begins at z = 0.

Python is called once per event (gun and read-out), and once per step for geantinos only.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import geant4_pybind as g4
import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.detector import Material, Shashlik
from surefoot.calorimeter.simulation.gun import Photons, photons
from surefoot.seeds.ledger import InstanceSeed, Role, Stream

MARGIN = 4
"""Cells on each side of the window."""
_KEPT: list[Any] = []
"""Objects that Geant4 points to and Python must not collect."""
WORLD_GAP = 1000.0
"""Empty space before and behind the module, mm."""


class Module(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
    """The detector. Geant4 keeps bare pointers, so ``self.kept`` holds every object made."""

    def __init__(self, detector: Shashlik) -> None:
        super().__init__()
        self.detector = detector
        self.cells = detector.cells + 2 * MARGIN
        self.kept: list[Any] = []

    def Construct(self) -> Any:
        """Build the world and return it."""
        d = self.detector
        side = self.cells * d.pitch
        vacuum = g4.G4NistManager.Instance().FindOrBuildMaterial("G4_Galactic")
        absorber, active = self._material(d.absorber), self._material(d.active)
        # Room beside and around the module for photons that enter at an angle.
        world = self._box("world", 2.0 * side, 2.0 * side, 2.0 * (d.depth + WORLD_GAP), vacuum)
        top = self._place(world, 0.0, None)
        module = self._box("module", side, side, d.depth, vacuum)
        self._place(module, 0.5 * d.depth, world)
        layer = self._box("layer", side, side, d.layer_thickness, vacuum)
        self._replicate(layer, module, g4.kZAxis, d.layers, d.layer_thickness)
        plate = self._box("absorber", side, side, d.absorber_thickness, absorber)
        self._place(plate, -0.5 * d.active_thickness, layer)
        plate = self._box("active", side, side, d.active_thickness, active)
        self._place(plate, 0.5 * d.absorber_thickness, layer)
        row = self._box("row", side, d.pitch, d.active_thickness, active)
        self._replicate(row, plate, g4.kYAxis, self.cells, d.pitch)
        cell = self._box("cell", d.pitch, d.pitch, d.active_thickness, active)
        self._replicate(cell, row, g4.kXAxis, self.cells, d.pitch)
        return top

    def ConstructSDandField(self) -> None:
        """Score energy and track length per cell: row number, column number, all layers."""
        scorers = g4.G4MultiFunctionalDetector("cells")
        shape = (self.cells, self.cells, 1, 1, 0, 2)
        for scorer in (
            g4.G4PSEnergyDeposit3D("energy", *shape),
            g4.G4PSTrackLength3D("length", *shape),
        ):
            scorers.RegisterPrimitive(scorer)
            self.kept.append(scorer)
        self.kept.append(scorers)
        g4.G4SDManager.GetSDMpointer().AddNewDetector(scorers)
        self.SetSensitiveDetector("cell", scorers)

    def _material(self, material: Material) -> Any:
        density = material.density * g4.gram / g4.cm3
        made = g4.G4Material(material.name, density, len(material.elements))
        for symbol, atoms in material.elements:
            made.AddElement(g4.G4NistManager.Instance().FindOrBuildElement(symbol), atoms)
        self.kept.append(made)
        return made

    def _box(self, name: str, x: float, y: float, z: float, material: Any) -> Any:
        solid = g4.G4Box(name, 0.5 * x, 0.5 * y, 0.5 * z)
        volume = g4.G4LogicalVolume(solid, material, name)
        self.kept += [solid, volume]
        return volume

    def _place(self, volume: Any, z: float, mother: Any) -> Any:
        at = g4.G4ThreeVector(0.0, 0.0, z)
        placed = g4.G4PVPlacement(None, at, volume, volume.GetName(), mother, False, 0)
        self.kept.append(placed)
        return placed

    def _replicate(self, volume: Any, mother: Any, axis: Any, count: int, width: float) -> None:
        self.kept.append(g4.G4PVReplica(volume.GetName(), volume, mother, axis, count, width))


class Gun(g4.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
    """Shoots photon number i of a list, with the random numbers of event number i."""

    def __init__(self, particle: str, beam: Photons, seeds: NDArray[np.int64]) -> None:
        super().__init__()
        self.beam, self.seeds = beam, seeds
        self.gun = g4.G4ParticleGun(1)
        found = g4.G4ParticleTable.GetParticleTable().FindParticle(particle)
        self.gun.SetParticleDefinition(found)

    def GeneratePrimaries(self, event: Any) -> None:
        """Aim from 1 mm before the front face."""
        i = event.GetEventID()
        beam = self.beam
        g4.G4Random.setTheSeed(int(self.seeds[i]))
        slope = np.tan(beam.theta[i]) * np.array([np.cos(beam.phi[i]), np.sin(beam.phi[i])])
        x, y = float(beam.front_x[i] - slope[0]), float(beam.front_y[i] - slope[1])
        self.gun.SetParticlePosition(g4.G4ThreeVector(x, y, -1.0))
        aim = g4.G4ThreeVector(float(slope[0]), float(slope[1]), 1.0)
        self.gun.SetParticleMomentumDirection(aim.unit())
        self.gun.SetParticleEnergy(float(beam.energy[i]) * g4.GeV)
        self.gun.GeneratePrimaryVertex(event)


class ReadOut(g4.G4UserEventAction):  # type: ignore[misc]
    """Copies a scorer's map of one event into row i of ``cells`` [n, rows · columns]."""

    def __init__(self, scorer: str, cells: NDArray[np.float64]) -> None:
        super().__init__()
        self.scorer, self.cells = scorer, cells

    def EndOfEventAction(self, event: Any) -> None:
        """Read the map."""
        number = g4.G4SDManager.GetSDMpointer().GetCollectionID(f"cells/{self.scorer}")
        row = self.cells[event.GetEventID()]
        for cell, value in event.GetHCofThisEvent().GetHC(number):
            row[cell] = value


class Budget(g4.G4UserSteppingAction):  # type: ignore[misc]
    """Adds up the radiation lengths of each event's steps in ``total`` [n]."""

    def __init__(self, total: NDArray[np.float64]) -> None:
        super().__init__()
        self.total = total

    def UserSteppingAction(self, step: Any) -> None:
        """Count one step."""
        event = g4.G4EventManager.GetEventManager().GetConstCurrentEvent().GetEventID()
        length = step.GetPreStepPoint().GetMaterial().GetRadlen()
        self.total[event] += step.GetStepLength() / length


class Geantino(g4.G4VPhysicsConstructor):  # type: ignore[misc]
    """Defines the geantino and no process but transport."""

    def __init__(self) -> None:
        super().__init__("geantino")

    def ConstructParticle(self) -> None:
        """Define it."""
        g4.G4Geantino.GeantinoDefinition()

    def ConstructProcess(self) -> None:
        """Add nothing."""


class Actions(g4.G4VUserActionInitialization):  # type: ignore[misc]
    """Registers the gun, the read-out and, for geantinos, the budget."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make
        self.kept: list[Any] = []

    def Build(self) -> None:
        """Make them once the particles exist."""
        self.kept = self.make()
        for action in self.kept:
            self.SetUserAction(action)


def physics_list(name: str) -> Any:
    """Return a reference physics list, or a list of one electromagnetic constructor."""
    if not name.startswith("G4Em"):
        factory = g4.G4PhysListFactory()
        if not factory.IsReferencePhysList(name):
            raise SystemExit(f"{name!r} is not one of Geant4's reference physics lists")
        return factory.GetReferencePhysList(name)
    if not hasattr(g4, name):
        raise SystemExit(f"{name!r} is not one of Geant4's physics constructors")
    physics, constructor = g4.G4VModularPhysicsList(), getattr(g4, name)()
    physics.RegisterPhysics(constructor)
    _KEPT.append(constructor)
    return physics


def shoot(module: Module, physics: Any, make: Any, events: int) -> None:
    """Run ``events`` events; ``make()`` returns the user actions."""
    manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.Serial)
    actions = Actions(make)
    for part in (module, physics, actions):
        manager.SetUserInitialization(part)
    manager.Initialize()
    manager.BeamOn(events)


def window(detector: Shashlik, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the window [n, cells²] out of the module's rows and columns."""
    side = detector.cells + 2 * MARGIN
    inner = slice(MARGIN, MARGIN + detector.cells)
    square = cells.reshape(len(cells), side, side)[:, inner, inner]
    return np.ascontiguousarray(square).reshape(len(cells), detector.cells**2)


def run_photons(job: dict[str, Any], detector: Shashlik) -> dict[str, NDArray[Any]]:
    """Simulate a chunk of photons; the arrays of a `PhotonChunk` by name, GeV and mm."""
    first, count = job["first"], job["count"]
    beam = photons(job["dataset"], count, job["seed"], first=first, detector=detector)
    seeds = np.array(
        [
            InstanceSeed(job["seed"], Role.SIMULATE, i).generator(Stream.INIT).integers(1, 2**31)
            for i in range(first, first + count)
        ]
    )
    module = Module(detector)
    cells = np.zeros((count, module.cells**2))
    physics = physics_list(job["physics"])
    physics.SetDefaultCutValue(job["production_cut"] * g4.mm)
    shoot(module, physics, lambda: [Gun("gamma", beam, seeds), ReadOut("energy", cells)], count)
    deposits = window(detector, cells) / g4.GeV
    chunk: dict[str, NDArray[Any]] = {
        name: getattr(beam, name).astype(np.float32)
        for name in ("energy", "x", "y", "theta", "phi")
    }
    chunk["deposits"] = deposits.astype(np.float32)
    chunk["outside"] = (cells.sum(axis=1) / g4.GeV - deposits.sum(axis=1)).astype(np.float32)
    chunk["shower"] = np.arange(first, first + count, dtype=np.int64)
    return chunk


def run_geantinos(job: dict[str, Any], detector: Shashlik) -> dict[str, NDArray[Any]]:
    """Send geantinos through; budget (X0), window cell (or −1) and scintillator length (mm)."""
    rays = job["rays"]
    x, y, theta, phi = (np.array(rays[n], dtype=np.float64) for n in ("x", "y", "theta", "phi"))
    beam = Photons(np.ones(len(x)), x, y, theta, phi, x, y)
    module = Module(detector)
    cells, total = np.zeros((len(x), module.cells**2)), np.zeros(len(x))
    physics = g4.G4VModularPhysicsList()
    geantino = Geantino()
    physics.RegisterPhysics(geantino)
    seeds = np.arange(1, len(x) + 1)
    shoot(
        module,
        physics,
        lambda: [Gun("geantino", beam, seeds), ReadOut("length", cells), Budget(total)],
        len(x),
    )
    seen = window(detector, cells)
    cell = np.where(seen.any(axis=1), seen.argmax(axis=1), -1)
    return {"radiation_lengths": total, "cell": cell, "active": cells.sum(axis=1) / g4.mm}


def main() -> None:
    """Run the job on standard input and write its arrays to the file named as argument."""
    job = json.load(sys.stdin)
    fields = dict(job["detector"])
    for part in ("absorber", "active"):
        material = dict(fields[part])
        elements = tuple((str(symbol), int(atoms)) for symbol, atoms in material.pop("elements"))
        fields[part] = Material(elements=elements, **material)
    run = {"photons": run_photons, "geantinos": run_geantinos}[job["kind"]]
    arrays: dict[str, Any] = dict(run(job, Shashlik(**fields)))
    np.savez_compressed(sys.argv[1], **arrays)


if __name__ == "__main__":
    main()
