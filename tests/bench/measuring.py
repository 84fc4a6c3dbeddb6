"""What `make bench` does, one part after another, and what it exits with."""

import argparse
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connections

from credmgr.credentials.demo_scale import SCALE, Amounts
from tests.bench.clients import make_clients
from tests.bench.growth import growth_part
from tests.bench.installation import Installation
from tests.bench.pages import list_page_part
from tests.bench.printing import say
from tests.bench.profiling import profile_part
from tests.bench.refusals import refusals_part
from tests.bench.rounds import Size
from tests.bench.scale import scale_part
from tests.bench.tokens import tokens_part

FULL = Size(rounds=9, tokens=800, registrations=100_000, sign_ins=1_000_000)
QUICK = Size(rounds=3, tokens=400, registrations=20_000, sign_ins=100_000)
# Too little to say anything: shows that the bench itself still works.
TRIAL = Size(rounds=1, tokens=20, registrations=300, sign_ins=100)
QUICK_SCALE = Amounts(registrations=10_000, credentials=30_000, sign_ins=200_000, audit_rows=50_000)
TRIAL_SCALE = Amounts(registrations=120, credentials=360, sign_ins=600, audit_rows=200)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What a token costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller tables: a first look")
    parser.add_argument("--profile", action="store_true", help="only where the time of a token goes")
    parser.add_argument(
        "--scale", action="store_true", help="only what pages cost in an installation that has grown"
    )
    parser.add_argument("--folder", type=Path, help="of --scale: a data folder that generate_demo has filled")
    parser.add_argument(
        "--pages",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="of --scale: only pages with one in their name",
    )
    parser.add_argument("--trial", action="store_true", help="only try the bench itself")
    chosen = parser.parse_args(arguments)
    size = TRIAL if chosen.trial else QUICK if chosen.quick else FULL
    now = datetime.now(UTC)
    base = Installation(Path(settings.DATA_DIR))
    try:
        requests = make_clients(now)
        if chosen.profile:
            profile_part(base, requests, size)
            return 0
        if chosen.scale:
            amounts = TRIAL_SCALE if chosen.trial else QUICK_SCALE if chosen.quick else SCALE
            return _told(scale_part(base, amounts, size.rounds, chosen.folder, chosen.pages))
        missed = tokens_part(base.copy("tokens"), requests, size)
        refusals_part(base.copy("refusals"), requests, size)
        missed += growth_part(base, requests, size)
        list_page_part(now)
    finally:
        connections.close_all()
        shutil.rmtree(Path(settings.DATA_DIR).parent, ignore_errors=True)
    return _told(missed)


def _told(missed: Sequence[str]) -> int:
    """Say what was missed; what to exit with."""
    say()
    for each in missed:
        say(f"MISSED: {each}")
    if not missed:
        say("Every bar holds.")
    return int(bool(missed))
