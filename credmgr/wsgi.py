"""The WSGI application that every server process runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credmgr.settings")

application = get_wsgi_application()
