"""People with permissions, logged in. They have no password: hashing one would take most of a test's time."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.test import Client

EVERYTHING = ("view_job", "add_job", "change_job", "delete_job")


def person(name: str, *permissions: str, is_staff: bool = True, is_superuser: bool = False) -> User:
    user = User.objects.create_user(name, is_staff=is_staff, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="transcribe"))
    return user


def client_of(name: str, *permissions: str, is_superuser: bool = False, is_staff: bool = True) -> Client:
    client = Client()
    client.force_login(person(name, *permissions, is_staff=is_staff, is_superuser=is_superuser))
    return client


def strict_client(name: str, *permissions: str) -> Client:
    """A client that is asked for its CSRF token, as a browser is."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(person(name, *permissions))
    return client
