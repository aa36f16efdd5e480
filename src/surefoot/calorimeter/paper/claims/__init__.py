"""The paper's claims and the rule of each: when it is seen, and when reversed."""

from surefoot.calorimeter.paper.claims import networks, selection, sizes  # noqa: F401
