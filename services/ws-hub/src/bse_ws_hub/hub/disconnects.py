"""The one table of close codes. 4000-4499: reconnect with jitter; 4500-4999: not until something changed."""

from typing import NamedTuple


class Disconnect(NamedTuple):
    """Why the hub closes a connection."""

    code: int
    reason: str

    @property
    def reconnect(self) -> bool:
        """Whether the client is invited to come back."""
        return self.code == GOING_AWAY.code or 4000 <= self.code < 4500  # noqa: PLR2004


GOING_AWAY = Disconnect(1001, "going_away")
TOO_BIG = Disconnect(1009, "message_too_big")
INTERNAL_ERROR = Disconnect(4000, "internal_error")
TOKEN_EXPIRED = Disconnect(4001, "token_expired")
SLOW_CONSUMER = Disconnect(4008, "slow_consumer")
TOO_MANY_CONNECTIONS = Disconnect(4010, "too_many_connections")
CONNECTION_LIMIT = Disconnect(4011, "connection_limit")
BAD_MESSAGES = Disconnect(4500, "too_many_bad_messages")
PROTOCOL_NOT_SUPPORTED = Disconnect(4501, "protocol_not_supported")
REVOKED = Disconnect(4502, "revoked")
NOT_AUTHENTICATED = Disconnect(4503, "not_authenticated")
TAKEN_OVER = Disconnect(4504, "taken_over")
