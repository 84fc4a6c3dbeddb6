"""Takes one page as it stands in every view, and says what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.screenshots.views import VIEWS, Theme, View

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The window grows to what the page or the open panel holds, up to this: what sticks to its edges then stands
# where it belongs.
TALLEST = 8000
_NEEDED_HEIGHT = """() => {
  const body = document.querySelector("dialog[open] .panel-body");
  if (body) return innerHeight + body.scrollHeight - body.clientHeight;
  return document.querySelector("dialog[open]") ? innerHeight : document.documentElement.scrollHeight;
}"""
_BEYOND = """() => {
  const inside = document.querySelectorAll("dialog[open], dialog[open] .panel-body");
  const parts = [document.documentElement, ...inside];
  return Math.max(...parts.map((part) => part.scrollWidth - part.clientWidth));
}"""
_AXE = "(rules) => axe.run(document, {resultTypes: ['violations'], preload: false, ...rules})"
# All that axe does by itself, and the size of targets (WCAG 2.2, 2.5.8). A theme changes only colours.
_RULES: dict[Theme, object] = {
    "light": {"rules": {"target-size": {"enabled": True}}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}


class Camera:
    """Stores pictures in one folder. axe_source: axe's own script, or nothing to do without it."""

    def __init__(self, folder: Path, axe_source: str) -> None:
        self._folder = folder
        self._axe_source = axe_source

    def take(self, page: "Page", name: str, views: tuple[View, ...] = VIEWS) -> list[str]:
        """Store <name>-<view>.png for each view; returns what is wrong, in sentences."""
        faults: list[str] = []
        if self._axe_source:
            page.evaluate(self._axe_source)
        for view in views:
            self._turn(page, view)
            path = self._folder / f"{name}-{view.name}.png"
            page.screenshot(path=path, animations="disabled")
            faults += [f"{name}, {view.name}: {fault}" for fault in self._faults(page, view)]
        return faults

    def _turn(self, page: "Page", view: View) -> None:
        """Give the window its width and theme, and as much height as it takes to see everything."""
        page.emulate_media(color_scheme=view.theme, reduced_motion="reduce")
        page.set_viewport_size({"width": view.width, "height": view.height})
        needed = min(page.evaluate(_NEEDED_HEIGHT), TALLEST)
        if needed > view.height:
            page.set_viewport_size({"width": view.width, "height": needed})
        page.evaluate("scrollTo(0, 0)")

    def _faults(self, page: "Page", view: View) -> list[str]:
        faults = []
        beyond = page.evaluate(_BEYOND)
        if beyond > 0:
            faults.append(f"{beyond} px wider than the window")
        if self._axe_source:
            for each in page.evaluate(_AXE, _RULES[view.theme])["violations"]:
                nodes = "; ".join(f"{node['target']} {node['html'][:160]}" for node in each["nodes"][:5])
                faults.append(f"axe {each['id']} ({each['impact']}): {each['help']}: {nodes}")
        return faults
