import io

import pytest

from surefoot.calorimeter.simulation import validation_figures as figures
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.calorimeter.simulation.validation import gather


@pytest.fixture(scope="module")
def samples():
    return {
        name: {kind: gather(list(simulate(name, 600, seed))) for kind, seed in pairs}
        for name, pairs in (
            ("A", (("Geant4", 1), ("fast", 2))),
            ("B", (("Geant4", 1), ("fast", 2))),
        )
    }


@pytest.mark.parametrize("draw", ["response", "resolution", "fractions", "radial", "barycentre"])
def test_every_figure_names_its_samples_and_units(samples, draw):
    function = getattr(figures, f"{draw}_figure")
    figure = (
        function(samples["A"], samples["B"]) if draw == "barycentre" else function(samples["A"])
    )
    for axes in figure.axes:
        words = [text.get_text() for text in axes.get_legend().get_texts()]
        assert [word.split(":")[0] for word in words] == ["Geant4", "fast"]
        assert axes.get_xlabel()
        assert len(axes.containers) == 2
    assert figure.axes[0].get_ylabel()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    assert drawn.getbuffer().nbytes > 5_000
