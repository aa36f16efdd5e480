"""`save` and `load`: the winner's trained model, what it is, and a model card for people.

A folder holds ``model.skops`` (an estimator) or ``model.safetensors`` (a network's weights),
``model.json`` (the candidate's spec and how to read its outputs) and ``README.md``, the card.
Neither format is a pickle: a skops file names its types, and only trusted ones are made.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.estimator.values import nodes
from surefoot.candidates.making import making, whole
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.trust import is_trusted
from surefoot.candidates.trust import trust as trusting
from surefoot.checks import one_of, short
from surefoot.data.arrays import Frame, matrix
from surefoot.data.categories import FrameColumns
from surefoot.data.population import Matrix, Population
from surefoot.engines.estimator.engine import Fitted, fit
from surefoot.errors import CandidateError, DataError, ExportError, UntrustedError, require
from surefoot.escaping import markdown, visible
from surefoot.instances import Predictor, Status
from surefoot.replacing import made_folder
from surefoot.seeds.ledger import Role, Stream
from surefoot.studies.select.selection import Selection

FORMAT = 1
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
_PARTS = re.compile(
    r"sklearn\.(_loss\.loss\.\w+Loss\w*|_loss\._loss\.Cy\w+Loss\w*|tree\._tree\.Tree|"
    r"ensemble\._hist_gradient_boosting\.(predictor\.TreePredictor|binning\._BinMapper)|"
    r"calibration\._(CalibratedClassifier|SigmoidCalibration)|cluster\._bisect_k_means\._BisectingTree|"
    r"gaussian_process\._gpc\._BinaryGaussianProcessClassifierLaplace|"
    r"metrics\._dist_metrics\.\w+Distance(32|64)?|neighbors\._(ball|kd)_tree\.(Ball|KD)Tree(32|64)?|"
    r"linear_model\._sgd_fast\.\w+|neural_network\._stochastic_optimizers\.\w+Optimizer)|"
    r"(xgboost\.core|lightgbm\.basic)\.Booster|catboost\.core\._CatBoostBase",
    re.ASCII,
)
"""What fitted estimators of the libraries that data may name consist of; functions are none."""
Refit = Literal["instance", "everything"]


@dataclass(frozen=True, eq=False)
class Saved:
    """A model read back by `load`.

    ``candidate`` is what was trained, ``classes`` the labels of a classification (else None),
    ``record`` the content of ``model.json``.
    """

    candidate: Candidate
    predictor: Predictor
    classes: tuple[Any, ...] | None
    record: Mapping[str, Any]

    def predict(self, features: ArrayLike, side: ArrayLike | None = None) -> NDArray[Any]:
        """Return predictions [n] or [n, outputs], or labels [n], for features [n, F].

        The columns of a data frame are found by their names, if the model knows them; those of the
        side features too, unless ``side`` is given.

        Raises
        ------
        DataError
            If columns are missing, their number is another, or values are not finite.
        """
        record = self.record
        sides = record.get("side_names") or []
        if side is None and record.get("side") and sides and hasattr(features, "columns"):
            side = _columns(features, "side features", sides, len(sides))
        names, width = record.get("feature_names") or [], record["features"]
        meaning = _categories(record)
        missing = bool(record.get("missing") or meaning)
        labels_of = {names[place]: one for place, one in meaning.items()} if names else {}
        x = _columns(features, "features", names, width, labels_of, missing=missing)
        s = None if side is None else _columns(side, "side features", sides, record["side"])
        predicted = self.predictor.predict(x, s)
        if self.classes is not None:
            labels: NDArray[Any] = np.asarray(self.classes)[predicted.argmax(axis=1)]
            return labels
        return predicted[:, 0] if predicted.shape[1] == 1 else predicted


def _categories(record: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """Return what the codes of features mean, by place; of older models there are none."""
    return {int(place): tuple(one) for place, one in (record.get("categories") or {}).items()}


def _columns(
    given: Any,
    what: str,
    names: Sequence[str],
    width: int,
    categories: Mapping[str, Sequence[str]] | None = None,
    *,
    missing: bool = False,
) -> Matrix:
    """Return a matrix [n, width]: a frame's columns in the order of ``names``, else as they are."""
    if hasattr(given, "columns"):
        frame = Frame(given)
        given = frame.numbers(names or frame.names, categories, missing=missing)
    found = matrix(given, what, missing=missing)
    if found.shape[1] != width:
        raise DataError(f"{what} have {found.shape[1]} columns, but the model takes {width}")
    return found


