"""Races: criteria, schedules and elimination rules, and all that authors of others need.

A new one is one file and one entry point; ``docs/extending.md`` shows one of each kind.
"""

from surefoot.racing.criteria import (
    Criterion,
    CVaR,
    Iqr,
    Max,
    Mean,
    Min,
    Quantile,
    Sd,
    as_criterion,
)
from surefoot.racing.parts import LEVEL, POSITIVE, SHARE, YES, Domain, key, number, one_of, whole
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import ByQuantileInterval, BySigns, BySwaps, ByTest
from surefoot.racing.rungs.base import RungEvidence, Rungs, RungVerdict
from surefoot.racing.rungs.halving import ByEpochHalving, ByHyperband
from surefoot.racing.rungs.prediction import ByCurve
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Default, TopTwo
from surefoot.racing.screen import Screen
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable

__all__ = [
    "LEVEL",
    "POSITIVE",
    "SHARE",
    "YES",
    "ByCurve",
    "ByEpochHalving",
    "ByHyperband",
    "ByMax",
    "ByPrediction",
    "ByQuantileInterval",
    "ByRank",
    "BySigns",
    "BySwaps",
    "ByTest",
    "CVaR",
    "Criterion",
    "Default",
    "Domain",
    "EliminationRule",
    "Evidence",
    "ExactMax",
    "FlatBudget",
    "Halving",
    "Iqr",
    "LossTable",
    "Max",
    "Mean",
    "Min",
    "Quantile",
    "Race",
    "RaceState",
    "Replay",
    "RungEvidence",
    "RungVerdict",
    "Rungs",
    "Schedule",
    "Screen",
    "Sd",
    "Setup",
    "Standing",
    "Step",
    "TopTwo",
    "Verdict",
    "as_criterion",
    "key",
    "number",
    "one_of",
    "whole",
]
