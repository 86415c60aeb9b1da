"""A broker's batch API in the manner of Kite: up to 500 scrips a call, an account's key by setting.

The proof that a licensed feed plugs in. What an account receives is licensed to its holder, not for passing on.
"""

from collections.abc import Sequence

import aiohttp

from bse_fetcher.source_settings import KiteSettings
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.entry import Entry
from bse_fetcher.sources.http import HttpDoor
from bse_fetcher.sources.kite.payload import read_quotes
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge.source_budgets import Budget


QUOTE_PATH = "/quote"


class KiteSource:
    """Quotes of `BSE:SYMBOL`."""

    name = "kite"

    def __init__(self, session: aiohttp.ClientSession, settings: KiteSettings):
        self.symbols_max = settings.symbols_max
        key, token = settings.api_key, settings.access_token.get_secret_value()
        headers = {
            "X-Kite-Version": "3",
            "Authorization": f"token {key}:{token}",
            "Accept-Encoding": "gzip, deflate",
        }
        limits = settings.timeout_s, settings.answer_bytes_max
        self._door = HttpDoor(session, settings.base_url, headers, *limits)

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The quotes as the broker sent them. Raises ExchangeError."""
        return await self._door.get(
            QUOTE_PATH, [("i", key_of(each)) for each in wanted]
        )

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """What the broker says of them. Raises ExchangeError."""
        return read_quotes(body, {key_of(each): each.code for each in wanted})


def key_of(instrument: Instrument) -> str:
    """The broker's name of a scrip of BSE."""
    return f"BSE:{instrument.symbol}"


SOURCE = Entry(
    make=lambda session, settings: KiteSource(session, settings.kite),
    budget=lambda settings: Budget(settings.kite.requests_per_s, settings.kite.burst),
    number=Source.BROKER,
)
