"""The incident that this project exists for, as the first record. Its facts are those of the original document, corrected."""

from django.db import migrations

from gate.migrations._incident_of_2025_10_15 import record


def make_record(apps, schema_editor):
    record(apps)


def remove_record(apps, schema_editor):
    apps.get_model("gate", "Incident").objects.filter(host="mac-mini-2012", subject="parallel Whisper").delete()


class Migration(migrations.Migration):

    dependencies = [("gate", "0006_incident_permissions")]

    operations = [migrations.RunPython(make_record, remove_record)]