def save(
    selection: Selection, folder: str | Path, *, refit: Refit = "instance", instance: int = 0
) -> Path:
    """Train the winner of a selection once more and save it with its model card.

    Parameters
    ----------
    folder
        Where to; it must not exist yet, or be empty.
    refit
        ``instance`` trains a certifying instance again, whose loss is on record; ``everything``
        fits an estimator to all examples, of which no loss is known.
    instance
        Number of the instance.

    Raises
    ------
    CandidateError
        If the winner is neither an estimator nor has weights, or cannot be trained.
    ExportError
        If the folder holds something or cannot be written; then nothing of it stays.
    MissingExtraError
        If skops or safetensors is not installed.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target} exists and is not an empty folder: name a new one")
    predictor, loss = _trained(selection, refit, instance)
    setting, winner = selection.study.setting, selection.winner
    population = setting.halves.population
    record: dict[str, Any] = {
        "format": FORMAT,
        "family": winner.family,
        "spec": winner.spec(),
        "key": winner.key,
        "outputs": population.outputs,
        "classes": None if population.classes is None else list(population.classes),
        "features": int(population.features.shape[1]),
        "feature_names": list(population.feature_names),
        "side": 0 if population.side is None else int(population.side.shape[1]),
        "side_names": list(population.side_names),
        "missing": population.missing,
        "categories": {str(place): list(one) for place, one in population.categories.items()},
        "population": population.fingerprint,
        "refit": refit,
        "instance": instance if refit == "instance" else None,
        "loss": loss,
        "versions": _versions(winner),
    }
    if isinstance(predictor, Fitted) and predictor.columns is not None:
        record["frame_columns"] = list(predictor.columns.names)
    if isinstance(predictor, Fitted):
        codes = None if predictor.codes is None else predictor.codes.tolist()
        record |= {"codes": codes, "probabilities": predictor.probabilities}
    name, content = _serialised(winner, predictor)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    with made_folder(target, ExportError) as part:
        (part / name).write_bytes(content)
        (part / "README.md").write_text(_card_of(selection, record), encoding="utf-8")
        (part / "model.json").write_text(text + "\n", encoding="utf-8")
    return target


def load(folder: str | Path, *, trust: str | Iterable[str] = ()) -> Saved:
    """Read a saved model.

    Parameters
    ----------
    trust
        Packages, modules or import paths whose code the folder may name, in this process. The
        estimators of scikit-learn and of the libraries of boosted trees need none.

    Raises
    ------
    ExportError
        If the folder holds no such model.
    UntrustedError
        If it names code that nobody has trusted.
    """
    trusting(trust)
    source = Path(folder)
    try:
        record = _record_of(source / "model.json")
        with making("the model"):
            family = registry.lookup("candidates", record["family"])
            candidate = whole(family.from_spec(record["spec"]))
    except UntrustedError as error:
        raise UntrustedError(f"{source / 'model.json'}: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"{source} holds no saved model: {error}") from None
    classes = None if record["classes"] is None else tuple(record["classes"])
    if isinstance(candidate, EstimatorCandidate):
        predictor: Predictor = _load_estimator(source, record, candidate)
    elif isinstance(candidate, ConvNet | ModuleCandidate):
        predictor = _load_network(source, candidate)
    else:
        raise ExportError(f"{source} holds a {candidate.family}, which cannot be read back")
    return Saved(candidate, predictor, classes, record)


class _Record(BaseModel):
    """What `load` needs of ``model.json``."""

    model_config = ConfigDict(strict=True, extra="allow")

    format: int
    family: str
    spec: dict[str, Any]
    outputs: int = Field(ge=1)
    classes: list[bool | int | float | str] | None
    features: int = Field(ge=1)
    feature_names: list[str] = []
    side: int = Field(0, ge=0)
    side_names: list[str] = []
    codes: list[int] | None = None
    probabilities: bool = False
    missing: bool = False
    categories: dict[str, list[str]] | None = None
    frame_columns: list[str] | None = None


def _record_of(file: Path) -> Mapping[str, Any]:
    """Return the content of ``model.json``.

    Raises `ExportError` if it is of another format or what `save` never writes, and whatever
    reading text raises.
    """
    found = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
        raise ExportError(f"{file.parent} has format {short(found['format'])}; this reads {FORMAT}")
    try:
        record = _Record.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise ExportError(f"{file} is damaged: {place} cannot be used ({first['msg']})") from None
    codes, classes = record.codes, record.classes
    for what, fits in (
        ("classes", classes is None or len(classes) == record.outputs),
        ("codes", codes is None or (classes is not None and _rise(codes, record.outputs))),
        ("feature_names", len(record.feature_names) in (0, record.features)),
        ("categories", _fit(record)),
        ("side_names", len(record.side_names) in (0, record.side)),
    ):
        if not fits:
            raise ExportError(f"{file} is damaged: its {what} contradict its other fields")
    return record.model_dump()


def _fit(record: _Record) -> bool:
    """Say whether categories are those of features that there are."""
    places, names = record.categories or {}, record.frame_columns or []
    there = all(place.isdecimal() and int(place) < record.features for place in places)
    return there and (not places or len(names) == record.features)


def _rise(codes: Sequence[int], classes: int) -> bool:
    """Say whether codes of classes are in order, each once."""
    return sorted(set(codes)) == list(codes) and all(0 <= code < classes for code in codes)


def _trained(selection: Selection, refit: Refit, instance: int) -> tuple[Predictor, float | None]:
    """Return a predictor of the winner and its loss, None if unknown."""
    winner, setting = selection.winner, selection.study.setting
    one_of("refit", refit, get_args(Refit))
    if refit == "instance":
        training = selection.train(instance)
        if training.outcome.status is not Status.FINISHED or training.predictor is None:
            how = training.outcome.message or "it returns its loss alone"
            raise CandidateError(
                f"instance {instance} of {winner.label} left no model to save "
                f"({training.outcome.status}: {how}): name another instance"
            )
        return training.predictor, training.outcome.loss
    if not isinstance(winner, EstimatorCandidate):
        raise CandidateError(
            f"{winner.label} is a {winner.family}, which stops by its test loss and so cannot be "
            "fitted to everything: use refit = 'instance'"
        )
    population = setting.halves.population
    seed = selection.study.instance(winner.key, Role.CERTIFY, instance).seed
    everything = np.arange(len(population), dtype=np.int32)
    model = winner.make(seed.generator(Stream.NOISE))
    return fit(model, population, everything, setting.loss, winner.side), None


def _serialised(winner: Candidate, predictor: Predictor) -> tuple[str, bytes]:
    """Return the name and content of the model's file."""
    if isinstance(winner, EstimatorCandidate) and isinstance(predictor, Fitted):
        skops = require("skops.io", extra="sklearn")
        try:
            return "model.skops", skops.dumps(predictor.model)
        except Exception as error:
            raise CandidateError(f"skops cannot save {winner.label}: {error}") from error
    weights = {name: np.ascontiguousarray(array) for name, array in predictor.weights.items()}
    if not weights:
        raise CandidateError(
            f"{winner.label} is a {winner.family}, which has no weights to save: only estimators "
            "and networks can be saved"
        )
    safetensors = require("safetensors.numpy", extra="torch")
    return "model.safetensors", safetensors.save(weights, {"key": winner.key})


