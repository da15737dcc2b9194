"""People with permissions for the machine's pages, logged in."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.test import Client

LOOK = ("view_gatestate",)
ACT = ("view_gatestate", "operate_gate")


def gate_client(name: str, *codenames: str, is_staff: bool = True, strict: bool = False) -> Client:
    """`strict`: asked for the CSRF token, as a browser is."""
    user = User.objects.create_user(name, is_staff=is_staff)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=codenames, content_type__app_label__in=("gate", "transcribe"))
    )
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client
