"""Makes a backup while the server runs."""

import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import Session
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditChain
from credmgr.audit.recording import Actor, record_event
from credmgr.ops.backups.archive import MANIFEST, SIGNATURE, ArchiveWriter, Manifest, Part, new_archive
from credmgr.ops.backups.rows import lines_of
from credmgr.ops.backups.snapshot import one_moment
from credmgr.ops.data_folder import secret_key_file
from credmgr.vault.inventory import rows_per_key, take_inventory
from credmgr.vault.keyring import VaultKey, parse_key_ring
from credmgr.vault.passphrase import Kind, require_good_passphrase, seal_with_passphrase
from credmgr.vault.source import key_ring_text

# Whoever finds a session's id is signed in with it: everybody signs in anew after a restore.
LEFT_OUT: list[type[models.Model]] = [Session]
# Files of the data folder that belong to the same installation. The others are the database itself, keys, and
# what the next start makes again.
FILES = ("tls/ca.pem", "tls/leaf.pem", "tls/leaf-key.pem")
SEALED_KEYS = "keys.sealed"


def models_to_keep(every: list[type[models.Model]]) -> list[type[models.Model]]:
    """Those of the models whose rows a backup holds, found by themselves: a new one is in it at once."""
    left_out = {model._meta.db_table for model in LEFT_OUT}
    return [
        model
        for model in every
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in left_out
    ]


def signature_of(key: VaultKey, manifest: bytes) -> bytes:
    """Key id and HMAC-SHA-256: only who has the key ring can make a backup that is taken for one of ours."""
    return key.key_id + hmac.new(key.backup, manifest, sha256).digest()


@sensitive_variables("passphrase", "ring")
def make_backup(
    file: Path,
    *,
    passphrase: str | None,
    force: bool,
    actor: Actor,
    now: datetime,
    report: Callable[[Part], None] = lambda _: None,
) -> Manifest:
    """Write everything to `file`; with a passphrase the key ring too, sealed under it.

    Raises BackupError, KeyRingError, PassphraseError; there is no new file then. The audit event comes first:
    without its row there is no backup, and it is in it.
    """
    if passphrase is not None:
        require_good_passphrase(passphrase)
    ring = parse_key_ring(key_ring_text())
    with new_archive(file, force=force) as archive:
        record_event(
            EventTag.BACKUP_MADE,
            actor=actor,
            now=now,
            object_type="backup",
            object_name=file.name,
            changes={"withKeys": [None, passphrase is not None]},
        )
        manifest = _write(archive, passphrase, now, report)
        for name, content in (
            (MANIFEST, manifest.to_bytes()),
            (SIGNATURE, signature_of(ring.primary, manifest.to_bytes())),
        ):
            archive.add(name, [content])
    return manifest


@sensitive_variables("passphrase")
def _write(
    archive: ArchiveWriter,
    passphrase: str | None,
    now: datetime,
    report: Callable[[Part], None],
) -> Manifest:
    parts = []
    for name in FILES:
        if (place := Path(settings.DATA_DIR) / name).is_file():
            parts.append(archive.add(name, [place.read_bytes()]))
    if passphrase is not None:
        parts.append(archive.add(SEALED_KEYS, [seal_with_passphrase(Kind.KEY_RING, passphrase, _keys())]))
    with one_moment():
        key_ids = sorted(key_id.hex() for key_id in rows_per_key(take_inventory()))
        migrations, chains = _last_migrations(), _chain_ends()
        for model in models_to_keep(apps.get_models(include_auto_created=True)):
            table = model._meta.db_table
            parts.append(archive.add(f"tables/{table}.jsonl", lines_of(model), table=table))
            report(parts[-1])
    return Manifest(
        created_at=now.isoformat(),
        database=connection.vendor,
        migrations=migrations,
        key_ids=key_ids,
        left_out=[model._meta.db_table for model in LEFT_OUT],
        has_keys=passphrase is not None,
        chains=chains,
        parts=parts,
    )


@sensitive_variables()
def _keys() -> bytes:
    """What with-keys seals: the key ring, and what signs sessions and forms where it lies in the folder."""
    file = secret_key_file()
    signing = file.read_text("ascii").strip() if file.is_file() else None
    return json.dumps({"keyring": key_ring_text(), "secretKey": signing}).encode()


def _chain_ends() -> list[dict[str, Any]]:
    """Where each audit chain ends: verify_audit after a restore comes to the same."""
    return [
        {"chain": str(chain.pk), "length": chain.length, "head": bytes(chain.head).hex()}
        for chain in AuditChain.objects.order_by("pk")
    ]


def _last_migrations() -> list[tuple[str, str]]:
    """The state that the tables are in: of each app the migrations that no applied one builds on."""
    loader = MigrationLoader(connection)
    return sorted(_leaves(loader))


def _leaves(loader: MigrationLoader) -> Iterator[tuple[str, str]]:
    applied = set(loader.applied_migrations)
    for key in applied:
        if key not in loader.graph.nodes:
            continue
        followers = {child.key for child in loader.graph.node_map[key].children}
        if not {each for each in followers & applied if each[0] == key[0]}:
            yield key
