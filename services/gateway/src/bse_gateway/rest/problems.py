"""The only table of HTTP problems (RFC 9457), and the translation of errors into them; `refusals.py` has who may not come in.

`type` is a relative URI and never changes its meaning. A problem of our own making (500) tells no detail.
"""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from bse_gateway.identifiers import ECHO_LENGTH_MAX, Miss, Reason
from bse_gateway.identity.policy import methods_of
from bse_gateway.lookup import NotReady
from bse_shared.redis_edge.connection import StoreUnavailable


MEDIA_TYPE = "application/problem+json"
ERRORS_TOLD_MAX = 20
"""So many mistakes of one request are told."""
CHARTS = "/udf/"


class Kind(Enum):
    """Slug of the type, status, title."""

    UNKNOWN_SYMBOL = ("unknown-symbol", 404, "No such scrip")
    INVALID_SYMBOL = ("invalid-symbol", 422, "Not an identifier of a scrip")
    NO_QUOTE = ("no-quote", 404, "No quote yet")
    NOT_READY = ("not-ready", 503, "Not ready yet")
    STORE_UNAVAILABLE = ("store-unavailable", 503, "The store is away")
    INVALID_REQUEST = ("invalid-request", 422, "The request is not valid")
    MISSING_PARAMETER = ("missing-parameter", 422, "A query parameter is missing")
    REPEATED_PARAMETER = ("repeated-parameter", 422, "A query parameter is repeated")
    UNKNOWN_PARAMETER = ("unknown-parameter", 422, "No such query parameter")
    UNKNOWN_MODE = ("unknown-mode", 422, "No such mode")
    UNKNOWN_FIELD = ("unknown-field", 422, "No such member of a quote")
    UNKNOWN_SELECTION = ("unknown-selection", 404, "No such index or group")
    NO_SYMBOLS = ("no-symbols", 422, "No scrips were named")
    TOO_MANY_SYMBOLS = ("too-many-symbols", 422, "Too many scrips in one request")
    BAD_REQUEST = ("bad-request", 400, "The request could not be read")
    MALFORMED_JSON = ("malformed-json", 400, "The body is not JSON")
    BODY_TOO_LARGE = ("body-too-large", 413, "The body is too large")
    URL_TOO_LONG = ("url-too-long", 414, "The address is too long")
    HEADERS_TOO_LARGE = ("headers-too-large", 431, "The headers are too large")
    TOO_SLOW = ("too-slow", 408, "The request did not arrive in time")
    OVERLOADED = ("overloaded", 503, "Too much is asked just now")
    DEADLINE = ("deadline", 503, "The answer took too long")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "The body must be JSON")
    NOT_FOUND = ("not-found", 404, "No such resource")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "Method not allowed")
    CREDENTIALS_NEEDED = ("credentials-needed", 401, "A token or key is needed")
    CREDENTIALS_REFUSED = ("credentials-refused", 401, "The token or key is not good")
    SCOPE_MISSING = ("scope-missing", 403, "Not granted")
    ADDRESS_REFUSED = ("address-refused", 403, "Not from this address")
    NOT_YOURS = ("not-yours", 403, "It belongs to somebody else")
    RATE_LIMITED = ("rate-limited", 429, "Too many requests")
    UNKNOWN_API_KEY = ("unknown-api-key", 404, "No such API key")
    KEY_CONFLICT = ("key-conflict", 409, "The key is not as you think")
    ORDER_CONFLICT = ("order-conflict", 409, "The order would do nothing")
    INTERNAL = ("internal", 500, "Something went wrong here")

    def __init__(self, slug: str, status: int, title: str):
        self.slug = slug
        self.status = status
        self.title = title

    @property
    def type_uri(self) -> str:
        """The `type` member."""
        return f"/problems/{self.slug}"


