"""Mistakes of a deployment that Django's own checks do not know; each has an id and a hint."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from j5a_admin.env import env_unread
from transcribe.catalog import model_named
from transcribe.resolve import DEMO, FILE, REGISTERED

TAG = "j5a"  # long-running commands run these checks alone: Django's import every page of the panel


@register(TAG)
def cluster_is_single(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    cluster: dict[str, Any] = settings.Q_CLUSTER
    found: list[CheckMessage] = []
    if cluster.get("workers") != 1:
        found.append(
            Error(
                f"Q_CLUSTER has {cluster.get('workers')} workers.",
                hint="One heavy process at a time: set workers to 1.",
                id="j5a.E001",
            )
        )
    if cluster.get("retry", 60) < 7 * 86_400:
        found.append(
            Error(
                f"Q_CLUSTER retries a wake-up after {cluster.get('retry', 60)} s, while a job may still run.",
                hint="Set retry to at least a week (604800).",
                id="j5a.E002",
            )
        )
    return found


@register(TAG)
def panel_is_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.BIND in {"127.0.0.1", "::1", "localhost"} or settings.HTTPS:
        return []
    return [
        Warning(
            f"The panel listens on {settings.BIND} without TLS: passwords cross the network in the clear.",
            hint="Put a TLS proxy in front and set J5A_HTTPS=1, or bind to 127.0.0.1.",
            id="j5a.W001",
        )
    ]


@register(TAG)
def settings_are_all_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"{name if name.isprintable() else ascii(name)} is set, and no setting has that name: it does nothing.",
            hint=f"{f'Is {meant} meant? ' if meant else ''}The settings are in docs/settings.md. Else leave it away.",
            id="j5a.W002",
        )
        for name, meant in env_unread().items()
    ]


@register(TAG)
def default_model_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    name = settings.DEFAULT_MODEL
    if name == DEMO or model_named(name) is not None or name.startswith((REGISTERED, FILE)):
        return []
    return [
        Error(
            f"J5A_DEFAULT_MODEL={name!r} is no model.",
            hint=f"Use {DEMO}, one of openai-whisper's names, {REGISTERED}NAME or {FILE}/path/to/checkpoint.pt.",
            id="j5a.E003",
        )
    ]
