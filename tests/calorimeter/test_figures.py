import io

import numpy as np
import pytest

from surefoot.calorimeter import figures, physics
from surefoot.calorimeter.root_io import read_photons
from surefoot.errors import DataError


@pytest.fixture(scope="module")
def sample():
    return physics.take(read_photons("B"), np.arange(3_000))


@pytest.fixture(scope="module")
def predictions(sample):
    rng = np.random.default_rng(1)

    def made(true, scale, many):
        return [true + scale * rng.standard_normal(len(true)) for _ in range(many)]

    return {
        "energy": {
            "network": made(sample.energy, 0.3, 3),
            "scaled sum": made(sample.energy, 0.5, 1),
        },
        "x": {"network": made(sample.x, 1.0, 2), "barycentre": made(sample.x, 2.0, 1)},
        "y": {"network": made(sample.y, 1.0, 2)},
    }


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("energy", ["resolution", "bias"]),
        ("x", ["impact", "energy", "angle"]),
        ("y", ["impact", "energy", "angle"]),
    ],
)
def test_each_target_has_its_figures(target, names, sample, predictions) -> None:
    made = figures.physics_figures(target, sample, predictions[target])
    assert list(made) == names
    for figure in made.values():
        figure.savefig(stream := io.BytesIO(), dpi=40)
        assert stream.getvalue().startswith(b"\x89PNG")
        for axes in figure.axes:
            assert axes.get_xlabel()
            assert axes.get_ylabel()
            assert "(" in axes.get_xlabel() or "slope" in axes.get_xlabel()


def test_points_are_medians_and_bars_the_range(sample, predictions) -> None:
    many = predictions["x"]["network"]
    edges = physics.impact_edges()
    figure = figures.residual_figure(sample.x, sample.x, edges, "x (mm)", {"network": many})
    (container,) = figure.axes[1].containers
    line, _, (bars,) = container.lines
    profiles = [physics.residual_spread(one, sample.x, sample.x, edges) for one in many]
    values = np.stack([profile.value for profile in profiles])
    np.testing.assert_allclose(line.get_ydata(), np.median(values, axis=0))
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(
        ends, values.T.min(axis=1)[:, None] + [0, 1] * np.ptp(values, 0)[:, None]
    )


def test_the_legend_holds_the_fit(sample, predictions) -> None:
    figure = figures.resolution_figure(sample.energy, predictions["energy"])
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [text.split(":")[0] for text in texts] == ["network", "scaled sum"]
    assert all("/√E ⊕" in text for text in texts)


def test_normal_incidence_has_no_angle() -> None:
    sample = physics.take(read_photons("A"), np.arange(1_000))
    made = figures.physics_figures("x", sample, {"truth": [sample.x + 0.1]})
    assert list(made) == ["impact", "energy"]


def test_an_event_shows_truth_and_barycentre(sample) -> None:
    figure = figures.event_figure(sample, 7)
    axes = figure.axes[0]
    drawn = {line.get_label(): line.get_xydata()[0] for line in axes.lines}
    np.testing.assert_allclose(drawn["true position"], [sample.x[7], sample.y[7]])
    image = axes.collections[0].get_array()
    assert image.size == 225
    assert image.max() == pytest.approx(1e3 * sample.deposits[7].max())
    assert f"{sample.energy[7]:.1f} GeV" in axes.get_title(loc="left")
    figure.savefig(io.BytesIO(), dpi=40)


def test_what_cannot_be_drawn(sample, predictions) -> None:
    with pytest.raises(DataError, match="no physics figures of the target 'theta'"):
        figures.physics_figures("theta", sample, predictions["x"])
    with pytest.raises(DataError, match="1 to 4 candidates, not 5"):
        figures.bias_figure(sample.energy, {str(i): [sample.energy] for i in range(5)})
    with pytest.raises(DataError, match="1 to 4 candidates, not 0"):
        figures.bias_figure(sample.energy, {})
    with pytest.raises(DataError, match="network comes without"):
        figures.bias_figure(sample.energy, {"network": []})
    with pytest.raises(DataError, match="no photon 3000: the sample holds 0 to 2999"):
        figures.event_figure(sample, 3_000)
