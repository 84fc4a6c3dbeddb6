"""The words of a run that ended with a verified token."""

from datetime import datetime

from credmgr.flowtest.inspection import moment, relative
from credmgr.flowtest.report import SHAPE_NAMES, Diagnosis, ShapeResult


def succeeded(shapes: list[ShapeResult], name: str, now: datetime) -> Diagnosis:
    """Every shape brought a token and every check passed."""
    first = shapes[0]
    claims = first.token.claims if first.token else {}
    ends = moment(claims.get("exp"))
    valid = f" and is valid for another {relative(ends, now).removeprefix('in ')}" if ends else ""
    both = ""
    if len(shapes) > 1:
        both = " Both shapes work: " + " and ".join(SHAPE_NAMES[item.shape] for item in shapes) + "."
    return Diagnosis(
        "verified",
        f"Token acquired and verified in {first.duration_ms:,.0f} ms",
        f"The authority accepted {name}. The token is signed by a key it publishes{valid}.{both}",
    )
