"""The second source against the first, by hand."""

from bse_fetcher.loops.cross_check import CrossChecker
from bse_fetcher.polling.validation import CrossCheck
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
        assert {} == await conditions(fetcher)
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
