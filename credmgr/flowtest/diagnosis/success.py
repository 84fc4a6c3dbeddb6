"""The words of a run whose credential worked."""

from datetime import datetime

from credmgr.flowtest.inspection import moment, relative
from credmgr.flowtest.report import SHAPE_NAMES, Diagnosis, ShapeResult, Verdict


def succeeded(shapes: list[ShapeResult], told: ShapeResult, name: str, now: datetime) -> Diagnosis:
    """told: the shape that decides, one of those whose token came and passed every check that can be made."""
    if told.verdict is Verdict.ACQUIRED:
        return _acquired(shapes, told, name)
    claims = told.token.claims if told.token else {}
    ends = moment(claims.get("exp"))
    valid = f" and is valid for another {relative(ends, now).removeprefix('in ')}" if ends else ""
    return Diagnosis(
        "verified",
        f"Token acquired and verified in {told.duration_ms:,.0f} ms",
        f"The authority accepted {name}. The token is signed by a key it publishes{valid}."
        f"{_ways(shapes, told)}",
    )


def _acquired(shapes: list[ShapeResult], told: ShapeResult, name: str) -> Diagnosis:
    """The credential works; the token is not for anybody here to check."""
    checks = told.token.checks if told.token else []
    why = told.failure_detail or next((each.detail for each in checks if each.outcome == "unchecked"), "")
    return Diagnosis(
        "acquired",
        f"Token acquired in {told.duration_ms:,.0f} ms, its signature not checked"
        if told.token
        else f"Token acquired in {told.duration_ms:,.0f} ms, not to be checked here",
        f"The authority accepted {name}. {why.rstrip('.')}.{_ways(shapes, told)}",
    )


def _ways(shapes: list[ShapeResult], told: ShapeResult) -> str:
    if len(shapes) < 2:
        return ""
    refused = [SHAPE_NAMES[item.shape] for item in shapes if not item.verdict.is_success]
    if refused:
        return f" {SHAPE_NAMES[told.shape]} works, {' and '.join(refused)} was refused before."
    return " Both shapes work: " + " and ".join(SHAPE_NAMES[item.shape] for item in shapes) + "."
