"""Every fault of the stand-in, in random combination, for simulated minutes: what the store may never show."""

import random

import pytest

from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quality import FRESH_FOR_MS, Quality, quality_of


POLLS = 60
INTERVAL_S = 3
FAULTS = [
    {"kind": "forbidden"},
    {"kind": "too_many_requests", "retry_after_s": 5},
    {"kind": "server_error"},
    {"kind": "html_200"},
    {"kind": "null_body"},
    {"kind": "empty_body"},
    {"kind": "truncated"},
    {"kind": "slow", "delay_s": 0.01},
    {"kind": "hang"},
    {"kind": "missing_field", "rows": "all"},
    {"kind": "missing_field", "field": "dt_tm", "rows": "all"},
    {"kind": "missing_field", "field": "scripname"},
    {"kind": "changed_type", "rows": "all"},
    {"kind": "changed_type", "to": "text"},
    {"kind": "changed_type", "field": "trd_vol", "to": "text", "rows": "all"},
    {"kind": "bad_row", "problem": "negative_price"},
    {"kind": "bad_row", "problem": "nan_text"},
    {"kind": "bad_row", "problem": "zero_code"},
    {"kind": "bad_row", "problem": "absurd_price"},
    {"kind": "bad_row", "problem": "not_object"},
    {"kind": "duplicate_row"},
    {"kind": "down"},
    {"kind": "frozen"},
    {"kind": "clock_back"},
    {"kind": "redirect"},
]
PATHS = ["GetMktData", "GetMktData", "finance/quote", ""]


class Witness:
    """Knows every price that the market ever had, and looks at the store after each poll."""

    def __init__(self, exchange, fetcher):
        self.exchange = exchange
        self.fetcher = fetcher
        self.ever = {}
        self.known = set()

    def note(self):
        """The true prices of this moment."""
        for code, paise in self.exchange.prices().items():
            self.ever.setdefault(code, set()).add(paise)

    async def look(self):
        """No wrong value is stored, no good one is lost, and what looks live is not old."""
        held = await self.fetcher.held()
        assert self.known <= held.keys()
        self.known = set(held)
        for code, image in held.items():
            assert image.quote.last_paise in self.ever[code]

    async def is_true(self):
        """Whether the store shows the market as it is now, all of it confirmed."""
        return (
            self.exchange.prices() == await self.fetcher.prices()
            and await self.fetcher.unconfirmed() == set()
        )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(6))
async def test_faults_in_any_combination_never_show_a_wrong_price(
    fetching, exchange, seed
):
    """And once they are over, the first answer makes everything true again."""
    rng = random.Random(seed)
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.2)
        urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
        yahoo = YahooSource(fetcher.http, YahooSettings(**urls, timeout_s=0.2))
        backup = fetcher.batches(yahoo, is_wanted=lambda: fetcher.poller.is_late(1.5))
        witness = Witness(exchange, fetcher)
        witness.note()
        await fetcher.poll()
        for _ in range(POLLS):
            if rng.random() < 0.5:
                fault = rng.choice(FAULTS)
                path = rng.choice(PATHS)
                await exchange.arm(**fault, path=path, times=rng.randint(1, 3))
            exchange.trade(INTERVAL_S)
            witness.note()
            await fetcher.later(INTERVAL_S * 1000)
            await fetcher.terms.hold()
            await fetcher.poller.step()
            await backup.ask_due()
            await witness.look()

        await exchange.heal()
        exchange.trade(INTERVAL_S)
        witness.note()
        await fetcher.later(1_800_000)
        await fetcher.poll()
        await witness.look()
        assert await witness.is_true()


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if f["kind"] in {"server_error", "down", "html_200"}]
)
@pytest.mark.parametrize("polls_ill", [1, 4, 40])
async def test_recovery_takes_one_interval(fetching, exchange, fault, polls_ill):
    """However long the outage was, the first look after it comes within one interval, and is believed."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(**fault, path="GetMktData")
        for _ in range(polls_ill):
            await fetcher.poll()
        healed_ms = fetcher.clock.monotonic_ms()
        await exchange.heal()
        exchange.trade()
        while fetcher.feed.state(fetcher.session) != "ok":
            await fetcher.poll()

        assert exchange.prices() == await fetcher.prices()
        assert fetcher.clock.monotonic_ms() - healed_ms <= INTERVAL_S * 1000


async def test_a_price_that_nobody_confirms_turns_stale_in_time(fetching, exchange):
    """Seven seconds after its last confirmation, whatever the source does meanwhile."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        confirmed_ms = (await fetcher.store.heads()).shards[0].confirmed.all_at_ms
        await exchange.arm(kind="truncated", path="GetMktData")
        for _ in range(5):
            await fetcher.poll()
        (head, *_) = (await fetcher.store.heads()).shards

        assert confirmed_ms == head.confirmed.all_at_ms
        qualities = [
            quality_of(0, age_ms, market_open=True)
            for age_ms in (FRESH_FOR_MS, FRESH_FOR_MS + 1)
        ]
        assert [Quality.LIVE, Quality.STALE] == qualities
