"""Logs: one JSON object a line, UTC, with the request's id, and nothing secret (rules G-1, G-3)."""

import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# Set for the length of a request: our own id, which the error page shows, and the client's. Made text where a
# line is written, not with every request.
request_ids: ContextVar[tuple[object, object]] = ContextVar("request_ids", default=("", ""))

MASK = "***"
_NAMES = (
    "client_secret|client_assertion|assertion|access_token|refresh_token|id_token|password|passphrase|secret|"
    "secrettext|private_key|csrfmiddlewaretoken|sessionid|token|code|authorization|proxy-authorization|cookie|set-cookie"
)
_PEM = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL | re.IGNORECASE
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_=-]{5,}\.[A-Za-z0-9_=-]{5,}(?:\.[A-Za-z0-9_=-]*)?")
_GENERATED_SECRET = re.compile(r"\b[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}\b")
# A header's value goes on to the end of the line: "Authorization: Basic ..." is two words, cookies are many.
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+")
_QUOTED = re.compile(rf"(?i)(['\"])((?:[\w-]*_)?(?:{_NAMES}))\1(\s*[:,]\s*b?)(['\"])(?:\\.|(?!\4).)*\4")
_PAIR = re.compile(
    rf"(?i)(?<![\w-])((?:[\w-]*_)?(?:{_NAMES})\s*=\s*)(?:b?'[^']*'|b?\"[^\"]*\"|[^\s&,;'\")}}\]]+)"
)
# A one-time link's token stands in the path.
_LINK = re.compile(r"(/account/(?:setup|invitation)/)[^\s\"'?]+")
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """The text with everything that looks like a credential masked."""
    text = _PEM.sub(f"[private key {MASK}]", text)
    text = _JWT.sub(f"[token {MASK}]", text)
    text = _GENERATED_SECRET.sub(f"[secret {MASK}]", text)
    text = _LINK.sub(rf"\1{MASK}", text)
    text = _HEADER.sub(rf"\1\2{MASK}", text)
    text = _QUOTED.sub(rf"\1\2\1\3\4{MASK}\4", text)
    return _PAIR.sub(rf"\1{MASK}", text)


class RedactionFilter(logging.Filter):
    """Masks message, arguments and traceback before any handler writes them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.args, Mapping):
        # A bare mapping prints its values without the names that would give them away.
        record.args = {key: _argument(str(key), value) for key, value in record.args.items()}
    elif record.args:
        # Before they are formatted: %r would put a second layer of escapes around the quotes looked for.
        record.args = tuple(redact(each) if isinstance(each, str) else each for each in record.args)
    return record.getMessage()


def _argument(name: str, value: Any) -> Any:
    if re.fullmatch(rf"(?i)(?:[\w-]*_)?(?:{_NAMES})", name):
        return MASK
    return redact(value) if isinstance(value, str) else value


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON. Line breaks and control characters come out escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Fields: time (UTC), level, logger, message, process, the request's ids, extras, exception."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        request_id, correlation_id = request_ids.get()
        if request_id:
            entry["request_id"], entry["correlation_id"] = str(request_id), str(correlation_id)
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, str | int | float | bool):
                entry[name] = redact(value) if isinstance(value, str) else value
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            entry["exception"] = record.exc_text
        if record.stack_info:
            entry["stack"] = record.stack_info
        return json.dumps(entry, ensure_ascii=True)
