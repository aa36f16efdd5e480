"""The model card of a saved winner: what it is, how it was trained, what is certified of it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.estimator.values import nodes
from surefoot.data.population import Population
from surefoot.escaping import markdown, visible
from surefoot.studies.select.selection import Selection

_DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def versions(candidate: Candidate) -> dict[str, str]:
    """Return the versions of Python, surefoot and what trained the candidate."""
    packages = {"surefoot", "numpy"}
    if isinstance(candidate, EstimatorCandidate):
        packages |= {node["class"].partition(".")[0] for node in nodes(candidate.node)}
    if isinstance(candidate, ConvNet):
        packages.add("torch")
    found = {"python": platform.python_version()}
    for package in sorted(packages):
        name = _DISTRIBUTIONS.get(package, package)
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def card_of(selection: Selection, record: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    study, winner, setting = selection.study, selection.winner, selection.study.setting
    population, loss = setting.halves.population, setting.loss
    unit = loss.unit(population.target_unit)
    measure = markdown(f"{loss}" + (f" [{unit}]" if unit else ""))
    side = f" and {record['side']} side features" if record["side"] else ""
    how, scope = _how_and_scope(selection, record, measure)
    return f"""# {markdown(winner.label)}

Selected by surefoot among {len(selection.state.keys)} candidates as the most robust \
against retraining, by {selection.record.race.criterion.name} of {measure}.

## Model

- family: {markdown(winner.family)}; key `{winner.key}`
- predicts: {markdown(_target(population))}
- from: {record["features"]} features{side}

```json
{visible(json.dumps(record["spec"], indent=1, ensure_ascii=False))}
```

## Training

- data: {markdown(population.name)}, {len(population)} examples, \
fingerprint `{population.fingerprint}`; \
pool {setting.halves.pool.size}, test half {setting.halves.test.size}
- {how}
- study seed {study.seed}
- software: {", ".join(f"{name} {version}" for name, version in record["versions"].items())}

## What is certified

{selection.certificate or "No certificate was asked for."}

{scope}

## Use

```python
import surefoot

model = surefoot.load("this folder")
predictions = model.predict(features)
```
"""


def _target(population: Population) -> str:
    name, unit = population.target_name, population.target_unit
    if population.classes is not None:
        classes = ", ".join(map(str, population.classes))
        return f"{name}, one of {len(population.classes)} classes: {classes}"
    return f"{name} [{unit}]" if unit else name


def _how_and_scope(
    selection: Selection, record: Mapping[str, Any], measure: str
) -> tuple[str, str]:
    """Return how the model was trained, and whether the certificate speaks of it."""
    halves, sampling = selection.study.setting.halves, selection.study.setting.sampling
    if record["refit"] == "everything":
        return (
            f"fitted to all {len(halves.population)} examples; no loss of this fit is known",
            "The certificate speaks of retrainings on samples of the pool. This model was fitted "
            "to all examples instead, so it is not one of them.",
        )
    kind = ("stratified " if sampling.stratify else "") + sampling.method
    return (
        f"instance {record['instance']}: a {kind} sample of {halves.train_size(sampling)} examples "
        f"of the pool; {measure} {record['loss']:.6g} on its test sample",
        "The certificate speaks of retrainings; this model is one of them.",
    )
