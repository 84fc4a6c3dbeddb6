"""Everything as it was at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside is of one moment; nobody waits for it. Writes have no place in it.

    The embedded database gives that to every transaction that only reads, its log grows meanwhile; PostgreSQL
    to one that is repeatable read.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")  # atomic() would begin as a writer, and hold up everybody
        try:
            cursor.execute("SELECT count(*) FROM django_migrations")  # the moment is that of the first read
            yield
        finally:
            cursor.execute("ROLLBACK")
