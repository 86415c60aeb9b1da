"""Things that tests need, with sane defaults."""

from typing import Any

from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote import Condition, Quote, Source, Value


RELIANCE = Instrument(
    500325, "RELIANCE", "INE002A01018", "Reliance Industries Ltd", "A"
)
TCS = Instrument(532540, "TCS", "INE467B01029", "Tata Consultancy Services Ltd", "A")
INFY = Instrument(500209, "INFY", "INE009A01021", "Infosys Ltd", "A")


def a_master() -> InstrumentMaster:
    """A master of three well-known scrips."""
    return InstrumentMaster([RELIANCE, TCS, INFY], version=1)


def a_quote(last_paise: int = 290_135, **fields: Any) -> Quote:
    """A quote of a liquid scrip on a quiet day."""
    return Quote(
        last_paise=last_paise,
        open_paise=289_500,
        high_paise=291_000,
        low_paise=288_900,
        previous_close_paise=289_000,
        volume=396_428,
        turnover_paise=114_936_000_000,
        trades=12_833,
        exchange_time_ms=1_795_334_400_000,
        source=Source.BSE,
        condition=Condition.GOOD,
    )._replace(**fields)


def an_image(
    quote: Quote | None = None, epoch: int = 1_795_330_000_000, sequence: int = 12
) -> Image:
    """An image at some position."""
    return Image(Position(epoch, sequence), 1_795_334_400_020, quote or a_quote())


def seen(quote: Quote) -> dict[int, Value]:
    """The quote's known fields as a source reports them."""
    return {number: value for number, value in enumerate(quote) if value is not None}
