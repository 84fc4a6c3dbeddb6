"""What the run's page is made of: geometry, text of the wire, ready programs."""

import ast
import json
import re
import shlex
import uuid
from typing import Any

import pytest
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.flowtest.report import Hop
from credmgr.portal.snippets import Snippet, client_tabs, exports_for
from credmgr.portal.templatetags.flow_tests import wire
from credmgr.portal.waterfall import milliseconds, waterfall_of
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import IdentifierUri
from credmgr.registrations.registering import register_application


def hop(name: str, start: float, duration: float, outcome: str = "ok", kind: str = "network") -> Hop:
    """A step with something to show."""
    return Hop(name, "", kind, outcome, "200", start, duration, [("Request", "GET /")])


def percent(text: str) -> float:
    """ "12.5%" as a number."""
    assert text.endswith("%")
    return float(text[:-1])


def test_bars_lie_one_after_another_and_inside_the_chart() -> None:
    fall = waterfall_of([hop("a", 0, 86), hop("b", 86, 9, kind="local"), hop("c", 95, 242), hop("d", 337, 0)])
    for bar in fall.bars:
        assert 0 <= percent(bar.x) <= percent(bar.x) + percent(bar.width) <= 100.2
        assert percent(bar.width) > 0
    assert percent(fall.bars[1].x) == pytest.approx(percent(fall.bars[0].width), abs=0.2)
    assert [bar.css for bar in fall.bars] == ["hop-bar", "hop-bar-local", "hop-bar", "hop-bar"]
    assert [tick.label for tick in fall.ticks] == ["0", "100", "200", "300 ms"]
    assert [bar.is_open for bar in fall.bars] == [False, False, True, False]


def test_the_second_shape_begins_at_zero_too() -> None:
    fall = waterfall_of([hop("a", 500, 10), hop("b", 510, 10)])
    assert fall.bars[0].x == "0.0%"


def test_the_failed_step_is_open_and_named() -> None:
    fall = waterfall_of([hop("a", 0, 900), hop("b", 900, 2, "failed"), hop("c", 0, 0, "skipped")])
    assert [bar.is_open for bar in fall.bars] == [False, True, False]
    assert fall.stopped_at == 2
    assert fall.bars[1].css == "hop-bar-failed"


@pytest.mark.parametrize("hops", [[], [hop("a", 0, 0)], [hop("a", 0, 0, "skipped")], [hop("a", 0, 60_000)]])
def test_odd_runs_have_a_chart_too(hops: list[Hop]) -> None:
    fall = waterfall_of(hops)
    assert len(fall.bars) == len(hops)
    assert len(fall.ticks) <= 7


@pytest.mark.parametrize(("value", "words"), [(0.2, "< 1 ms"), (86.4, "86 ms"), (1234, "1.2 s")])
def test_times_in_words(value: float, words: str) -> None:
    assert milliseconds(value) == words


def test_text_of_the_wire_is_escaped_before_it_is_dressed() -> None:
    html = wire(
        'GET /x\nhost: a\n\n{\n  "error": "<script>alert(1)</script> [redacted: secret, 44 characters]"\n}'
    )
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert '<span class="k">GET</span> /x' in html
    assert '<span class="h">host</span>: a' in html
    assert '<span class="k">&quot;error&quot;</span>:' in html
    assert '<span class="redacted">secret redacted, 44 characters</span>' in html


def test_the_words_behind_an_explanation_are_marked() -> None:
    html = wire('"error_codes": [ 700027 ], "x": "2018CC21"', ["700027", "2018CC21", "<b>"])
    assert "<mark>700027</mark>" in html
    assert "<mark>2018CC21</mark>" in html
    # Not inside a longer number, nor inside our own tags.
    assert wire("x7000270", ["700027"]) == "x7000270"
    assert "<mark>" not in wire("span class", ["redacted"])


@pytest.mark.django_db
def test_programs_hold_this_applications_values_as_literals(registered: Any) -> None:
    application = registered('api://odd"name')
    for snippet in every_snippet(application):
        if snippet.language != "py":
            continue
        tree = ast.parse(snippet.text)
        names = {
            target.id: str(node.value.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        tenant = str(application.tenant_id)
        assert names.get("AUTHORITY", tenant).endswith(tenant)
        assert names.get("TENANT_ID", tenant) == tenant
        assert names.get("CLIENT_ID", str(application.client_id)) == str(application.client_id)
        assert names.get("SCOPE", 'api://odd"name/.default') == 'api://odd"name/.default'
        assert names.get("THUMBPRINT", "AB" * 20) == "AB" * 20
        # P12: the CA is named in a way that REQUESTS_CA_BUNDLE cannot override.
        assert "trust_env = False" in snippet.text or "connection_verify=CA_FILE" in snippet.text
        assert "sys.argv" not in snippet.text
    assert all("secret" not in item.text.lower() for item in exports_for(application))


@pytest.mark.django_db
def test_a_value_cannot_leave_its_quotes_in_any_language(registered: Any) -> None:
    """Each language's own way to write the text; GitHub's brackets are spelled out, not evaluated."""
    odd = """api://a'b"c$(d)`e`${{ github.token }}"""
    written = {
        "sh": "SCOPE=" + shlex.quote(odd + "/.default"),
        "yml": "api://a'b\\\"c$(d)`e`${{ '${{' }} github.token }}/.default\"",
    }
    plain = json.dumps(odd + "/.default")
    seen = set()
    for snippet in every_snippet(registered(odd)):
        assert "&quot;" not in snippet.text
        assert not re.search(r"(?i)verify\s*=\s*False|--insecure|curl -k|rejectUnauthorized", snippet.text)
        if re.search("(?i)scope *[=:] *[\"'a]", snippet.text):
            assert written.get(snippet.language, plain) in snippet.text, snippet.text
            seen.add(snippet.language)
    assert seen == {"py", "mjs", "cs", "java", "go", "sh", "yml"}


def every_snippet(application: Any) -> list[Snippet]:
    """The programs of all clients."""
    tabs = client_tabs(application, thumbprint="AB" * 20)
    return [snippet for tab in tabs for snippet in tab.snippets]


@pytest.fixture
def registered(db: None) -> Any:
    """Registers an application with an identifier URI, past the naming rules of the form."""

    def make(uri: str) -> Any:
        now = timezone.now()
        tenant = ensure_default_tenant(now)
        application = register_application(
            tenant=tenant, display_name=f"app {uuid.uuid4()}", actor=Actor.command(), now=now
        )
        IdentifierUri.objects.create(application=application, tenant=tenant, uri=uri)
        return application

    return make
