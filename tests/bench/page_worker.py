"""One installation's pages, measured inside its own process. `python -m tests.bench.page_worker`, with
CREDMGR_DATA_DIR naming a prepared installation that `generate_demo` has filled; texts behind it leave out the
pages whose name contains none of them.

Prints the pages' names as one line of JSON; then, for each line on standard input, opens every page once and
prints {name: milliseconds of processor time}, SQLite's share included. Without network and browser: what the
server works, whoever else uses the machine.
"""

import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import django


def main(only: Sequence[str]) -> int:
    """Serve standard input until it ends."""
    pages = import_module("tests.bench.every_page")
    client, addresses = pages.prepare()
    if only:
        addresses = {name: each for name, each in addresses.items() if any(text in name for text in only)}
    _say(list(addresses))
    for _ in sys.stdin:
        _say({name: _measured(client, address) for name, address in addresses.items()})
    return 0


def _measured(client: Any, address: str) -> float:
    began = time.process_time()
    answer = client.get(address)
    taken = (time.process_time() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}.")
    return taken


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    django.setup()
    sys.exit(main(sys.argv[1:]))
