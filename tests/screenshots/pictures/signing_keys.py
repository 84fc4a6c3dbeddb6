"""The keys that sign access tokens."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("signing-keys", "portal:signing_keys"),
    page("signing-keys-one", "portal:signing_keys", person="beginner"),
    panel("signing-key", "portal:signing_key", "signing-key/signs"),
    panel("signing-key-roll", "portal:signing_key_roll"),
    page("signing-key-roll-first", "portal:signing_key_roll", person="beginner"),
    panel("signing-key-replace", "portal:signing_key_replace"),
    page(
        "signing-key-replace-error",
        "portal:signing_key_replace",
        then=do.without_required_marks("Replace at once"),
    ),
    panel("signing-key-withdraw", "portal:signing_key_withdraw", "signing-key/signed"),
    panel("signing-key-withdraw-next", "portal:signing_key_withdraw", "signing-key/next"),
]
