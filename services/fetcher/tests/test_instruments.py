"""The master between the daily list and the rows of the market."""

from bse_fetcher.instruments import KnownInstruments
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_master


def known():
    """Instruments as they are after the stored master was read."""
    instruments = KnownInstruments()
    instruments.load(a_master(), activation=1)
    return instruments


def as_traded(instrument, **changes):
    """What a row of the market says of a scrip."""
    return {instrument.code: instrument._replace(isin="", **changes)}


def test_the_stored_master_is_taken():
    """With its version, and as saved."""
    instruments = known()

    assert a_master().by_code == instruments.master.by_code
    assert (1, 1, True) == (
        instruments.master.version,
        instruments.loaded_in,
        instruments.saved,
    )


def test_rows_that_say_nothing_new_change_nothing():
    """The same master object: readers compare versions."""
    instruments = known()
    before = instruments.master
    instruments.traded(as_traded(RELIANCE))
    instruments.listed([RELIANCE, TCS])

    assert before is instruments.master
    assert instruments.saved


def test_a_new_symbol_or_group_is_taken_and_the_isin_kept():
    """Rows rename a scrip, they never tell its ISIN."""
    instruments = known()
    instruments.traded(as_traded(INFY, symbol="INFOSYS", group="B"))

    assert (
        INFY._replace(symbol="INFOSYS", group="B")
        == (instruments.master.by_code[INFY.code])
    )
    assert 2 == instruments.master.version
    assert not instruments.saved


def test_what_a_row_leaves_out_stays():
    """Neither an empty symbol nor an empty group is news."""
    instruments = known()
    before = instruments.master
    instruments.traded(as_traded(INFY, symbol="", group=""))

    assert before is instruments.master
    instruments.traded(as_traded(INFY, symbol="", group="B"))
    assert "INFY" == instruments.master.by_code[INFY.code].symbol
    instruments.traded(as_traded(INFY, symbol="INFOSYS", group=""))
    assert (
        INFY._replace(symbol="INFOSYS", group="B")
        == (instruments.master.by_code[INFY.code])
    )


def test_a_scrip_without_a_name_goes_by_its_code():
    """It is new and trades; it gets its name when somebody tells it."""
    instruments = known()
    instruments.traded({7: Instrument(7, "")})
    assert "7" == instruments.master.by_code[7].symbol

    instruments.traded({7: Instrument(7, "SEVEN")})
    assert "SEVEN" == instruments.master.by_code[7].symbol


def test_the_daily_list_adds_and_corrects_but_never_removes():
    """Quotes of a scrip that was delisted may still be asked for."""
    instruments = known()
    instruments.listed([TCS._replace(name="TCS Ltd"), Instrument(7, "SEVEN", "INE7")])

    assert {RELIANCE.code, TCS.code, INFY.code, 7} == set(instruments.master.by_code)
    assert "TCS Ltd" == instruments.master.by_code[TCS.code].name
    assert 2 == instruments.master.version


def test_a_newer_stored_master_wins():
    """Another fetcher was active in between."""
    instruments = known()
    instruments.traded({7: Instrument(7, "SEVEN")})
    newer = InstrumentMaster([RELIANCE], version=9)
    instruments.load(newer, activation=2)

    assert newer is instruments.master
    assert instruments.saved
    assert 2 == instruments.loaded_in


def test_of_two_masters_of_one_version_the_stored_one_wins():
    """Readers hold that one: ours, never saved, would not be noticed under the same number."""
    instruments = known()
    instruments.traded({7: Instrument(7, "SEVEN")})
    stored = InstrumentMaster([RELIANCE], version=2)
    instruments.load(stored, activation=2)

    assert stored is instruments.master


def test_a_store_that_lost_the_master_gets_ours():
    """After a loss of data the master is saved again, under a version that readers don't have yet."""
    instruments = known()
    instruments.load(InstrumentMaster(), activation=2)

    assert a_master().by_code == instruments.master.by_code
    assert not instruments.saved
