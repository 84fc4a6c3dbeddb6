"""Contact sheets: all views of a page in one picture, and one page of all of them. Chromium makes them."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from tests.screenshots.views import VIEWS, View

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHEETS = "sheets"
SUFFIXES = ("", "-page")  # a panel over its page, and at its own address
# Widths of a picture on a sheet, in CSS pixels: wide ones are halved, those of a phone stay readable.
_SHOWN = {1440: 720, 390: 312}
_STYLE = """
body { margin: 0; padding: 16px; background: #808080; font: 14px/20px sans-serif; width: max-content; }
h1 { margin: 0 0 12px; font-size: 18px; } div { display: flex; gap: 12px; align-items: start; }
div + div { margin-top: 16px; } img { display: block; border: 1px solid #404040; }
"""
_INDEX_STYLE = """
body { margin: 24px; font: 14px/20px sans-serif; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 16px; padding: 0; }
li { list-style: none; } img { display: block; width: 100%; border: 1px solid #808080; }
"""


def write_sheets(browser: "Browser", folder: Path, order: list[str]) -> None:
    """Write sheets/<name>.png for each page of which there are pictures, and index.html with all of them."""
    (folder / SHEETS).mkdir(exist_ok=True)
    page = browser.new_page()
    shown = []
    for name in order:
        rows = [_row(folder, f"{name}{suffix}") for suffix in SUFFIXES]
        if not any(rows):
            continue
        shown.append(name)
        source = folder / SHEETS / f"{name}.html"
        body = f"<h1>{escape(name)}</h1>" + "".join(f"<div>{row}</div>" for row in rows if row)
        source.write_text(_document(_STYLE, body))
        page.set_viewport_size({"width": 400, "height": 300})
        page.goto(source.as_uri())
        page.locator("body").screenshot(path=folder / SHEETS / f"{name}.png")
        source.unlink()
    page.close()
    items = "".join(
        f'<li><a href="{SHEETS}/{name}.png">{escape(name)}<img src="{SHEETS}/{name}.png" alt=""></a></li>'
        for name in shown
    )
    (folder / "index.html").write_text(_document(_INDEX_STYLE, f"<ul>{items}</ul>"))


def _row(folder: Path, name: str) -> str:
    files = [(view, folder / f"{name}-{view.name}.png") for view in VIEWS]
    return "".join(_image(view, file) for view, file in files if file.exists())


def _image(view: View, file: Path) -> str:
    return f'<img src="../{file.name}" width="{_SHOWN[view.width]}" alt="{escape(view.name)}">'


def _document(style: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Screenshots</title>'
        f"<style>{style}</style>{body}</html>"
    )
