"""Allowed origins."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("origins", "portal:origins"),
    panel("origin-new", "portal:origin_new"),
    page(
        "origin-new-error",
        "portal:origin_new",
        then=do.after(do.fill(address="nonsense"), do.send("Add origin")),
    ),
    panel("origin-remove", "portal:origin_remove", "origin"),
]
