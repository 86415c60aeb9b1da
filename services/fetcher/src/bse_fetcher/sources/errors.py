"""What can go wrong with an exchange's answer. `kind` is the label under which it is counted.

ExchangeError
  ExchangeUnavailable   no answer, or a refusal: timeout, connection, server_error, redirected, not_found
    Forbidden           blocked (403): quick retries make it worse
    RateLimited         429, with the wait that the exchange asked for
  MalformedAnswer       an answer that is not market data: html, empty, null, truncated, shape, too_big
"""


class ExchangeError(Exception):
    """The exchange gave no usable answer."""

    def __init__(self, kind: str, detail: str):
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


class ExchangeUnavailable(ExchangeError):
    """No answer, or a refusal."""


class Forbidden(ExchangeUnavailable):
    """The exchange blocks us."""

    def __init__(self, detail: str):
        super().__init__("forbidden", detail)


class RateLimited(ExchangeUnavailable):
    """The exchange asks for a pause of `retry_after_s`."""

    def __init__(self, retry_after_s: float):
        super().__init__("rate_limited", f"retry after {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class MalformedAnswer(ExchangeError):
    """An answer that is not market data."""
