"""Directories, and switching between them."""

from tests.screenshots import steps as do
from tests.screenshots.picture import Picture, page, panel

PICTURES: list[Picture] = [
    page("directories", "portal:directories"),
    page("directories-one", "portal:directories", person="beginner"),
    panel("directory-new", "portal:directory_new"),
    page("directory-new-error", "portal:directory_new", then=do.without_required_marks("Create directory")),
    page("directory", "portal:directory", "partner-directory"),
    page("directory-in-use", "portal:directory", "directory"),
    panel("directory-rename", "portal:directory_rename", "partner-directory"),
    panel("directory-domain-new", "portal:directory_domain_new", "partner-directory"),
    panel("directory-domain-remove", "portal:directory_domain_remove", "partner-directory", "domain"),
    panel("directory-delete", "portal:directory_delete", "partner-directory"),
    page("directory-delete-in-use", "portal:directory_delete", "directory"),
    panel("directory-assertions", "portal:directory_assertions", "directory", over="portal:directory"),
    panel("directory-second-factor", "portal:directory_second_factor", "directory", over="portal:directory"),
    panel("directory-assertions-once", "portal:directory_assertions", "testing-directory"),
    page("testing-not", "portal:directory_testing", "partner-directory"),
    page("testing", "portal:directory_testing", "testing-directory", person="tester"),
    page("testing-off", "portal:directory_testing", "testing-off-directory"),
    page(
        "testing-error",
        "portal:directory_testing",
        "testing-off-directory",
        then=do.after(do.fill(delay="99", lifetime="5", clock_shift="100000"), do.send("Set switches")),
    ),
    panel("testing-mark", "portal:directory_testing_mark", "partner-directory"),
    panel("testing-unmark", "portal:directory_testing_mark", "testing-directory"),
    page("testing-elsewhere", "portal:directory_testing", "testing-directory"),
    page("testing-banner", "portal:applications", person="tester"),
]
