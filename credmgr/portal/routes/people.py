"""Addresses: the people of the directory in use."""

from django.urls import URLPattern, path

from credmgr.portal.views import invitations, people

_ONE = "users/<uuid:user_id>"

urlpatterns: list[URLPattern] = [
    path("users", people.people, name="people"),
    path("users/add", people.person_add, name="person_add"),
    path("users/invite", invitations.invitation_new, name="invitation_new"),
    path(
        "users/invitations/<uuid:invitation_id>/withdraw",
        invitations.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path(_ONE, people.person, name="person"),
    path(f"{_ONE}/roles", people.person_roles, name="person_roles"),
    path(f"{_ONE}/disable", people.person_disable, name="person_disable"),
    path(f"{_ONE}/enable", people.person_enable, name="person_enable"),
    path(f"{_ONE}/end-sessions", people.person_end_sessions, name="person_end_sessions"),
    path(f"{_ONE}/remove-second-factors", people.person_remove_factors, name="person_remove_factors"),
]
