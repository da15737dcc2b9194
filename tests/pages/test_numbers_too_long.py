"""A number in an address that no database holds is that of nothing: not found, whatever is asked of it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.pages.addresses import patterns

pytestmark = pytest.mark.django_db

NUMBERED = [f"/{pattern}" for pattern in patterns() if "<int:" in pattern]


@pytest.mark.parametrize("pattern", NUMBERED)
def test_it_is_not_found(admin_client: Client, pattern: str) -> None:
    address = re.sub("<slug:format>", "txt", re.sub("<int:[a-z_]+>", "9" * 30, pattern))
    for answer in (
        admin_client.get(address),
        admin_client.post(address, {"text": "x", "place": "up", "priority": "1"}),
    ):
        assert answer.status_code in {404, 405} or answer.content == b"", answer.status_code
