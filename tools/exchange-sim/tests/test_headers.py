"""The header rules refuse what was measured to be refused."""

import pytest

from bse_exchange_sim.headers import refusal


GOOD = {
    "user-agent": "own-agent/1.0",
    "accept-language": "en",
    "accept-encoding": "gzip",
    "referer": "https://www.bseindia.com/",
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/153.0.0.0 Safari/537.36"
SEC = {
    "sec-ch-ua": '"Chromium";v="153"',
    "sec-fetch-site": "same-site",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (GOOD, None),
        ({**GOOD, "referer": ""}, 404),
        ({"user-agent": "own-agent/1.0"}, 403),
        ({**GOOD, "accept-language": ""}, 403),
        ({**GOOD, "accept-encoding": ""}, 403),
        ({**GOOD, "user-agent": ""}, 403),
        ({**GOOD, "user-agent": "own/1.0 (+https://example.org)"}, 403),
        ({**GOOD, "user-agent": "python-requests/2.32"}, 403),
        ({**GOOD, "user-agent": BROWSER}, 403),
        ({**GOOD, "user-agent": BROWSER, **SEC}, None),
        ({**GOOD, "user-agent": BROWSER, **SEC, "sec-fetch-dest": ""}, 403),
    ],
)
def test_header_sets(headers: dict[str, str], status: int | None) -> None:
    """Each measured header set gets its measured status."""
    assert refusal(headers) == status
