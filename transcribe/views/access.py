"""Who may see and do what. Every page of this app asks for a logged-in member of staff with one permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

VIEW = "transcribe.view_job"
ADD = "transcribe.add_job"
CHANGE = "transcribe.change_job"
DELETE = "transcribe.delete_job"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def may(request: HttpRequest, permission: str) -> bool:
    user = request.user
    return user.is_authenticated and user.is_staff and user.has_perm(permission)


def staff_page(permission: str) -> Callable[[View[P]], View[P]]:
    """Anonymous: to the login page. Without the permission: 403. The answer is never stored by a browser."""

    def decorate(view: View[P]) -> View[P]:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
