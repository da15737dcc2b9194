"""Groups that an earlier version made get what this one adds; what people changed about them stays otherwise."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

ADDED = {
    "Operators": ("view_incident", "view_incidentevent", "view_incidentevidence", "handle_incident"),
    "Administrators": (
        *("handle_incident", "resolve_incident"),
        *(f"{act}_{model}" for act in ("add", "change", "delete", "view")
          for model in ("incident", "incidentevent", "incidentevidence")),
    ),
}


def add_permissions(apps, schema_editor):
    group_model = apps.get_model("auth", "Group")
    permission_model = apps.get_model("auth", "Permission")
    groups = list(group_model.objects.filter(name__in=ADDED))
    if not groups:  # a new panel: its groups are made at the first start
        return
    # Django makes permissions after the last migration; these are wanted before.
    create_permissions(installed.get_app_config("gate"), verbosity=0, using=schema_editor.connection.alias)
    for group in groups:
        wanted = permission_model.objects.filter(content_type__app_label="gate", codename__in=ADDED[group.name])
        group.permissions.add(*wanted)


class Migration(migrations.Migration):

    dependencies = [
        ("gate", "0005_incidents"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(add_permissions, migrations.RunPython.noop)]
