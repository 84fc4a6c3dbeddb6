from typing import Any

from django.db import migrations, models


def take_over(apps: Any, _editor: Any) -> None:
    """The rule that there was asked administrators alone."""
    asking = apps.get_model("registrations", "Tenant").objects.filter(administrators_need_second_factor=True)
    asking.update(second_factor_for="administrators")


def give_back(apps: Any, _editor: Any) -> None:
    """Of everybody asks administrators too."""
    asking = apps.get_model("registrations", "Tenant").objects.exclude(second_factor_for="nobody")
    asking.update(administrators_need_second_factor=True)


class Migration(migrations.Migration):
    dependencies = [("registrations", "0011_name_parts")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="second_factor_for",
            field=models.CharField(
                choices=[
                    ("nobody", "Nobody"),
                    ("administrators", "Administrators"),
                    ("everybody", "Everybody"),
                ],
                default="nobody",
                max_length=16,
            ),
        ),
        migrations.RunPython(take_over, give_back),
        migrations.RemoveField(model_name="tenant", name="administrators_need_second_factor"),
    ]
