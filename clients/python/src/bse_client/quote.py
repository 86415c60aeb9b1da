"""A scrip's quote as a user sees it: exact, immutable, and honest about its quality and age."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from bse_client.fields import Quality


_CENT = Decimal("0.01")


def rupees(paise: int | None) -> Decimal | None:
    """Paise as rupees with exactly two decimals; None stays None."""
    return None if paise is None else Decimal(paise).scaleb(-2)


class Level(NamedTuple):
    """One level of the order book."""

    price_paise: int
    quantity: int

    @property
    def price(self) -> Decimal:
        """The price in rupees."""
        return Decimal(self.price_paise).scaleb(-2)


class _Rupees:
    """The attribute `x` of a quote that shows its `x_paise` in rupees."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._field = f"{name}_paise"
        self.__doc__ = f"`{self._field}` in rupees, exactly; None if unknown."

    def __get__(self, quote: object, owner: type | None = None) -> Decimal | None:
        return rupees(getattr(quote, self._field))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Quote:
    """What is known of one scrip at the moment you asked. None: unknown, or not in your mode.

    quality: already takes silence, gaps and a lost connection into account. age_ms: since the
    newest change reached the platform; None until the hub's clock is known.
    """

    symbol: str
    code: int
    quality: Quality
    age_ms: int | None
    epoch: int
    sequence: int
    changed_at_ms: int
    last_paise: int | None = None
    open_paise: int | None = None
    high_paise: int | None = None
    low_paise: int | None = None
    previous_close_paise: int | None = None
    volume: int | None = None
    turnover_paise: int | None = None
    trades: int | None = None
    average_price_paise: int | None = None
    bid_paise: int | None = None
    bid_quantity: int | None = None
    ask_paise: int | None = None
    ask_quantity: int | None = None
    bids: tuple[Level, ...] | None = None
    asks: tuple[Level, ...] | None = None
    lower_circuit_paise: int | None = None
    upper_circuit_paise: int | None = None
    low_52_week_paise: int | None = None
    high_52_week_paise: int | None = None
    exchange_time_ms: int | None = None
    source: str | None = None
    condition: str | None = None

    last = _Rupees()
    open = _Rupees()
    high = _Rupees()
    low = _Rupees()
    previous_close = _Rupees()
    turnover = _Rupees()
    average_price = _Rupees()
    bid = _Rupees()
    ask = _Rupees()
    lower_circuit = _Rupees()
    upper_circuit = _Rupees()
    low_52_week = _Rupees()
    high_52_week = _Rupees()

    def __repr__(self) -> str:
        change = self.change_percent
        percent = "" if change is None else f" {change:+}%"
        return (
            f"<Quote {self.symbol} {self.last}{percent} {self.quality}"
            f" #{self.sequence} age={self.age_ms}ms>"
        )

    @property
    def is_live(self) -> bool:
        """Whether the price may be shown as the current one."""
        return self.quality is Quality.LIVE

    @property
    def change_paise(self) -> int | None:
        """The last price less the previous close."""
        if self.last_paise is None or self.previous_close_paise is None:
            return None
        return self.last_paise - self.previous_close_paise

    @property
    def change(self) -> Decimal | None:
        """The last price less the previous close, in rupees."""
        return rupees(self.change_paise)

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of the previous close, rounded to two decimals."""
        change = self.change_paise
        if change is None or not self.previous_close_paise:
            return None
        exact = Decimal(change * 100) / self.previous_close_paise
        return exact.quantize(_CENT, ROUND_HALF_UP)
