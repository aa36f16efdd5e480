"""Effects of mean 0 and variance 1, of light and heavy tails."""

import numpy as np


def lognormal(rng, shape, spread=0.5):
    """Skewness 1.75, excess kurtosis 5.9; mean 0, variance 1."""
    growth = np.exp(spread**2)
    values = np.exp(spread * rng.standard_normal(shape)) - np.sqrt(growth)
    return values / np.sqrt((growth - 1.0) * growth)


NOISES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "student 5": lambda rng, shape: rng.standard_t(5, shape) / np.sqrt(5.0 / 3.0),
    "log-normal": lognormal,
}
