"""The second source against the first, by hand."""

from bse_fetcher.loops.cross_check import CrossChecker
from bse_fetcher.polling.validation import LAPSES_AFTER_MS, CrossCheck
from bse_fetcher.source_settings import KiteSettings
from bse_fetcher.sources.kite.source import KiteSource
from bse_shared.quotes.quote import Condition


RELIANCE = 500325


def checker_of(fetcher, exchange):
    """The broker as the second source; nobody waits for its turn."""
    settings = KiteSettings(base_url=exchange.url, api_key="k", access_token="a")
    return CrossChecker(
        core=fetcher.core,
        source=KiteSource(fetcher.http, settings),
        guard=fetcher.guards.add("kite", "quotes", "validation"),
        check=CrossCheck(1.0, 20_000),
        demand=fetcher.demand,
        is_wanted=lambda: True,
    )


async def conditions(fetcher):
    """The conditions of all scrips that are not good."""
    held = await fetcher.held()
    return {c: i.quote.condition for c, i in held.items() if i.quote.condition}


async def test_a_divergence_marks_the_price_and_agreement_clears_it(fetching, exchange):
    """The price stays what the primary says; the mark survives the polls, until the two agree again."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        fault = {"kind": "shifted_price", "scripcode": RELIANCE, "percent": 8}
        await exchange.arm(path="GetMktData", **fault)
        for _ in range(2):
            await fetcher.poll()
            await checker.step()
        assert {RELIANCE: Condition.SUSPECT} == await conditions(fetcher)
        exchange.trade()
        await fetcher.poll()
        assert {RELIANCE: Condition.SUSPECT} == await conditions(fetcher)
        assert (
            round(exchange.prices()[RELIANCE] * 1.08)
            == (await fetcher.prices())[RELIANCE]
        )

        await exchange.heal()
        await fetcher.poll()
        await checker.step()
        await fetcher.poll()
        assert {} == await conditions(fetcher)
        assert 2 == fetcher.count("fetcher_cross_checks", outcome="differs")


async def test_two_that_agree_mark_nothing(fetching, exchange):
    """Nor does a second source that is ill, or that lives in another hour."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        for fault in (None, "server_error", "clock_back", "html_200"):
            if fault:
                await exchange.arm(path="/quote", kind=fault)
            for _ in range(2):
                exchange.trade()
                await fetcher.poll()
                await checker.step()
            await exchange.heal()

        assert {} == await conditions(fetcher)
        assert 80 == fetcher.count("fetcher_cross_checks", outcome="agrees")
        assert 80 == fetcher.count("fetcher_cross_checks", outcome="incomparable")


async def test_hot_scrips_are_compared(fetching, exchange):
    """The others only while nothing is hot."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        await fetcher.poll()
        fetcher.demand.watch([RELIANCE], 0)
        await checker.step()

        assert 1 == fetcher.count("fetcher_cross_checks", outcome="agrees")


async def diverging(fetcher, exchange, checker):
    """Until every price is marked, for nothing but what the second source says."""
    await exchange.arm(path="/quote", kind="shifted_price", percent=8)
    for _ in range(2):
        await fetcher.poll()
        await checker.step()
    held = await fetcher.held()
    assert dict.fromkeys(held, Condition.SUSPECT) == await conditions(fetcher)


async def test_agreement_clears_no_other_mark(fetching, exchange):
    """What is wrong with the row itself stays, whatever the second source says."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        await diverging(fetcher, exchange, checker)
        await exchange.heal()
        fetcher.publisher.scrutiny.ticks = {RELIANCE: 10**9}
        exchange.trade()
        await fetcher.poll()
        await checker.step()

        assert {RELIANCE: "off_tick"} == fetcher.publisher.scrutiny.suspects()
        assert Condition.SUSPECT == (await conditions(fetcher))[RELIANCE]
        await fetcher.poll()
        assert {RELIANCE: Condition.SUSPECT} == await conditions(fetcher)


async def test_a_mark_outlives_the_rows_that_know_nothing_of_it(fetching, exchange):
    """Each of them says that all is well."""
    async with fetching() as hire:
        fetcher = hire()
        await diverging(fetcher, exchange, checker_of(fetcher, exchange))
        exchange.trade()
        await fetcher.poll()

        assert (await fetcher.held()).keys() == (await conditions(fetcher)).keys()


async def test_those_who_share_the_market_each_compare_their_own(fetching, exchange):
    """Who asked for another's scrips could not mark them."""
    async with fetching() as hire:
        lister = hire("lister")
        await lister.poll()
        await lister.master.step()
        await lister.terms.release()
        sharers = [hire(f"f{n}", shared=True) for n in range(2)]
        for _ in range(3):
            for fetcher in sharers:
                await fetcher.terms.hold()
        for fetcher in sharers:
            assert await fetcher.core.is_our_turn()
            checker = checker_of(fetcher, exchange)
            checker.source.symbols_max = 10
            await checker.step()

        assert [10, 10] == [
            f.count("fetcher_cross_checks", outcome="agrees") for f in sharers
        ]


async def test_a_scrip_that_is_no_longer_watched_is_still_compared(fetching, exchange):
    """Or it would stay under suspicion for ever."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        await diverging(fetcher, exchange, checker)
        await exchange.heal()
        (other, *_) = (c for c in await fetcher.held() if c != RELIANCE)
        fetcher.demand.watch([other], 0)
        await fetcher.poll()
        await checker.step()
        await fetcher.poll()

        assert {} == await conditions(fetcher)


async def test_a_second_source_that_went_silent_lifts_its_suspicion(fetching, exchange):
    """Nobody knows any more whether the two differ."""
    async with fetching() as hire:
        fetcher = hire()
        checker = checker_of(fetcher, exchange)
        await diverging(fetcher, exchange, checker)
        await exchange.heal()
        await exchange.arm(path="/quote", kind="server_error")
        await fetcher.later(LAPSES_AFTER_MS + 1)
        await checker.step()
        await fetcher.poll()

        assert {} == await conditions(fetcher)
