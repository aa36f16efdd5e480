"""Finds marks in panels."""

from __future__ import annotations

from typing import TypeVar

from surefoot.reports.views.chart import Panel

Kind = TypeVar("Kind")


def of(panel: Panel, kind: type[Kind]) -> list[Kind]:
    """Return the marks of a kind, lowest first."""
    return [mark for mark in panel.marks if isinstance(mark, kind)]


def named(panel: Panel, label: str):
    """Return the one mark of a label."""
    (found,) = [mark for mark in panel.marks if getattr(mark, "label", "") == label]
    return found
