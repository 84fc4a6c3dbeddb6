"""The keys that sign access tokens: made, sealed, published before use, opened once per process.

Which key signs is read from the database with every token request; only the opened key object is kept in
memory, by row id. So a roll counts with the next request in every process.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.authority.models import SigningKey
from credmgr.jose.jwk import x5t
from credmgr.jose.jws import Signer
from credmgr.vault.sealing import open_from, seal_into

KEY_BITS = 2048
CERTIFICATE_YEARS = 5
_OPENED_AT_MOST = 4

logger = logging.getLogger(__name__)


def ensure_signing_key(clock: Callable[[], datetime], *, actor: Actor | None = None) -> SigningKey:
    """The key that signs now. Where none does, a published one that is to sign later is brought forward;
    where there is none either, as at the first start, one is made. clock: gives aware UTC. actor: the
    command line unless given.
    """
    by = actor or Actor.command()
    found = current_signing_key(clock()) or _bring_forward(clock, by)
    if found is not None:
        return found
    now = clock()
    key = make_signing_key(now, signs_from=now)
    insert_signing_key(key, actor=by, now=now)
    return key


@transaction.atomic
def _bring_forward(clock: Callable[[], datetime], actor: Actor) -> SigningKey | None:
    """Let the key that would sign first sign from now on: without a signer, only a clock that was set back
    puts it off. It stands in every key set already, which a new key would not for an hour (W7).

    Any number of processes may ask at once: one of them does it. The clock is asked when the turn has come:
    by a moment from before it, the key that another has just brought forward would still be ahead.
    """
    list(SigningKey.objects.select_for_update())  # waits for the turn
    now = clock()
    rows = list(SigningKey.objects.filter(is_published(now)).order_by("signs_from"))
    if not rows or rows[0].signs_from <= now:
        return current_signing_key(now)  # another process was faster, or there is none
    key, put_off_until = rows[0], rows[0].signs_from
    key.signs_from = now
    key.save(update_fields=["signs_from"])
    record_event(
        EventTag.SIGNING_KEY_BROUGHT_FORWARD,
        actor=actor,
        now=now,
        object_type="signing-key",
        object_id=key.id,
        object_name=key.kid,
        changes={"signsFrom": [put_off_until.isoformat(), now.isoformat()]},
    )
    logger.warning(
        "By this clock no signing key had begun: it was set back. The next one signs from now on.",
        extra={"kid": key.kid, "wouldHaveSignedFrom": put_off_until.isoformat()},
    )
    return key


def current_signing_key(now: datetime) -> SigningKey | None:
    """The newest key that may sign by now and is not withdrawn. directory.look_up asks the same."""
    rows = SigningKey.objects.filter(is_published(now), signs_from__lte=now)
    return rows.order_by("-signs_from", "-created_at").first()


def is_published(now: datetime) -> Q:
    """Keys of the key set at that moment."""
    return Q(is_withdrawn=False) & (Q(published_until=None) | Q(published_until__gt=now))


def published_keys(now: datetime) -> list[bytes]:
    """DER certificates of the key set, the newest first: keys that will sign, sign, or signed tokens still
    alive.
    """
    rows = SigningKey.objects.using(settings.TOKENS_DATABASE).filter(is_published(now))
    return [bytes(der) for der in rows.order_by("-signs_from").values_list("certificate", flat=True)]


@lru_cache(maxsize=_OPENED_AT_MOST)
def opened_signer(key_id: uuid.UUID, *, with_x5t: bool) -> Signer:
    """The signer of a row, opened once per process. with_x5t: v1 tokens name the key twice. Raises
    VaultError.
    """
    row = SigningKey.objects.using(settings.TOKENS_DATABASE).get(pk=key_id)
    private_key = serialization.load_der_private_key(open_from(row, "private_key"), password=None)
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise TypeError("A signing key of the authority is always RSA.")
    header = {"kid": row.kid, "x5t": row.kid} if with_x5t else {"kid": row.kid}
    return Signer(private_key, algorithm="RS256", header=header)


def make_signing_key(now: datetime, *, signs_from: datetime) -> SigningKey:
    """A new key, sealed and not yet stored: making one takes too long for a transaction."""
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    der = _certificate(private_key, now)
    key = SigningKey(kid=x5t(der), certificate=der, created_at=now, signs_from=signs_from)
    clear = private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    seal_into(key, "private_key", clear)
    return key


@transaction.atomic
def insert_signing_key(key: SigningKey, *, actor: Actor, now: datetime) -> None:
    """Store a new key, with its audit row. From now on it is published."""
    key.save(force_insert=True)
    record_event(
        EventTag.SIGNING_KEY_CREATED,
        actor=actor,
        now=now,
        object_type="signing-key",
        object_id=key.id,
        object_name=key.kid,
        changes={"signsFrom": [None, key.signs_from.isoformat()]},
    )


def _certificate(private_key: rsa.RSAPrivateKey, now: datetime) -> bytes:
    """Self-signed: clients take the key from it and look at neither subject nor dates."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Credential Manager token signing")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365 * CERTIFICATE_YEARS))
    )
    return builder.sign(private_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
