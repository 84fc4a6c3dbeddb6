"""An index of the parts of names, three letters each, for the search box of the list.

SQLite's own (FTS5) is filled and kept by triggers (`registrations.name_parts`), which follow the migrations;
PostgreSQL's (pg_trgm) by itself. Where the database has neither, a search compares every name.
"""

from django.db import DatabaseError, migrations, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# A number of its own for each registration: the rows' own numbers change when the file is compacted.
KEYS = "CREATE TABLE registrations_namekey (id integer PRIMARY KEY, application_id char(32) NOT NULL UNIQUE)"
NAMES = "CREATE VIRTUAL TABLE registrations_namepart USING fts5(name, tokenize = 'trigram')"
# As the search asks.
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX application_name_parts ON registrations_application "
    "USING gin (UPPER(display_name::text) gin_trgm_ops)",
)


def make(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    statements = (NAMES, KEYS) if editor.connection.vendor == "sqlite" else POSTGRESQL
    try:
        with transaction.atomic(using=editor.connection.alias), editor.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError:  # no such module here, or not allowed to whoever the server is
        return


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        if editor.connection.vendor == "sqlite":
            cursor.execute("DROP TABLE IF EXISTS registrations_namepart")
            cursor.execute("DROP TABLE IF EXISTS registrations_namekey")
        else:
            cursor.execute("DROP INDEX IF EXISTS application_name_parts")


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0010_elsewhere_in_order'),
    ]

    operations = [
        migrations.CreateModel(
            name='NameKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('application_id', models.UUIDField(unique=True)),
            ],
            options={
                'db_table': 'registrations_namekey',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='NamePart',
            fields=[
                ('id', models.BigAutoField(db_column='rowid', primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=256)),
            ],
            options={
                'db_table': 'registrations_namepart',
                'managed': False,
            },
        ),
        migrations.RunPython(make, remove),
    ]
