"""Why somebody is not let in, or not given what he asks. `rest/problems.py` translates these for HTTP."""

from bse_shared.access.budgets import Spent


class Refusal(Exception):
    """Not let in. `reason` is one word of a closed set: metrics are labelled with it."""

    reason: str = ""


class CredentialsNeeded(Refusal):
    """Nothing was shown, and nobody in particular may not do this."""

    reason = "missing"


class CredentialsRefused(Refusal):
    """What was shown proves nothing."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class ScopeMissing(Refusal):
    """The identity is proved, but was not granted this."""

    reason = "scope"

    def __init__(self, scope: str):
        super().__init__(scope)
        self.scope = scope


class AddressRefused(Refusal):
    """Administration is not possible from this address."""

    reason = "address"


class OverBudget(Refusal):
    """Too many requests in the window."""

    reason = "budget"

    def __init__(self, spent: Spent):
        super().__init__(f"{spent.limit} in the window")
        self.spent = spent


class NotYours(Refusal):
    """The thing belongs to somebody else."""

    reason = "not_yours"


class NoSuchKey(Refusal):
    """There is no API key with this id."""

    reason = "no_such_key"


class KeyConflict(Refusal):
    """The key is revoked, or was changed by somebody else at the same time."""

    reason = "key_conflict"
