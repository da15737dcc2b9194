"""A number in an address that no database holds is that of nothing: not found, whatever is asked of it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.support.addresses import patterns

pytestmark = pytest.mark.django_db

NUMBERED = [f"/{pattern}" for pattern in patterns() if "<int:" in pattern]


@pytest.mark.parametrize("pattern", NUMBERED)
def test_it_is_not_found(admin_client: Client, pattern: str) -> None:
    """Each number for itself: one that nothing has may hide what another would do."""
    pattern = pattern.replace("<slug:format>", "txt")
    parts = re.split("<int:[a-z_]+>", pattern)
    for place in range(len(parts) - 1):
        numbers = ["9" * 30 if at == place else "1" for at in range(len(parts) - 1)] + [""]
        address = "".join(f"{part}{number}" for part, number in zip(parts, numbers, strict=True))
        for answer in (admin_client.get(address), admin_client.post(address, {"text": "x", "place": "up"})):
            assert answer.status_code in {404, 405} or answer.content == b"", (address, answer.status_code)
