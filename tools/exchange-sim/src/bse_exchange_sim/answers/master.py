"""`ListofScripData` and `PeerSmartSearch`: who is listed, and search by text."""

import html
from collections.abc import Mapping

import msgspec

from bse_exchange_sim.answers.numbers import (
    HUNDRED,
    PAISE_PER_CRORE,
    rounded,
    two_decimals,
)
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.universe.scrip import Scrip


_SITE = "https://www.bseindia.com"
_SEARCH_LIMIT = 10
_SPACES = "&nbsp;&nbsp;&nbsp;"
_NO_MATCH = "No Match Found"


def list_of_scrips(market: Market, query: Mapping[str, str]) -> bytes:
    """Return the active scrips of a group, of a code, or all."""
    group, code = query.get("group", ""), query.get("scripcode", "")
    active = query.get("status", "Active").lower() in {"active", ""}
    rows = [
        _master_row(each.scrip, market.state(index).last_paise)
        for index, each in enumerate(market.listings)
        if active
        and group in {"", each.scrip.group}
        and code in {"", str(each.scrip.code)}
    ]
    return msgspec.json.encode(rows)


def _master_row(scrip: Scrip, last_paise: int) -> dict[str, str | None]:
    capital = rounded(last_paise * scrip.shares * HUNDRED, PAISE_PER_CRORE)
    return {
        "SCRIP_CD": str(scrip.code),
        "Scrip_Name": scrip.name,
        "Status": "Active",
        "GROUP": scrip.group,
        "FACE_VALUE": two_decimals(scrip.face_value_paise),
        "ISIN_NUMBER": scrip.isin,
        "INDUSTRY": None,
        "scrip_id": scrip.symbol,
        "Segment": "Equity",
        "NSURL": _SITE + scrip.page,
        "Issuer_Name": scrip.name,
        "Mktcap": two_decimals(capital),
    }


def smart_search(market: Market, text: str) -> bytes:
    """Return the matches as HTML inside a JSON string."""
    wanted = text.strip().upper()
    found = [each.scrip for each in market.listings if _matches(each.scrip, wanted)]
    items = "".join(_search_item(scrip) for scrip in found[:_SEARCH_LIMIT])
    return msgspec.json.encode(items or _NO_MATCH)


def _matches(scrip: Scrip, wanted: str) -> bool:
    if not wanted:
        return False
    return (
        wanted in scrip.symbol
        or wanted in scrip.name.upper()
        or wanted in {scrip.isin, str(scrip.code)}
    )


def _search_item(scrip: Scrip) -> str:
    name = html.escape(scrip.name.upper())
    symbol = html.escape(scrip.symbol)
    facts = _SPACES.join((f"<strong>{symbol}</strong>", scrip.isin, str(scrip.code)))
    return (
        f"<li class='quotemenu quotemenuselect' "
        f"ng-click=\"liclick('{scrip.code}','{name}')\">"
        f"<a>{name}<br /><span>{facts}</span></a></li>"
    )
