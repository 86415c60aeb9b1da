"""The built-in universe is large, well formed and the same for the same seed."""

from collections import Counter

import pytest

from bse_exchange_sim.load import load_universe
from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.settings import Settings
from bse_exchange_sim.universe.day_maker import next_bar
from bse_exchange_sim.universe.indices import BSE_100, SENSEX, canonical_index
from bse_exchange_sim.universe.isin import invented_isin, is_valid
from bse_exchange_sim.universe.scrip import DayBar, Listing


@pytest.fixture(scope="module")
def listings() -> tuple[Listing, ...]:
    return load_universe(Settings()).listings


def assert_sane(bar: DayBar, tick_paise: int) -> None:
    prices = (bar.open_paise, bar.last_paise, bar.close_paise)
    assert 0 < bar.low_paise <= min(prices)
    assert max(prices) <= bar.high_paise
    assert all(price % tick_paise == 0 for price in prices)
    assert bar.volume >= bar.trades >= 1
    assert bar.low_paise * bar.volume <= bar.turnover_paise
    assert bar.turnover_paise <= bar.high_paise * bar.volume


def test_universe_is_as_large_as_the_market(listings: tuple[Listing, ...]) -> None:
    """There are at least 4,300 scrips, each with its own code, symbol and ISIN."""
    assert len(listings) >= 4_300
    for of in (
        {each.scrip.code for each in listings},
        {each.scrip.symbol for each in listings},
        {each.scrip.isin for each in listings},
    ):
        assert len(of) == len(listings)


def test_every_isin_has_its_check_digit(listings: tuple[Listing, ...]) -> None:
    """Real and invented ISINs are all well formed."""
    assert [each.scrip.isin for each in listings if not is_valid(each.scrip.isin)] == []


def test_every_first_day_is_sane(listings: tuple[Listing, ...]) -> None:
    """Each bar's prices lie on ticks within low and high, turnover fits."""
    for each in listings:
        assert_sane(each.bar, each.scrip.tick_paise)


def test_days_stay_sane_and_follow_each_other(listings: tuple[Listing, ...]) -> None:
    """Ten days on, each day starts from the last price of the day before."""
    for each in listings[::200]:
        bar = each.bar
        for day in range(10):
            after = next_bar(each.scrip, bar, rng_for(day))
            assert after.previous_close_paise == bar.last_paise
            assert_sane(after, each.scrip.tick_paise)
            bar = after


def test_indices_have_their_members(listings: tuple[Listing, ...]) -> None:
    """The SENSEX has 30 members, all of them among the 100."""
    members = {
        name: {each.scrip.code for each in listings if name in each.scrip.indices}
        for name in (SENSEX, BSE_100)
    }
    assert {name: len(codes) for name, codes in members.items()} == {
        SENSEX: 30,
        BSE_100: 100,
    }
    assert members[SENSEX] < members[BSE_100]


def test_groups_are_spread_as_in_the_market(listings: tuple[Listing, ...]) -> None:
    """B is the largest group, then X, A and XT."""
    largest = [
        group for group, _ in Counter(e.scrip.group for e in listings).most_common(4)
    ]
    assert sorted(largest) == ["A", "B", "X", "XT"]


def test_invented_scrips_cannot_be_taken_for_real(
    listings: tuple[Listing, ...],
) -> None:
    """Invented codes, symbols and ISINs lie where no real ones are."""
    invented = [each.scrip for each in listings if each.scrip.symbol.startswith("SIM")]
    assert len(invented) > 4_000
    assert all(591_001 <= scrip.code <= 599_999 for scrip in invented)
    assert all(scrip.isin.startswith("INX") for scrip in invented)


def test_seed_decides_the_universe() -> None:
    """The same seed gives the same universe, another seed another one."""
    first, again, other = (
        load_universe(Settings(seed=seed, scrips=200)).listings for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("SENSEX", SENSEX),
        ("BSE SENSEX", SENSEX),
        ("s&p bse sensex", SENSEX),
        ("S&P BSE 100", BSE_100),
        ("bse 100", BSE_100),
        ("BSE 500", None),
    ],
)
def test_index_answers_to_its_names(name: str, index: str | None) -> None:
    """Old and short names mean the same index, in any case."""
    assert canonical_index(name) == index


@pytest.mark.parametrize("isin", ["INE009A01021", "INE1TAE01010", invented_isin(42)])
def test_wrong_check_digit_is_found(isin: str) -> None:
    """A changed last digit makes the ISIN invalid."""
    assert is_valid(isin)
    assert not is_valid(isin[:-1] + str((int(isin[-1]) + 1) % 10))
    assert not is_valid(isin[:-1])
