"""Who we are to the hub: a token or ticket, as it is or from somebody who makes new ones."""

import inspect
from collections.abc import Awaitable, Callable

from bse_client.errors import BseClientError


Credential = str | Callable[[], str | Awaitable[str]]
"""A token or ticket, or what gives a fresh one: called before each connection, and before a token ends."""


class NoCredential(BseClientError):
    """The provider gave none."""

    def __init__(self, problem: object):
        super().__init__(f"no token or ticket: {problem}")


async def fresh(credential: Credential) -> str:
    """The credential to use now, or NoCredential."""
    if isinstance(credential, str):
        return credential
    try:
        found = credential()
        return await found if inspect.isawaitable(found) else found
    except (
        Exception
    ) as problem:  # a program's own code: whatever it raises, we try again
        raise NoCredential(f"{type(problem).__name__}: {problem}") from problem
