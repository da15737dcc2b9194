"""Why a form of the panel's own seems to come from another address: what a proxy before it leaves out. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

NOTHING_CHANGED = "Nothing was changed. If you opened the panel yourself, the proxy before it is set up wrongly: "
OTHERWISE = (
    " Otherwise name the address that browsers show, such as https://panel.example.org, in J5A_CSRF_TRUSTED_ORIGINS."
)


def origin_advice(origin: str, host: str, *, is_secure: bool, https_is_set: bool) -> str:
    """The header or setting to mend. `origin`: what the browser says; `host`: under which the panel was asked."""
    asked = urlsplit(f"//{host}")
    if _host(origin) == asked.hostname and origin.startswith("https:") and not is_secure:
        return NOTHING_CHANGED + _scheme_text(https_is_set) + OTHERWISE
    if _host(origin) == asked.hostname:
        return (
            f"{NOTHING_CHANGED}it passes on the Host header without the port, or with another one. Let it pass on the "
            f"Host header as the browser sent it (nginx: proxy_set_header Host $http_host).{OTHERWISE}"
        )
    return (
        f"{NOTHING_CHANGED}it does not pass on the Host header that the browser sent (X-Forwarded-Host is not "
        f"read).{OTHERWISE} If you came here from another site, do not trust that site."
    )


def _scheme_text(https_is_set: bool) -> str:
    if https_is_set:
        return "it speaks https and does not say so. Let it send X-Forwarded-Proto: https."
    return "it speaks https, and the panel does not know. Set J5A_HTTPS=1, and let it send X-Forwarded-Proto: https."


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:  # a bracket that is not closed
        return None


__all__ = ["origin_advice"]
