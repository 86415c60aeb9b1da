"""Every fault of the stand-in, in random combination, for simulated minutes: what the store may never show."""

import random

import pytest

from bse_fetcher.polling.plausibility import NEW_TIMELINE_AFTER
from bse_fetcher.source_settings import KiteSettings, YahooSettings
from bse_fetcher.sources.kite.source import KiteSource
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
TRUTHFUL = [fault for fault in FAULTS if fault["kind"] != "frozen"]
"""All but the one by which a source repeats an old price as if it were new: that can be noticed only after a while."""

WAITS_S = {"forbidden": 1800.0, "too_many_requests": 5.5}
"""How long a source is left alone at most that asked for it; all others are asked again within one interval."""

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

    async def confirmed(self):
        """When each price was confirmed, by scrip code."""
        heads = (await self.fetcher.store.heads()).shards
        return {
            code: heads[code % len(heads)].confirmed.at_ms(code) for code in self.known
        }

    async def look_at_what_is_new(self, before):
        """A price that was confirmed just now is the price of now: whatever is shown as live is true."""
        true, held = self.exchange.prices(), await self.fetcher.prices()
        for code, at_ms in (await self.confirmed()).items():
            if at_ms > before.get(code, 0):
                assert true[code] == held[code]

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


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(4))
async def test_what_was_just_confirmed_is_true_whatever_fails(fetching, exchange, seed):
    """Primary and backup under faults that don't repeat the past: nothing that looks fresh is old."""
    rng = random.Random(100 + seed)
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.2)
        urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
        yahoo = YahooSource(fetcher.http, YahooSettings(**urls, timeout_s=0.2))
        backup = fetcher.batches(yahoo, is_wanted=lambda: fetcher.poller.is_late(1.5))
        witness = Witness(exchange, fetcher)
        witness.note()
        await fetcher.poll()
        await witness.look()
        for _ in range(POLLS // 2):
            for _ in range(rng.randint(0, 2)):
                fault, path = rng.choice(TRUTHFUL), rng.choice(PATHS)
                await exchange.arm(**fault, path=path, times=rng.randint(1, 3))
            before = await witness.confirmed()
            exchange.trade(INTERVAL_S)
            witness.note()
            await fetcher.later(INTERVAL_S * 1000)
            await fetcher.terms.hold()
            await fetcher.poller.step()
            await backup.ask_due()
            await witness.look()
            await witness.look_at_what_is_new(before)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(4))
async def test_a_batch_primary_under_faults_never_shows_a_wrong_price(
    fetching, exchange, seed
):
    """A broker's answers fail in any way: what is confirmed is true, and all is true when they are over."""
    rng = random.Random(200 + seed)
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.2)
        await fetcher.poll()
        await fetcher.master.step()
        settings = KiteSettings(
            base_url=exchange.url,
            api_key="key",
            access_token="access",
            timeout_s=0.2,
            symbols_max=10,
        )
        kite = KiteSource(fetcher.http, settings)
        poller = fetcher.batches(kite, "primary", feed=fetcher.feed)
        fetcher.demand.watch(exchange.prices(), 0)
        witness = Witness(exchange, fetcher)
        witness.note()
        await witness.look()
        for _ in range(POLLS // 2):
            if rng.random() < 0.6:
                fault = rng.choice(TRUTHFUL)
                await exchange.arm(**fault, path="/quote", times=rng.randint(1, 6))
            before = await witness.confirmed()
            exchange.trade(INTERVAL_S)
            witness.note()
            await fetcher.later(INTERVAL_S * 1000)
            await fetcher.terms.hold()
            await poller.ask_due()
            await witness.look()
            await witness.look_at_what_is_new(before)

        await exchange.heal()
        exchange.trade(INTERVAL_S)
        witness.note()
        await fetcher.later(1_800_000)
        # One batch is the probe of an open circuit; the others follow with the next steps.
        for _ in range(INTERVAL_S * 10):
            await fetcher.later(100)
            await fetcher.terms.hold()
            await poller.ask_due()
            await witness.look()
            if exchange.prices() == await fetcher.prices():
                break
        assert exchange.prices() == await fetcher.prices()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values()))
)
async def test_every_fault_is_over_within_one_interval_of_its_end(
    fetching, exchange, fault
):
    """Or as soon as the source said that it may be asked again; measured from the healing to the true market."""
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.2)
        witness = Witness(exchange, fetcher)
        witness.note()
        await fetcher.poll()
        await exchange.arm(**fault, path="GetMktData")
        for _ in range(4):
            exchange.trade()
            witness.note()
            await fetcher.poll()
            await witness.look()
        healed_ms = fetcher.clock.monotonic_ms()
        await exchange.heal()
        exchange.trade()
        while not await witness.is_true():
            await fetcher.poll()

        took_s = (fetcher.clock.monotonic_ms() - healed_ms) / 1000
        assert took_s <= WAITS_S.get(fault["kind"], INTERVAL_S)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hours", [1, 3])
async def test_a_brokers_clock_that_is_put_back_is_believed_in_the_end(
    fetching, exchange, hours
):
    """Its rows are from the past for ever: counted, left out ten times, then they are the truth."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        settings = KiteSettings(
            base_url=exchange.url, api_key="key", access_token="access"
        )
        kite = KiteSource(fetcher.http, settings)
        poller = fetcher.batches(kite, "primary", feed=fetcher.feed)
        fetcher.demand.watch(exchange.prices(), 0)
        await poller.ask_due()
        await exchange.arm(path="/quote", kind="clock_back", hours=hours)
        stored = []
        for _ in range(NEW_TIMELINE_AFTER + 1):
            exchange.trade()
            await fetcher.later(INTERVAL_S * 1000)
            await poller.ask_due()
            stored.append(exchange.prices() == await fetcher.prices())

        assert [False] * (NEW_TIMELINE_AFTER - 1) + [True, True] == stored
        went_back = fetcher.count("fetcher_rows", outcome="time_went_back")
        assert 40 * (NEW_TIMELINE_AFTER - 1) == went_back
        assert 40 == fetcher.count("fetcher_new_timelines")


@pytest.mark.timeout(60)
async def test_a_backup_that_lags_is_never_believed(fetching, exchange):
    """However often it repeats prices from before the primary's last one: those were newer."""
    async with fetching() as hire:
        fetcher = hire()
        urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
        yahoo = YahooSource(fetcher.http, YahooSettings(**urls))
        backup = fetcher.batches(yahoo)
        fetcher.demand.watch(exchange.prices(), 0)
        await fetcher.poll()
        held = await fetcher.prices()
        await exchange.arm(path="finance/quote", kind="clock_back", hours=1)
        for _ in range(2 * NEW_TIMELINE_AFTER):
            exchange.trade()
            await fetcher.later(INTERVAL_S * 1000)
            await backup.ask_due()

        assert held == await fetcher.prices()
        assert 0 == fetcher.count("fetcher_new_timelines")


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
