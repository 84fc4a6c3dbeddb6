"""The WSGI application, for servers that are told a module: everything is loaded by ops.application."""

import os
from importlib import import_module

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credmgr.settings")
django.setup()  # before that module: it loads models

application = import_module("credmgr.ops.application").load_application()
