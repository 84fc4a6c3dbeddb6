"""Run as `python -m tests.screenshots` (`make screenshots`). Needs Chromium and the test requirements."""

import argparse
import os
import sys
from importlib import import_module


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORD", help="pictures whose name holds this word"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="browsers at once (default: 2)")
    parser.add_argument("--without-axe", action="store_true", help="pictures only, in half the time")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _arguments()
    for name in [name for name in os.environ if name.startswith("CREDMGR_") or name == "DATABASE_URL"]:
        if name != "CREDMGR_TEST_CHROMIUM":
            del os.environ[name]
    # Settings are read once, and those of the installation exist only after it was made.
    taking = import_module("tests.screenshots.taking")
    sys.exit(taking.main(chosen.only, chosen.jobs, with_axe=not chosen.without_axe))
