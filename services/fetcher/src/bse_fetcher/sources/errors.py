"""What can go wrong with a source's answer. `kind` is the label under which it is counted.

ExchangeError
  NotAsked              the source was spared: its circuit is open, or its budget is spent
  ExchangeUnavailable   no answer, or a refusal: timeout, connection, server_error, redirected, not_found, refused
    Forbidden           blocked (403): quick retries make it worse
    Unauthorized        the source does not know us (401): a key or a crumb is wrong or old
    RateLimited         429, with the wait that the source asked for
  MalformedAnswer       an answer that is not market data: html, empty, null, truncated, shape, too_big, frozen, contradicts
"""


class ExchangeError(Exception):
    """The source gave no usable answer."""

    def __init__(self, kind: str, detail: str):
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


class NotAsked(ExchangeError):
    """Nobody asked the source: try again in `retry_in_s`."""

    def __init__(self, kind: str, retry_in_s: float):
        super().__init__(kind, f"again in {retry_in_s:.1f} s")
        self.retry_in_s = retry_in_s


class ExchangeUnavailable(ExchangeError):
    """No answer, or a refusal."""


class Forbidden(ExchangeUnavailable):
    """The source blocks us."""

    def __init__(self, detail: str):
        super().__init__("forbidden", detail)


class Unauthorized(ExchangeUnavailable):
    """The source does not know us."""

    def __init__(self, detail: str):
        super().__init__("unauthorized", detail)


class RateLimited(ExchangeUnavailable):
    """The source asks for a pause of `retry_after_s`."""

    def __init__(self, retry_after_s: float):
        super().__init__("rate_limited", f"retry after {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class MalformedAnswer(ExchangeError):
    """An answer that is not market data."""