def _load_estimator(
    source: Path, record: Mapping[str, Any], candidate: EstimatorCandidate
) -> Fitted:
    skops = require("skops.io", extra="sklearn")
    path = source / "model.skops"
    try:
        asked = skops.get_untrusted_types(file=path)
    except Exception as error:
        raise ExportError(f"{path} cannot be read: {error}") from None
    unknown = [kind for kind in asked if not (_PARTS.fullmatch(kind) or is_trusted(kind))]
    if unknown:
        raise UntrustedError(
            f"{path} holds types that data may not name by themselves ({', '.join(unknown)}): if "
            f"you trust them, give their packages, as in trust={unknown[0].partition('.')[0]!r}"
        )
    model = skops.load(path, trusted=asked)
    codes = None if record["codes"] is None else np.array(record["codes"], dtype=np.int64)
    if (codes is None) is not (record["classes"] is None):
        raise ExportError(f"{source / 'model.json'} is damaged: its codes contradict its classes")
    needed = "predict_proba" if codes is not None and record["probabilities"] else "predict"
    if not hasattr(model, needed):
        raise ExportError(f"{path} holds a {type(model).__name__}, which has no {needed}")
    columns = None
    if meaning := _categories(record):
        columns = FrameColumns(tuple(record["frame_columns"]), meaning)
    probable = record["probabilities"]
    return Fitted(model, record["outputs"], candidate.side, codes, probable, columns)


def _load_network(source: Path, net: ConvNet | ModuleCandidate) -> Predictor:
    safetensors = require("safetensors.numpy", extra="torch")
    require("torch", extra="torch")
    from surefoot.engines.torch.eager import predictor_of

    try:
        weights = safetensors.load_file(source / "model.safetensors")
    except Exception as error:
        raise ExportError(f"{source / 'model.safetensors'} cannot be read: {error}") from None
    return predictor_of(net, weights)


def _versions(candidate: Candidate) -> dict[str, str]:
    """Return the versions of Python, surefoot and what trained the candidate."""
    packages = {"surefoot", "numpy"}
    if isinstance(candidate, EstimatorCandidate):
        packages |= {node["class"].partition(".")[0] for node in nodes(candidate.node)}
    if isinstance(candidate, ConvNet):
        packages.add("torch")
    found = {"python": platform.python_version()}
    for package in sorted(packages):
        name = _DISTRIBUTIONS.get(package, package)
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _card_of(selection: Selection, record: Mapping[str, Any]) -> str:
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
