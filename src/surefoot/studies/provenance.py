"""Where trainings ran: what a journal notes of the machine and the versions, and tells again."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("surefoot", "numpy", "numba", "scipy", "torch", "scikit-learn", "xgboost")
"""Packages whose versions are noted where they are installed."""


def machine() -> dict[str, str]:
    """Return processor, system and versions, by name, as plain text. No name of host or user."""
    told = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()}, {platform.machine()}",
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            continue
    return told


def _processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
