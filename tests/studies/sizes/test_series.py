"""The paper's sizes, and sizes in equal ratios."""

import pytest

from surefoot.errors import ConfigurationError
from surefoot.studies.sizes.series import geometric_sizes, paper_sizes


def test_the_papers_grid() -> None:
    """As read off the paper's vector figures."""
    assert paper_sizes() == [
        132, 149, 169, 192, 217, 246, 279, 316, 358, 405, 459, 520, 589, 667, 756, 856, 969,
        1098, 1244, 1409, 1596, 1807, 2047, 2319, 2626, 2974, 3369, 3816, 4322, 4895, 5544, 6280,
        7112, 8056, 9124, 10334, 11705, 13257, 15015, 17006, 19262, 21816, 24709, 27986, 31697,
    ]  # fmt: skip


def test_geometric_sizes_are_a_range_or_an_error() -> None:
    assert geometric_sizes(10, 80, 4) == [10, 20, 40, 80]
    with pytest.raises(ConfigurationError, match="are no range"):
        geometric_sizes(80, 10, 4)
    with pytest.raises(ConfigurationError, match="no 9 different sizes"):
        geometric_sizes(3, 6, 9)
