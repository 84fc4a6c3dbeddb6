"""Python runs this at its start where this folder is on PYTHONPATH: routes for a server under test.

TESTED_ROUTES: {host: port} in JSON.
"""

import importlib.util
import json
import os
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("routing", Path(__file__).parent.parent / "routing.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_ROUTING = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ROUTING)
_ROUTING.lead(json.loads(os.environ["TESTED_ROUTES"]))
