"""Cells of a CSV file that no spreadsheet takes for a formula and no terminal for a command (U-6)."""

import unicodedata

# What spreadsheets read as the beginning of a formula, in the plain and in the full-width form.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width forms are meant
_SHOWN_AS_ESCAPE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def safe_cell(text: str) -> str:
    """The text with control and direction characters written as escapes, and a quote before formulas."""
    begins_formula = text.lstrip(" \u00a0").startswith(_FORMULA)
    shown = "".join(_shown(character) for character in text)
    return f"'{shown}" if begins_formula else shown


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _SHOWN_AS_ESCAPE:
        return character
    return character.encode("unicode_escape").decode("ascii")
