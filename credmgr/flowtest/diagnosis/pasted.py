"""What can be told about a value that a person pasted, without showing any of it."""

import uuid

from credmgr.flowtest.diagnosis.case import Case
from credmgr.flowtest.report import Evidence


def is_guid(text: str) -> bool:
    """Whether the text is a GUID in any spelling that people paste."""
    try:
        uuid.UUID(text.strip())
    except ValueError:
        return False
    return True


def looks_wrong(case: Case) -> list[Evidence]:
    """Rows that point to a pasted value as the cause; none for a certificate or a value like any other."""
    value = case.presented
    rows = []
    if value and is_guid(value):
        rows.append(
            Evidence("cause", "What was sent", "Is a GUID: an identifier of a secret, seldom a secret itself")
        )
    if value != value.strip():
        rows.append(Evidence("cause", "White space", "Stands before or after the value"))
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
        rows.append(Evidence("cause", "Quotes", "Stand around the value, and were sent with it"))
    return rows
