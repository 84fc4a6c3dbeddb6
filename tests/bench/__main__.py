"""Run as `python -m tests.bench` (`make bench`). Needs Linux (/proc, epoll) and the runtime requirements
only, and Node for the peer.
"""

import sys
from importlib import import_module

import django

from tests.bench.installation import prepare_environment

if __name__ == "__main__":
    # The settings are read once: the data folder has to be there before anything of Django's is imported.
    prepare_environment()
    django.setup()
    sys.exit(import_module("tests.bench.measuring").main(sys.argv[1:]))
