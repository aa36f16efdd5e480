"""The option ``--sizes``: a list of numbers, or a range in equal ratios."""

import re

from surefoot.errors import SamplingError

_RANGE = re.compile(r"(\d+):(\d+):(\d+)")


def read_sizes(text: str, or_else: str = "") -> list[int]:
    """Return the sizes that a text names.

    ``500,1000,2000`` are sizes, ``100:8000:12`` is 12 of them in equal ratios from 100 to 8,000.

    Raises
    ------
    SamplingError
        If it is neither; ``or_else`` is what else the option takes.
    """
    from surefoot.studies.sizes.sample_size import geometric_sizes

    span = _RANGE.fullmatch(text)
    if span is not None:
        first, last, count = map(int, span.groups())
        return geometric_sizes(first, last, count)
    try:
        return [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise SamplingError(
            f"--sizes {text!r} cannot be read: write {or_else}a range first:last:count such as "
            "100:8000:12, or sizes such as 500,1000,2000"
        ) from None
