"""A person at the portal without a browser: signs in and fills forms over plain HTTP."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests


class Forms(HTMLParser):
    """Collects, for each form of a page, its action and what its fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms, their inputs and links."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                {"action": found.get("action", ""), "method": found.get("method", "get"), "fields": {}}
            )
        elif tag == "a" and "href" in found:
            self.links.add(found["href"])
        elif tag == "input" and self.forms and "name" in found:
            kind = found.get("type", "text")
            if kind in {"checkbox", "radio"} and "checked" not in found:
                return
            if kind not in {"submit", "file", "image"}:
                unsaid = "on" if kind in {"checkbox", "radio"} else ""
                self.forms[-1]["fields"][found["name"]] = found.get("value", unsaid)


def read_page(text: str) -> Forms:
    """Parse a page."""
    parser = Forms()
    parser.feed(text)
    return parser


class PortalSession:
    """One signed-in person, or a stranger without a name."""

    def __init__(self, base: str, user_name: str = "", password: str = "") -> None:
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False
        if not user_name:
            return
        answer = self.submit("/account/login", {"login": user_name, "password": password})
        assert "/account/login" not in answer.url, answer.text[:2000]

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """Fetch a page of the portal."""
        return self.http.get(urljoin(self.base, path), timeout=30, **kwargs)

    def submit(
        self, path: str, data: dict[str, str], *, files: dict[str, tuple[str, bytes]] | None = None
    ) -> requests.Response:
        """Open the page, fill the form that has these fields (or the main one) and send it."""
        page = self.get(path)
        form = self._form_for(page, path)
        target = urljoin(page.url, form["action"]) if form["action"] else page.url
        return self.http.post(
            target, data={**form["fields"], **data}, files=files, timeout=60, headers={"Referer": page.url}
        )

    def _form_for(self, page: requests.Response, path: str) -> dict[str, Any]:
        posts = [form for form in read_page(page.text).forms if form["method"].lower() == "post"]
        own = [form for form in posts if urlsplit(form["action"]).path in {"", urlsplit(path).path}]
        assert own, (
            f"{path} ({page.status_code}) has no form of its own: {[form['action'] for form in posts]}"
        )
        return own[0]
