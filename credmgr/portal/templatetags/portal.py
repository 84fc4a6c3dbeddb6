"""Words and small parts that every page uses: icons, times in UTC, copy buttons, tiles, lifetimes."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from credmgr.aadsts import CATALOGUE
from credmgr.audit.timeline import Span, Timeline
from credmgr.portal import charts, navigation, words
from credmgr.registrations.models import Application
from credmgr.registrations.places import place_words

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A decorative icon; -16 names are drawn for text. The meaning always stands in words beside it."""
    return _icon(name, extra)


@lru_cache(maxsize=512)
def _icon(name: str, extra: str) -> SafeString:
    """A page has some twenty of them, always the same few."""
    size = " icon-16" if name.endswith("-16") else ""
    return format_html(
        '<svg class="icon{}{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        size,
        f" {extra}" if extra else "",
        static("icons/icons.svg"),
        name,
    )


@register.simple_tag
def copy(value: object, label: str) -> SafeString:
    """A button that copies `value`. label: what it copies, as in "Copy object ID"."""
    return format_html(
        '<button class="copy" type="button" data-copy="{}" aria-label="{}">{}</button>',
        value,
        label,
        icon("copy-16"),
    )


@register.simple_tag
def copy_of(value: object, what: str, whose: str) -> SafeString:
    """A copy button in a list, which says whose value it copies."""
    return copy(value, f"Copy {what} of {whose}")


@register.inclusion_tag("portal/_copyable.html")
def copyable(value: object, label: str) -> dict[str, object]:
    """A mono value with its copy button."""
    return {"value": value, "label": label}


@register.inclusion_tag("portal/_status.html")
def status(value: Any) -> dict[str, Any]:
    """Icon and words of anything with `words` and `tone`."""
    return {"words": value.words, "tone": value.tone}


@register.filter
def utc(moment: datetime | None) -> SafeString | str:
    """23 Nov 2026, 14:52 UTC."""
    return _time(moment, words.moment(moment)) if moment else ""


@register.filter
def utc_seconds(moment: datetime | None) -> SafeString | str:
    """23 Nov 2026, 14:52:06 UTC: for logs."""
    return _time(moment, words.moment(moment, seconds=True)) if moment else ""


@register.filter
def clock(moment: datetime) -> SafeString:
    """14:52:06, for logs that show the date in a second line."""
    return _time(moment, moment.astimezone(UTC).strftime("%H:%M:%S"))


@register.filter
def utc_date(moment: datetime | None) -> SafeString | str:
    """23 Nov 2026."""
    if moment is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', moment.astimezone(UTC).date(), words.day(moment))


@register.simple_tag(takes_context=True)
def ago(
    context: Context, moment: datetime | None, never: str = "Never", *, mid: bool = False
) -> SafeString | str:
    """Within a day relative ("4 min ago"), else the date; the exact time is in the element and its title.

    mid: it stands in the middle of a sentence.
    """
    if moment is None:
        return never
    said = words.relative(moment, context.get("now") or timezone.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        _machine(moment),
        words.moment(moment, seconds=True),
        said if mid else said[:1].upper() + said[1:],
    )


@register.simple_tag(takes_context=True)
def days_left(context: Context, moment: datetime) -> str:
    """ "23 days left", "Ends today", "Expired 12 days ago": calendar days in UTC."""
    return words.days_left(moment, context.get("now") or timezone.now())


@register.filter
def thousands(number: int) -> str:
    """1,284."""
    return f"{number:,}"


@register.filter
def counted(number: int, noun: str) -> str:
    """ "1 secret", "2 secrets", "1,284 sign-ins"."""
    return words.counted(number, noun)


@register.filter
def initials(name: str) -> str:
    """Two letters for a tile or an avatar."""
    return words.initials(name)


@register.simple_tag
def tile(name: str) -> SafeString:
    """The coloured square with an application's initials. The colour follows from the name, so it stays."""
    tone = "abcde"[sum(name.encode()) % 5]
    return format_html(
        '<span class="tile{}" aria-hidden="true">{}</span>',
        "" if tone == "a" else f" tile-{tone}",
        words.initials(name),
    )


@register.filter
def thumbprint(value: str) -> str:
    """A long hexadecimal value shortened for a row; the copy button beside it has it whole."""
    return f"{value[:12]}…{value[-4:]}" if len(value) > 20 else value


@register.inclusion_tag("portal/_lifetime.html", takes_context=True)
def lifetime(context: Context, start: datetime, end: datetime) -> dict[str, Any]:
    """The bar of a credential: pale is spent, full is left."""
    now: datetime = context.get("now") or timezone.now()
    whole = max((end - start).total_seconds(), 1.0)
    spent = min(max((now - start).total_seconds() / whole * 100, 0.0), 100.0)
    days = (end - now).days
    tone = "critical" if days < 8 else "soon" if days <= 30 else "left"
    return {
        "over": now >= end,
        "tone": tone,
        "spent": round(spent, 1),
        "left": round(100 - spent, 1),
        "words": f"{words.day(start)} to {words.day(end)}, {round(spent)} percent of its life is over",
    }


@register.inclusion_tag("portal/_histogram.html")
def histogram(timeline: Timeline) -> dict[str, Any]:
    """Sign-ins over time."""
    return {
        "timeline": timeline,
        "bars": charts.bars(timeline),
        "ticks": charts.ticks(timeline),
        "step": charts.step_words(timeline.step),
        "first": timeline.spans[0].start,
        "last": timeline.spans[-1].end,
    }


@register.filter
def span_words(span: Span) -> str:
    """The span of one bar of a chart: "23 Nov 2026, 15:00 to 16:00 UTC"."""
    return charts.span_words(span)


@register.filter
def moment(value: datetime) -> str:
    """23 Nov 2026, 14:52 UTC as plain text, for attributes."""
    return words.moment(value)


@register.simple_tag
def page_address(name: str, *arguments: object) -> str:
    """The address of a page that may not exist; empty then. For links that appear with their page."""
    return navigation.address(name, *arguments)


@register.simple_tag
def aadsts_address(code: object) -> str:
    """The address of the page that explains a code, given as a number or its digits; empty for others."""
    digits = str(code)
    known = digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(digits) in CATALOGUE
    return navigation.address("portal:aadsts_code", int(digits)) if known else ""


@register.filter
def lives_at(application: Application) -> str:
    """Where a registration lives, in a few words."""
    return place_words(application)


@register.inclusion_tag("portal/_application_menu.html", takes_context=True)
def application_menu(context: Context) -> dict[str, Any]:
    """The menu at the side of an application's pages."""
    application = context["application"]
    groups = context.get("menu") or navigation.application_menu(context["request"], application)
    return {"application": application, "groups": groups}


def _machine(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', _machine(moment), text)
