"""Results that show themselves: in words when printed, in a line among others, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.escaping import html_text, one_line

LONGEST = 100
"""Characters of a line."""


class Shown:
    """A result whose ``str`` says it in words.

    Where it stands among other values it is one line, and a notebook shows its words with a table.
    A dataclass that is one needs ``repr=False``.
    """

    def overview(self) -> Sequence[Mapping[str, object]]:
        """Return the rows that a notebook shows below the words, by column; none for no table."""
        return ()

    def __repr__(self) -> str:
        first = next(filter(None, map(str.strip, str(self).splitlines())), "")
        line = one_line(" ".join(first.split()))
        short = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
        return f"<{type(self).__name__}: {short}>"

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it."""
        return words_html(str(self)) + table_html(self.overview())


def words_html(words: str) -> str:
    """Return lines of a terminal as HTML in which nothing is markup.

    >>> words_html("Winner  <b>")
    '<pre style="white-space: pre-wrap">Winner  &lt;b&gt;</pre>'
    """
    return f'<pre style="white-space: pre-wrap">{html_text(words)}</pre>'


def table_html(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as an HTML table in which nothing is markup, numbers to the right.

    >>> table_html([{"<b>": 0.123456}])
    '<table><tr><th>&lt;b&gt;</th></tr><tr><td style="text-align: right">0.1235</td></tr></table>'
    """
    if not rows:
        return ""
    heads = "".join(f"<th>{html_text(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows)
    return f"<table><tr>{heads}</tr>{body}</table>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        value = "" if value != value else f"{value:.4g}"
    elif isinstance(value, int):
        value = f"{value:,}"
    else:
        return f"<td>{html_text('' if value is None else str(value))}</td>"
    return f'<td style="text-align: right">{value}</td>'
