"""What a stream says by itself on one connection: its set again, its pace, its token, images that are missing."""

from collections.abc import Callable
from typing import NamedTuple

from bse_client.answers import HubError, Limits
from bse_client.commands import Asked, batches, position_batches
from bse_client.errors import CommandRefused
from bse_client.follower import Codes, Follower
from bse_client.identity import Credential, NoCredential, fresh
from bse_client.link import Link, LinkLost
from bse_client.settings import Settings
from bse_client.subscriptions import Restore
from bse_client.timing import Timing


ASK_LATER = frozenset(
    {"not_ready", "too_many_commands", "store_unavailable", "rate_limited"}
)
"""Refusals that pass by themselves."""

_UNKNOWN_OP = "unknown_op"
_REFRESH_ATTEMPTS = 4


class Pace(NamedTuple):
    """What the program set for the whole connection. max_hz None: every change."""

    max_hz: float | None = None


class Conversation:
    """One welcomed connection."""

    def __init__(
        self,
        link: Link,
        follower: Follower,
        settings: Settings,
        timing: Timing,
        rng: Callable[[], float],
    ):
        self.link = link
        self._follower = follower
        self._settings = settings
        self._timing = timing
        self._rng = rng

    async def restore(self, pace: Pace, *, is_return: bool) -> bool:
        """Ask for our pace and our set; False if the connection was lost over it."""
        try:
            if pace.max_hz is not None:
                await self._insist(Asked("rate", options={"max_hz": pace.max_hz}))
            await self._ask_heartbeat()
            for part in self._follower.restore():
                await self._restore(part)
        except LinkLost:
            return False  # the reader of the connection is about to see its end
        self._follower.restored(is_return=is_return)
        return True

    async def ask_images(self, codes: Codes) -> None:
        """Subscribe again to what we can't trust; the answers come like all others."""
        for want, names in self._follower.subscriptions.by_want(codes):
            for batch in batches(names, self._limits()):
                asked = Asked("subscribe", batch, want, is_repeat=True)
                try:
                    await self.link.tell(asked)
                except LinkLost:
                    return

    async def refresh(self, token: Credential) -> None:
        """Show a fresh token on this connection, before the old one ends."""
        for attempt in range(_REFRESH_ATTEMPTS):
            try:
                await self._insist(authenticate(await fresh(token)))
            except NoCredential as problem:
                self._tell(HubError(None, "no_token", str(problem)))
            except LinkLost:
                return
            else:
                return
            await self.pause(attempt + 2)

    async def pause(self, failures: int) -> None:
        """Wait before something is tried again."""
        wait_s = self._settings.backoff.wait_s(failures, self._rng)
        await self._timing.sleep_s(wait_s)

    async def _ask_heartbeat(self) -> None:
        interval_ms, digest = (
            self._settings.heartbeat_interval_ms,
            self._settings.digest,
        )
        welcome = self._follower.welcome
        if welcome is None or (interval_ms is None and not digest):
            return
        interval_ms = interval_ms or welcome.heartbeat_interval_ms
        options = {"interval_ms": interval_ms, "digest": digest}
        # Nobody waits: an older hub that refuses goes on with its own interval.
        await self.link.tell(Asked("heartbeat", options=options))

    async def _restore(self, part: Restore) -> None:
        for positions in position_batches(part.positions, self._limits()):
            asked = Asked("resume", want=part.want, positions=positions)
            if not await self._insist(asked, may_be_unknown=True):
                names = tuple(str(code) for code, _, _ in positions)
                await self._subscribe(part, names)
        await self._subscribe(part, part.names)

    async def _subscribe(self, part: Restore, names: tuple[str, ...]) -> None:
        for batch in batches(names, self._limits()):
            await self._insist(Asked("subscribe", batch, part.want))

    async def _insist(self, asked: Asked, *, may_be_unknown: bool = False) -> bool:
        """Ask until answered. False: refused for good, which the reader is told; or an older hub."""
        failures = 0
        while True:
            try:
                async with self._timing.timeout_s(self._settings.reply_timeout_s):
                    await self.link.ask(asked)
            except CommandRefused as problem:
                if may_be_unknown and problem.reason == _UNKNOWN_OP:
                    return False
                if problem.reason not in ASK_LATER:
                    self._tell(HubError(None, problem.reason, problem.message))
                    return False
            except TimeoutError:
                pass
            else:
                return True
            await self.pause(failures)
            failures += 1

    def _tell(self, error: HubError) -> None:
        self._follower.mailbox.post(error)

    def _limits(self) -> Limits | None:
        return self._follower.limits


def authenticate(token: str) -> Asked:
    """The command that shows a token on an open connection."""
    return Asked("authenticate", options={"token": token})
