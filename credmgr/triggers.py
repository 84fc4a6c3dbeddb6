"""Which of the triggers that a package keeps in the database are there. Whoever may change the database's
structure can take them away.
"""

from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper


def missing(connection: BaseDatabaseWrapper, wanted: Mapping[str, str]) -> list[str]:
    """Names that are not there, or not in force. wanted: {name: table}; one whose table is not there yet is
    not missing. Raises django.db.Error.
    """
    found = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    )
    with connection.cursor() as cursor:
        cursor.execute(found)
        there = {name for (name,) in cursor.fetchall()}
    lost = [name for name in wanted if name not in there]
    tables = set(connection.introspection.table_names()) if lost else set()
    return [name for name in lost if wanted[name] in tables]
