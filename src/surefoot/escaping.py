"""What leaves as text may come from anywhere: one function for every exit makes it harmless.

Names, labels and messages stand in study files, journals and data of other people. Left raw, an
escape sequence drives a terminal, a bidirectional control shows another text than is there, a
leading ``=`` is a formula to a spreadsheet, and ``<`` is a tag in a model card.
"""

from __future__ import annotations

import html
import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but tab and newline, and what has no shape or changes the direction."""
_MARKDOWN = re.compile(r"[\\`*|~$]|\](?=\s*[(\[:])|!(?=\[)|(?<!\w)_|_(?!\w)|^(?=[#+-])")

_TEX = {one: f"\\{one}" for one in "{}$&#_%"}
_TEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {"<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "*": "{*}", '"': "''", "`": r"\`{}"}
_TEX |= {"→": r"$\rightarrow$", "×": r"$\times$", "√": r"$\surd$", "±": r"$\pm$", "…": r"\ldots{}"}
_TEX |= {"²": "$^2$", "³": "$^3$", "µ": r"$\mu$", "≤": r"$\leq$", "≥": r"$\geq$", "∞": r"$\infty$"}
_TEX |= {"°": r"$^\circ$", "−": "$-$", "–": "--", "—": "---"}
"""What TeX takes for something else; a bracket or a star may follow the end of a row."""


def visible(text: str) -> str:
    r"""Return text for a terminal or a figure: what cannot be seen is written as ``\u`` and a code.

    >>> visible("\x1b[2J"), visible("a\u202eb")
    ('\\u001b[2J', 'a\\u202eb')
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Return `visible` text on one line, as a name or a message must be.

    >>> one_line("a name\\n  and more")
    'a name and more'
    """
    return visible(re.sub(r"\s*[\r\n]\s*", " ", text))


def csv_cell(text: str) -> str:
    """Return text for a cell of a table; what a spreadsheet takes for a formula gets a quote.

    >>> csv_cell("=1+1"), csv_cell("Ridge")
    ("'=1+1", 'Ridge')
    """
    return (
        f"'{visible(text)}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else visible(text)
    )


def tex(text: str) -> str:
    r"""Return text that is no command of TeX, on one line, symbols by their commands.

    >>> tex("50% of $x_1$ \\\\input{y}")
    '50\\% of \\$x\\_1\\$ \\textbackslash{}input\\{y\\}'
    """
    return "".join(_TEX.get(one, one) for one in one_line(text)).replace("--", "-{}-")


def markdown(text: str) -> str:
    r"""Return text that is no markup of Markdown or HTML, on one line.

    >>> markdown("<b>*x*"), markdown("relative_rmse of SVR(C=1)")
    ('&lt;b&gt;\\*x\\*', 'relative_rmse of SVR(C=1)')
    """
    return html.escape(_MARKDOWN.sub(r"\\\g<0>", one_line(text)), quote=False)


def html_text(text: str) -> str:
    """Return `visible` text that is no markup of HTML, also within quotes.

    >>> html_text("<script>alert('1')</script>")
    '&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;'
    """
    return html.escape(visible(text), quote=True)
