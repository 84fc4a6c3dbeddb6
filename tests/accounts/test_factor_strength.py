"""How hard second factors are to guess before any limit counts."""

import base64
import math

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings


def test_keys_of_authenticator_apps_have_160_random_bits() -> None:
    made = {generate_totp_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b32decode(each)) for each in made} == {20}


def test_a_recovery_code_has_more_than_20_bits() -> None:
    assert math.log2(10**settings.MFA_RECOVERY_CODE_DIGITS) > 39
