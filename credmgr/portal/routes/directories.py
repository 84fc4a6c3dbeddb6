"""Addresses: directories."""

from django.urls import URLPattern, path

from credmgr.portal.views import directories, directory_rules

_ONE = "directories/<uuid:directory_id>"

urlpatterns: list[URLPattern] = [
    path("directories", directories.directories, name="directories"),
    path("directories/new", directories.directory_new, name="directory_new"),
    path("directories/switch", directories.directory_switch, name="directory_switch"),
    path(_ONE, directories.directory, name="directory"),
    path(f"{_ONE}/rename", directories.directory_rename, name="directory_rename"),
    path(f"{_ONE}/domains/new", directories.directory_domain_new, name="directory_domain_new"),
    path(
        f"{_ONE}/domains/<int:domain_id>/remove",
        directories.directory_domain_remove,
        name="directory_domain_remove",
    ),
    path(f"{_ONE}/client-assertions", directory_rules.directory_assertions, name="directory_assertions"),
    path(f"{_ONE}/second-factor", directory_rules.directory_second_factor, name="directory_second_factor"),
    path(f"{_ONE}/testing", directory_rules.directory_testing, name="directory_testing"),
    path(f"{_ONE}/testing/mark", directory_rules.directory_testing_mark, name="directory_testing_mark"),
    path(f"{_ONE}/testing/off", directory_rules.directory_switches_off, name="directory_switches_off"),
    path(f"{_ONE}/delete", directories.directory_delete, name="directory_delete"),
]
