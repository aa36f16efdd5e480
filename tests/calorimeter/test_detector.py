from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.calorimeter.detector import INNER, LEAD, MIDDLE, OUTER, POLYSTYRENE, PRESETS, Shashlik
from surefoot.errors import DataError


def test_the_presets_differ_in_their_cells_alone():
    assert [module.pitch for module in (INNER, MIDDLE, OUTER)] == [40.4, 60.6, 121.2]
    assert replace(OUTER, name="inner", pitch=40.4) == INNER
    assert set(PRESETS) == {"inner", "middle", "outer"}


def test_the_description_is_frozen():
    with pytest.raises(FrozenInstanceError):
        INNER.pitch = 20.0


def test_radiation_lengths_of_the_materials_are_those_of_the_particle_data_group():
    # PDG 2022, atomic and nuclear properties: 0.5612 cm of lead, 41.31 cm of polystyrene.
    assert LEAD.radiation_length_mm == pytest.approx(5.612, rel=1e-3)
    assert POLYSTYRENE.radiation_length_mm == pytest.approx(413.1, rel=1e-3)


def test_critical_energies_are_near_the_tabulated_ones():
    # PDG: 7.43 MeV for electrons in lead, 93.1 MeV in polystyrene; the formula is a fit.
    assert LEAD.critical_energy == pytest.approx(7.43, rel=0.02)
    assert POLYSTYRENE.critical_energy == pytest.approx(93.1, rel=0.10)


def test_the_mixture_agrees_with_its_definitions():
    assert INNER.depth == pytest.approx(66 * 6.24)
    assert INNER.depth_in_radiation_lengths == pytest.approx(
        66 * (2.0 / LEAD.radiation_length_mm + 4.24 / POLYSTYRENE.radiation_length_mm)
    )
    assert INNER.depth_in_radiation_lengths == pytest.approx(24.2, abs=0.05)
    assert INNER.radiation_length == pytest.approx(17.0, abs=0.1)
    # A Molière radius is 21.2 MeV · X0 / Ec.
    assert INNER.moliere_radius == pytest.approx(
        21.2 * INNER.radiation_length / INNER.critical_energy
    )
    assert INNER.sampling_frequency == pytest.approx(2.73, abs=0.01)
    assert INNER.electron_to_muon == pytest.approx(0.652, abs=0.001)
    assert sum(INNER.mass_fractions) == pytest.approx(1.0)


def test_the_expected_sampling_fraction_is_near_the_one_geant4_shows():
    assert INNER.sampling_fraction == pytest.approx(0.174, rel=0.06)


@given(st.integers(0, 224))
def test_a_cells_centre_lies_in_the_cell(cell):
    assert INNER.cell_of(*INNER.centre_of(cell)) == cell


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [(0, 0, 112), (40.4, 0, 113), (0, 40.4, 127), (-303, -303, 0), (303, 0, -1), (0, -303.1, -1)],
)
def test_cells_are_numbered_row_by_row(x, y, cell):
    assert INNER.cell_of(x, y) == cell


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cells": 14}, "odd number of cells per side, not 14"),
        ({"pitch": 0.0}, "pitch must be above 0, not 0.0"),
        ({"active_thickness": float("nan")}, "active_thickness must be above 0, not nan"),
    ],
)
def test_an_impossible_module_is_refused(change, said):
    with pytest.raises(DataError, match=said):
        Shashlik(**change)


def test_a_cell_outside_the_window_has_no_centre():
    with pytest.raises(DataError, match="cell 225 is outside the window of 225 cells"):
        INNER.centre_of(225)
