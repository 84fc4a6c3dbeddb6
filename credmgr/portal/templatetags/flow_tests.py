"""How recorded text of the wire is shown: redactions as grey labels, names coloured, telling words marked."""

import io
import keyword
import re
import tokenize
from collections.abc import Sequence
from urllib.parse import urlencode

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from credmgr.flowtest.report import Step
from credmgr.portal.waterfall import milliseconds

register = template.Library()

_REDACTED = re.compile(r"\[redacted: ([^\],]+), ([\d,]+ characters)\]")
_JSON_NAME = re.compile(r"^(\s*(?:\{ )?)(&quot;[^&\n]*&quot;)(?=:)", re.MULTILINE)
_HEADER = re.compile(r"^([a-z][a-z0-9-]*)(?=: )", re.MULTILINE)
_METHOD = re.compile(r"\A(GET|POST)(?= )")


@register.filter
def wire(text: str, marks: Sequence[str] = ()) -> SafeString:
    """Recorded text as HTML. marks: words on which the explanation rests."""
    html = str(escape(text))
    for word in sorted({word for word in marks if len(word) > 3}, key=len, reverse=True):
        quoted = re.escape(str(escape(word)))
        html = re.sub(rf"(?<![\w<]){quoted}(?![\w>])", lambda found: f"<mark>{found[0]}</mark>", html)
    html = _METHOD.sub(r'<span class="k">\1</span>', html)
    html = _JSON_NAME.sub(r'\1<span class="k">\2</span>', html)
    html = _HEADER.sub(r'<span class="h">\1</span>', html)
    html = _REDACTED.sub(r'<span class="redacted">\1 redacted, \2</span>', html)
    return mark_safe(html)  # noqa: S308 - escaped at the top; only our own tags were added


@register.filter
def python(text: str) -> SafeString:
    """A Python program with its keywords, texts and comments in colour; its text stays as it is."""
    pieces: list[str] = []
    line, column = 1, 0
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        css = _css_of(token)
        if css is None:
            continue
        pieces.append(escape(_between(lines, (line, column), token.start)))
        pieces.append(format_html('<span class="{}">{}</span>', css, token.string))
        line, column = token.end
    pieces.append(escape(_between(lines, (line, column), (len(lines) + 1, 0))))
    return mark_safe("".join(pieces))  # noqa: S308 - every piece was escaped


def _css_of(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.COMMENT:
        return "c"
    if token.type == tokenize.STRING:
        return "s"
    return "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else None


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (line from 1, column) to another."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return lines[start[0] - 1][start[1] :] + "".join(lines[start[0] : end[0] - 1]) + last


@register.filter
def elapsed(value: float) -> str:
    """Milliseconds in words: "86 ms", "1.2 s"."""
    return milliseconds(value)


@register.filter
def address(step: Step) -> str:
    """The address of the page that a step of the cure leads to, empty without one."""
    if not step.page:
        return ""
    try:
        found = reverse(step.page, kwargs=step.page_arguments)
    except NoReverseMatch:
        return ""
    return f"{found}?{urlencode(step.query)}" if step.query else found
