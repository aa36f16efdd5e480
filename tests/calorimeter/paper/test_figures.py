import numpy as np
import pytest

from surefoot.calorimeter.paper.figures import (
    ACTIVATIONS,
    activation_functions,
    cell_values,
    paper_figures,
)
from surefoot.data.population import Population
from surefoot.reports.figures import figure_of
from surefoot.reports.views.chart import Line
from tests.calorimeter.paper.recorded import losses, study
from tests.reports.views.marks import named, of


def test_activation_functions_are_torchs():
    import torch
    from torch.nn import functional

    x = torch.linspace(-3.0, 3.0, 301, dtype=torch.float64)
    others = {
        "Sigmoid": torch.sigmoid(x),
        "Tanh": torch.tanh(x),
        "ReLU": functional.relu(x),
        "Leaky ReLU": functional.leaky_relu(x),
        "PReLU, slope 0.25": torch.nn.PReLU(dtype=torch.float64)(x).detach(),
        "ELU": functional.elu(x),
        "GELU": functional.gelu(x),
    }
    (panel,) = activation_functions().panels
    for name in ACTIVATIONS:
        np.testing.assert_allclose(named(panel, name).y, others[name].numpy(), atol=1e-12)
    looks = {(line.tone, line.dash) for line in of(panel, Line)}
    assert len(looks) == 7


def test_shares_of_cell_values_and_of_empty_cells_are_all_cells():
    rng = np.random.default_rng(1)
    cells = np.where(rng.random((400, 9)) < 0.4, 0.0, rng.lognormal(0.0, 1.0, (400, 9)))
    one = Population(cells.astype(np.float32), np.ones((400, 1), np.float32), name="one")
    (panel,) = cell_values([one]).panels
    (line,) = of(panel, Line)
    empty = (cells == 0.0).mean()
    assert np.nansum(line.y) == pytest.approx(1.0 - empty)
    assert panel.note.startswith(f"one: {empty:.0%} of the cells are empty")


def test_every_recorded_study_has_its_figures():
    rows = {(name, size): losses(1.0) for name in ("NAS 1", "model 2") for size in (16000, 32000)}
    curves = {"model 2": np.linspace(2.0, 1.0, 50)}
    found = dict(paper_figures({"nas": study("nas", rows, curves=curves)}))
    assert set(found) == {"fig12-activations", "fig17-nas", "fig18-nas"}
    for view in found.values():
        assert figure_of(view.panels).axes
    few = study("nas", {("NAS 1", 1): losses(1.0), ("model 2", 2): losses(1.0)})
    assert set(paper_figures({"nas": few})) != set()
    assert "fig18-nas" not in dict(paper_figures({"nas": few}))
