#!/usr/bin/env python
"""Entry point of every management command."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credmgr.settings")
    import django

    django.setup()
    from credmgr.ops.console import run

    run(sys.argv)


if __name__ == "__main__":
    main()
