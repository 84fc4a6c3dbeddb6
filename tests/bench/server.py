"""The server of the bench: the listener of `serve` on another port. `python -m tests.bench.server PORT`.

CREDMGR_LISTENER says which: "secure", or "bench", the same in plain http, which `serve` never starts. With
`--profile FOLDER` every thread of every worker leaves its profile there.
"""

import sys
from importlib import import_module

import django
from django.conf import settings

from credmgr.ops.listeners import Listener

if __name__ == "__main__":
    django.setup()  # before the listener's module: it loads models
    listener = import_module("credmgr.ops.listener")
    if sys.argv[2:3] == ["--profile"]:
        profiled = import_module("tests.bench.profiling").profiled
        vars(listener)["_application"] = profiled(vars(listener)["_application"], sys.argv[3])
    listener.serve(Listener(settings.LISTENER, "127.0.0.1", int(sys.argv[1]), "PORT"))
