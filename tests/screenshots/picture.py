"""One entry of the list: which page, seen by whom, and what is done on it before it is taken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from django.urls import reverse

from tests.screenshots.stage import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

Step = Callable[["Page", Stage], None]

# person -> the installation where they are known
HOMES = {"beginner": "new", "newcomer": "unset"}


@dataclass(frozen=True)
class Picture:
    """route: the address's name, "" where `then` finds the page by itself; things: its arguments, by name.

    is_panel: it opens over the page it belongs to, and is pictured at its own address too. over: that page's
    address, where it is another than the one that the panel's Close leads to.
    """

    name: str
    route: str = ""
    things: tuple[str, ...] = ()
    query: str = ""
    person: str = "robin"
    then: Step | None = None
    is_panel: bool = False
    over: str = ""

    def path(self, stage: Stage) -> str:
        """Path and query of its page."""
        arguments = [stage.things.get(thing, thing) for thing in self.things]
        return reverse(self.route, args=arguments) + self.query.format_map(stage.things)

    def show(self, page: "Page", stage: Stage) -> Iterator[str]:
        """Bring the page up; yields the ending of the picture's name each time there is something to take."""
        portal = stage.portals[HOMES.get(self.person, "lived-in")]
        if self.route:
            page.goto(f"{portal}{self.path(stage)}")
        if self.is_panel:
            behind = ""
            if self.over:
                behind = reverse(self.over, args=[stage.things[name] for name in self.things[:1]])
            _open_over(page, behind)
        if self.then:
            self.then(page, stage)
        page.mouse.move(1438, 450)  # over nothing that has a look of its own for it
        yield ""
        if self.is_panel and not self.then:
            page.goto(f"{portal}{self.path(stage)}")
            yield "-page"


def page(
    name: str, route: str, *things: str, query: str = "", person: str = "robin", then: Step | None = None
) -> Picture:
    """A page, after what `then` does on it."""
    return Picture(name, route, things, query, person, then)


def panel(
    name: str,
    route: str,
    *things: str,
    query: str = "",
    person: str = "robin",
    then: Step | None = None,
    over: str = "",
) -> Picture:
    """A panel, after what `then` does in it."""
    return Picture(name, route, things, query, person, then, is_panel=True, over=over)


def state(name: str, then: Step, person: str = "stranger") -> Picture:
    """Whatever `then` ends on."""
    return Picture(name, person=person, then=then)


def _open_over(page: "Page", behind: str) -> None:
    """From the panel's own address to the page behind it, and back by the link that opens it there."""
    address = page.evaluate("location.pathname + location.search")
    closes = page.locator("#panel a[data-closes]").first.get_attribute("href")
    page.goto(urljoin(page.url, behind or closes))
    link = page.locator(f'a[data-panel][href="{address}"]').first
    if link.count() == 0:
        raise LookupError(f"No link opens {address} as a panel over {page.url}.")
    if link.is_visible():
        link.click()
    else:
        link.evaluate("link => link.click()")  # in a menu that is closed
    page.locator("dialog[open] #panel").wait_for()
