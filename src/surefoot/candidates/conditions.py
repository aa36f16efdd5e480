"""Conditions on candidates as study files write them: small expressions, never code.

An expression compares fields of a candidate and plain values with Python's arithmetic, comparisons
and ``and``, ``or``, ``not``, ``in``: ``learning_rate * batch_size <= 0.1``,
``optimizer != 'sgd' or learning_rate >= 1e-3``. It is checked piece by piece; calls, attributes and
everything else are refused.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.errors import SpaceError, nearest

Condition = Callable[[Candidate], bool]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def parse_condition(text: str) -> Condition:
    """Return the condition that an expression states.

    Its names are fields of the candidate's spec, ``channels`` (a list), ``convolutions`` and
    ``number_of_parameters``.

    Raises
    ------
    SpaceError
        If the text is not such an expression; when the condition is applied, if a name is unknown
        to a candidate or two values cannot be compared.

    >>> from surefoot.candidates.convnet.presets import preset
    >>> parse_condition("learning_rate <= 1e-3 and optimizer in ['nadam']")(preset("model_1"))
    True
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise SpaceError(_unreadable(text, text)) from None
    _check(tree, text)

    def holds(candidate: Candidate) -> bool:
        try:
            return bool(_value(tree, _names(candidate), text))
        except (TypeError, ZeroDivisionError) as error:
            raise SpaceError(f"condition {text!r} fails for {candidate.label}: {error}") from None

    holds.__name__ = f"condition {text!r}"
    return holds


def _names(candidate: Candidate) -> dict[str, Any]:
    names = candidate.spec()
    for name in ("number_of_parameters", "flops"):
        if hasattr(candidate, name):
            names[name] = getattr(candidate, name)
    if isinstance(names.get("convolutions"), list):
        names["channels"] = [conv["channels"] for conv in names["convolutions"]]
        names["convolutions"] = len(names["convolutions"])
    return names


def _check(node: ast.expr, text: str) -> None:
    """Refuse every piece of an expression that is not listed here."""
    match node:
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            parts = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(
            type(op) in _COMPARE for op in ops
        ):
            parts = [left, *rest]
        case ast.Name():
            parts = []
        case ast.Constant(value=bool() | int() | float() | str()):
            parts = []
        case _:
            raise SpaceError(_unreadable(text, ast.unparse(node)))
    for part in parts:
        _check(part, text)


def _value(node: ast.expr, names: dict[str, Any], text: str) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            if name not in names:
                raise SpaceError(
                    f"condition {text!r} names the unknown field {name!r}: {nearest(name, names)}"
                )
            return names[name]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, names, text) for part in parts]
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, names, text) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, names, text) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, names, text)
        case ast.UnaryOp(operand=operand):
            return -_value(operand, names, text)
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, names, text), _value(right, names, text))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            values = [_value(part, names, text) for part in (left, *rest)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:]))
    raise SpaceError(_unreadable(text, ast.unparse(node)))


def _unreadable(text: str, part: str) -> str:
    return (
        f"condition {text!r} cannot be read at {part!r}; write a comparison such as "
        "'learning_rate * batch_size <= 0.1'"
    )
