"""What who is not let in is told (RFC 6750, RFC 9457): why in one word, and nothing of what is kept."""

from fastapi import FastAPI, Request, Response

from bse_gateway.identity.errors import (
    AddressRefused,
    CredentialsNeeded,
    CredentialsRefused,
    KeyConflict,
    NoSuchKey,
    NotYours,
    OverBudget,
    Refusal,
    ScopeMissing,
)
from bse_gateway.rest.problems import Kind, Problem, answer_to


UNAUTHORIZED = 401

_CHALLENGE = 'Bearer realm="bse"'
_OF_REFUSAL: dict[type[Refusal], tuple[Kind, str]] = {
    CredentialsNeeded: (
        Kind.CREDENTIALS_NEEDED,
        "Send `Authorization: Bearer` with a token of POST /api/auth/token, or an API key.",
    ),
    AddressRefused: (
        Kind.ADDRESS_REFUSED,
        "Administration is not open to your address.",
    ),
    NotYours: (Kind.NOT_YOURS, "This client id belongs to another identity."),
    NoSuchKey: (Kind.UNKNOWN_API_KEY, "There is no API key with this id."),
    KeyConflict: (
        Kind.KEY_CONFLICT,
        "The key is revoked, or was changed at the same time: read it again.",
    ),
}


def answer_refusals_as_problems(app: FastAPI) -> None:
    """Install the translation."""

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, Refusal):
            raise error
        return answer_to(request, problem_of_refusal(error))

    app.add_exception_handler(Refusal, answer)


def problem_of_refusal(error: Refusal) -> Problem:
    """The problem for a refusal."""
    match error:
        case CredentialsRefused(reason=reason):
            challenge = (
                f'{_CHALLENGE}, error="invalid_token", error_description="{reason}"'
            )
            return Problem(
                Kind.CREDENTIALS_REFUSED,
                "Get a new one, or send none.",
                headers={"WWW-Authenticate": challenge},
                reason=reason,
            )
        case ScopeMissing(scope=scope):
            challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            return Problem(
                Kind.SCOPE_MISSING,
                f"This needs the scope {scope}.",
                headers={"WWW-Authenticate": challenge},
                scope=str(scope),
            )
        case OverBudget(spent=spent):
            return Problem(
                Kind.RATE_LIMITED,
                f"{spent.limit} a minute are allowed.",
                headers={"Retry-After": str(spent.reset_s)},
                limit=spent.limit,
            )
    kind, detail = _OF_REFUSAL[type(error)]
    needed = {"WWW-Authenticate": _CHALLENGE} if kind.status == UNAUTHORIZED else {}
    return Problem(kind, detail, headers=needed)
