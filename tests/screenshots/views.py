"""The looks that each page is pictured in."""

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class View:
    """A window and a theme. width, height: in CSS pixels."""

    width: int
    height: int
    theme: Theme

    @property
    def name(self) -> str:
        """As in the names of files: 1440-light."""
        return f"{self.width}-{self.theme}"


VIEWS = (
    View(1440, 900, "light"),
    View(1440, 900, "dark"),
    View(390, 844, "light"),
    View(390, 844, "dark"),
)
