"""What can go wrong for a user of this package, as types that carry what is known."""


class BseClientError(Exception):
    """Every error of this package."""


class MalformedMessage(BseClientError):
    """The hub sent something that is no message of the protocol."""

    def __init__(self, problem: str):
        super().__init__(problem)
        self.problem = problem


class NotConnected(BseClientError):
    """No connection came about within the time allowed."""

    def __init__(self, url: str, reason: str):
        super().__init__(f"could not connect to {url}: {reason}")
        self.url = url
        self.reason = reason


class StreamRefused(BseClientError):
    """The hub ended the connection in a way that forbids to come back unchanged."""

    def __init__(self, reason: str, code: int | None = None):
        super().__init__(f"{reason} (close code {code})" if code else reason)
        self.reason = reason
        self.code = code


class Unauthorized(StreamRefused):
    """The hub does not take our token or ticket, or took it away: no, revoked, or never shown."""


class TakenOver(StreamRefused):
    """A newer connection of ours with the same session name lives; this one must not come back."""


class StreamClosed(BseClientError):
    """The stream was closed by its owner, or never entered."""

    def __init__(self) -> None:
        super().__init__("the stream is not open: use `async with QuoteStream(...)`")


class CommandRefused(BseClientError):
    """The hub answered a command with an `error`."""

    def __init__(self, reason: str, message: str):
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class CommandTimedOut(BseClientError):
    """No answer to a command came in time, over all connections tried."""

    def __init__(self, command: str, after_s: float, why: str = ""):
        detail = f" ({why})" if why else ""
        super().__init__(f"no answer to {command} within {after_s:g} s{detail}")
        self.command = command
        self.after_s = after_s
