"""The header rules of the exchange's edge as measured in late September 2026 (pure).

Header sets are checked, not single headers: a plain own User-Agent passes with four
companions, a browser's name only with everything a browser sends.
"""

from collections.abc import Mapping


NOT_FOUND = 404
FORBIDDEN = 403

_NEEDED = ("user-agent", "accept-language", "accept-encoding")
_BROWSER_NAMES = ("mozilla/", "chrome/")
_BROWSER_HEADERS = (
    "sec-ch-ua",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
)
_REFUSED_CLIENTS = ("python-requests/", "curl/")
_URL_SIGNS = ("http://", "https://", "www.")


def refusal(headers: Mapping[str, str]) -> int | None:
    """Return the status a request with these headers is refused with, or None."""
    if any(not headers.get(name) for name in _NEEDED):
        return FORBIDDEN
    agent = headers["user-agent"].lower()
    if any(sign in agent for sign in _URL_SIGNS):
        return FORBIDDEN
    if agent.startswith(_REFUSED_CLIENTS):
        return FORBIDDEN
    looks_like_browser = any(name in agent for name in _BROWSER_NAMES)
    if looks_like_browser and any(not headers.get(name) for name in _BROWSER_HEADERS):
        return FORBIDDEN
    return None if headers.get("referer") else NOT_FOUND
