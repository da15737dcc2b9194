from __future__ import annotations

from django.apps import AppConfig


class GateConfig(AppConfig):
    name = "gate"
    verbose_name = "Safety gate"

    def ready(self) -> None:
        from gate.services.incident_keeping import incident_paths, incident_spans
        from gate.services.protection import protect_paths, protect_spans

        protect_spans(incident_spans)  # asked when something is to be removed, not now
        protect_paths(incident_paths)
