"""The server of the bench: the listener of `serve`, in plain http. `python -m tests.bench.server PORT`."""

import sys
from importlib import import_module

import django

from credmgr.ops.listeners import Listener

if __name__ == "__main__":
    django.setup()  # before the listener's module: it loads models
    import_module("credmgr.ops.listener").serve(Listener("bench", "127.0.0.1", int(sys.argv[1]), "PORT"))
