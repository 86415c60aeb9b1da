"""Asks the hub and waits for the answer, through reconnects, until it is too late."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from bse_client.answers import (
    Answer,
    Limits,
    Rejection,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.commands import Asked, batches
from bse_client.errors import CommandRefused, CommandTimedOut, MalformedMessage
from bse_client.link import LinkLost
from bse_client.supervisor import Supervisor
from bse_client.timing import Timing


A = TypeVar("A", bound=Answer)
S = TypeVar("S", Subscribed, Unsubscribed)


@dataclass(frozen=True, slots=True)
class Asker:
    """Of one stream."""

    supervisor: Supervisor
    timing: Timing

    async def answered(self, asked: Asked, kind: type[A]) -> A:
        """The answer. Raises CommandTimedOut, CommandRefused or StreamRefused."""
        limit_s, why = self.supervisor.settings.reply_timeout_s, ""
        try:
            async with self.timing.timeout_s(limit_s):
                for failures in range(1 << 30):
                    link = await self.supervisor.ready_link()
                    try:
                        answer = await link.ask(asked)
                    except LinkLost:
                        why = "the connection was lost"
                    except CommandRefused as refused:
                        if refused.reason != "not_ready":
                            raise
                        why = str(refused)
                        await self.supervisor.pause(failures)
                    else:
                        return _of(kind, answer, asked)
        except TimeoutError:
            pass
        raise CommandTimedOut(asked.op, limit_s, why or self.supervisor.last_reason)

    async def set_answered(
        self,
        asked: Asked,
        kind: type[S],
        held: Iterable[Subscription],
        limits: Limits | None,
    ) -> S:
        """The same for a command on the set, in as many messages as the hub's limits make of it."""
        rejected: tuple[Rejection, ...] = ()
        answer = kind(None, tuple(held), ())
        for batch in batches(asked.symbols, limits):
            answer = await self.answered(asked._replace(symbols=batch), kind)
            rejected += answer.rejected
        return kind(answer.id, answer.symbols, rejected)


def _of(kind: type[A], answer: Answer, asked: Asked) -> A:
    if isinstance(answer, kind):
        return answer
    raise MalformedMessage(f"the answer to {asked.op} is of another type")