class Problem(HTTPException):
    """A problem to answer with; `members` are its extension members.

    An HTTPException, because FastAPI lets these through wherever they are raised, reading a body included.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ):
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.members = members


_OF_REASON = {
    Reason.INVALID_SYMBOL: Kind.INVALID_SYMBOL,
    Reason.UNKNOWN_SYMBOL: Kind.UNKNOWN_SYMBOL,
    Reason.NO_QUOTE: Kind.NO_QUOTE,
}


def problem_of(miss: Miss) -> Problem:
    """The problem for one identifier without a quote."""
    return Problem(_OF_REASON[miss.reason], miss.message, symbol=miss.symbol)


def echoed(names: Iterable[str]) -> list[str]:
    """What of wrong names is told back: some, and the beginning of each."""
    return sorted({name[:ECHO_LENGTH_MAX] for name in names})[:ERRORS_TOLD_MAX]


def problem_document(problem: Problem, request_id: str) -> str:
    """The problem as JSON."""
    document = {
        "type": problem.kind.type_uri,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": f"/requests/{request_id}",
        **problem.members,
    }
    return json.dumps(document)


def problem_response(problem: Problem, request_id: str) -> Response:
    """The answer with the problem document."""
    return Response(
        problem_document(problem, request_id),
        problem.kind.status,
        problem.headers,
        MEDIA_TYPE,
    )


def answer_to(request: Request, problem: Problem) -> Response:
    """The answer to this request. A chart looks for `s` and `errmsg` wherever something went wrong."""
    if request.url.path.startswith(CHARTS):
        problem.members = {
            "s": "error",
            "errmsg": f"{problem.kind.title}.",
            **problem.members,
        }
    return problem_response(problem, request.state.request_id)


def internal_problem() -> Problem:
    """What the world learns of a bug: that it is known under the request id."""
    return Problem(Kind.INTERNAL, "The fault is logged under the request id.")


def answer_errors_as_problems(app: FastAPI) -> None:
    """Install the translation."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = _translated(error)
        if problem.kind is Kind.METHOD_NOT_ALLOWED:
            path = getattr(request.scope.get("route"), "path", "")
            if methods := methods_of(path):
                problem.headers = {"Allow": ", ".join(methods)}
        return answer_to(request, problem)

    for kind in (
        HTTPException,
        RequestValidationError,
        NotReady,
        StoreUnavailable,
    ):
        app.add_exception_handler(kind, answer)


def _translated(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _of_validation(error)
        case NotReady():
            return Problem(
                Kind.NOT_READY,
                "The market was not read from the store yet.",
                headers={"Retry-After": "1"},
            )
        case StoreUnavailable():
            return Problem(
                Kind.STORE_UNAVAILABLE,
                "The store does not answer; quotes are still served.",
                headers={"Retry-After": "2"},
            )
        case HTTPException():
            return _of_http(error)
    return internal_problem()


def _of_http(error: HTTPException) -> Problem:
    """What the framework raises: unknown paths, wrong methods, unreadable bodies."""
    match error.status_code:
        case 404:
            return Problem(Kind.NOT_FOUND, "There is nothing at this path.")
        case 405:
            return Problem(
                Kind.METHOD_NOT_ALLOWED,
                "This path does not take this method.",
                headers=error.headers,
            )
        case status if status < 500:  # noqa: PLR2004 - the boundary of the status classes
            return Problem(Kind.BAD_REQUEST, "The request could not be read.")
    return internal_problem()


def _of_validation(error: RequestValidationError) -> Problem:
    # The rejected values are left out: they may be huge, or secrets sent to the wrong place.
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem(Kind.MALFORMED_JSON, "The body is not valid JSON.")
    errors = [
        {"where": _where(each["loc"]), "message": each["msg"]}
        for each in found[:ERRORS_TOLD_MAX]
    ]
    return Problem(Kind.INVALID_REQUEST, "See `errors` for each.", errors=errors)


def _where(location: tuple[str | int, ...]) -> str:
    """`body.symbols[3]`; names chosen by the caller are cut."""
    text = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part[:ECHO_LENGTH_MAX]}"
        for part in location
    )
    return text.lstrip(".")
