"""Takes out of an exchange what proves an identity, before the exchange is kept. Replaced by its length."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

SECRET_FIELDS = {"client_secret", "password", "refresh_token", "code"}
TOKEN_FIELDS = {"access_token", "refresh_token", "id_token"}
TEXT_MAX = 2000
BODY_MAX = 16_000
_JWT = re.compile(r"eyJ[\w-]{5,}={0,2}\.[\w-]{5,}={0,2}\.[\w=-]+")
# A list of texts and numbers, which reads better on one line. Inside a JSON text no line break is possible.
_SCALAR = r'(?:-?\d+|"(?:[^"\\\n]|\\.)*")'
_LIST = re.compile(rf"\[\n\s*{_SCALAR}(?:,\n\s*{_SCALAR})*\n\s*\]")
_BREAK = re.compile(r"\n\s*")
_PEM = re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*PRIVATE KEY-----|\Z)", re.DOTALL)


def redacted(what: str, length: int) -> str:
    """The mark that stands in a stored text; the page shows it as a grey label."""
    return f"[redacted: {what}, {length:,} characters]"


class Redactor:
    """Knows the values that must not be kept and takes them out of any text, plain or URL-quoted."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def remember(self, what: str, value: str) -> None:
        """Take this value out of everything from now on. what: "secret", "signature", "token"."""
        if len(value) < 4:
            return  # would hit ordinary words; a value this short protects nothing
        for spelling in {value, quote(value, safe=""), quote_plus(value)}:
            self._known[spelling] = redacted(what, len(value))

    def text(self, text: str, limit: int = TEXT_MAX) -> str:
        """The text without known values, tokens and private keys, cut to limit characters."""
        for value in sorted(self._known, key=len, reverse=True):
            text = text.replace(value, self._known[value])
        text = _JWT.sub(lambda found: redacted("token", len(found[0])), text)
        text = _PEM.sub(lambda found: redacted("private key", len(found[0])), text)
        return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"

    def form(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Form fields as sent, values redacted."""
        return [(name, self._field(name, str(value))) for name, value in data.items() if value is not None]

    def _field(self, name: str, value: str) -> str:
        if name in SECRET_FIELDS:
            self.remember("secret", value)
            return redacted("secret", len(value))
        if name == "client_assertion":
            head, _, signature = value.rpartition(".")
            self.remember("signature", signature)
            self.remember("assertion", value)
            return f"{head[:20]}…{redacted('signature', len(signature))}"
        return self.text(value)

    def body(self, text: str) -> str:
        """An answer's body: JSON indented with tokens taken out, else the text as it is."""
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return self.text(text)
        if isinstance(parsed, dict):
            for name in TOKEN_FIELDS & parsed.keys():
                self.remember("token", str(parsed[name]))
                parsed[name] = redacted("token", len(str(parsed[name])))
        shown = json.dumps(self._tree(parsed), indent=2, ensure_ascii=False)
        shown = _LIST.sub(lambda found: _BREAK.sub("", found[0].replace(",\n", ", \n")), shown)
        return shown if len(shown) <= BODY_MAX else f"{shown[:BODY_MAX]}… ({len(shown):,} characters)"

    def _tree(self, node: Any) -> Any:
        """Every text inside a JSON value, redacted before escaping could hide it."""
        if isinstance(node, str):
            return self.text(node)
        if isinstance(node, list):
            return [self._tree(item) for item in node]
        if isinstance(node, dict):
            return {self.text(name): self._tree(value) for name, value in node.items()}
        return node
