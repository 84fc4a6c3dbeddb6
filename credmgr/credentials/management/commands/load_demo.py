"""Fills the directory with invented registrations, or removes them again."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.credentials.demo_loading import load_demo, remove_demo
from credmgr.credentials.lifecycle import counted
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for
from credmgr.registrations.directories import ensure_default_tenant


class Command(ActCommand):
    """load_demo [--remove] [--directory DIRECTORY] [--json]."""

    help = (
        "Load a dozen invented registrations in every state, marked as demo; --remove takes them away again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Loading is the default."""
        super().add_arguments(parser)
        parser.add_argument("--remove", action="store_true", help="remove what was loaded, and nothing else")
        add_directory_argument(parser)

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Load or remove."""
        now = timezone.now()
        tenant = directory_for(options["directory"]) if options["directory"] else ensure_default_tenant(now)
        if options["remove"]:
            return {"removed": remove_demo(tenant, actor=Actor.command(), now=now)}
        made = load_demo(tenant, actor=Actor.command(), now=now)
        return {
            "loaded": len(made),
            "applications": [
                {"appId": str(each.client_id), "displayName": each.display_name} for each in made
            ],
        }

    def say(self, answer: Any) -> str:
        """How many."""
        if "removed" in answer:
            return f"Removed {counted(answer['removed'], 'demo registration')}."
        return (
            f"Loaded {counted(answer['loaded'], 'demo registration')}. "
            "Remove them with: manage.py load_demo --remove"
        )
