"""Where the file's own clock stands at the beginning of the recording: browsers seek by it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transcribe", "0009_chunk_lost_at_window")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="clock_start_seconds",
            field=models.FloatField(default=0, help_text="What the file's own clock says at the beginning"),
        ),
    ]
