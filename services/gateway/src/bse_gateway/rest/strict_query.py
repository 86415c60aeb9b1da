"""Refuses query parameters that a route does not know, and those that come twice: a misspelt one would be believed to work.

Charts are spared: libraries send whatever their protocol has, and its servers leave out what they don't know.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bse_gateway.rest.problems import CHARTS, Kind, Problem, echoed


def is_strict(path: str) -> bool:
    """Whether the route of this path refuses what it does not know."""
    return not path.startswith(CHARTS)


def refuse_unknown_parameters(routes: Sequence[BaseRoute]) -> None:
    """Stand before every API route there is."""
    for route in routes:
        if isinstance(route, APIRoute) and is_strict(route.path):
            route.app = _StrictQuery(route.app, parameters_of(route))


def parameters_of(route: APIRoute) -> frozenset[str]:
    """The names of a route's query parameters, those that it only documents included."""
    told = (route.openapi_extra or {}).get("parameters", ())
    return frozenset(
        [*_declared(route.dependant)]
        + [each["name"] for each in told if each["in"] == "query"]
    )


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (each.alias for each in dependant.query_params)
    for each in dependant.dependencies:
        yield from _declared(each)


class _StrictQuery:
    """A route's application (pure ASGI)."""

    def __init__(self, app: ASGIApp, known: frozenset[str]):
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["query_string"]:
            self._check(scope["query_string"])
        await self._app(scope, receive, send)

    def _check(self, query: bytes) -> None:
        pieces = query.decode("latin-1").split("&")
        names = [unquote_plus(piece.partition("=")[0]) for piece in pieces if piece]
        unknown = set(names) - self._known
        if unknown:
            raise Problem(
                Kind.UNKNOWN_PARAMETER,
                f"This path takes {', '.join(sorted(self._known)) or 'none'}.",
                parameters=echoed(unknown),
            )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise Problem(
                Kind.REPEATED_PARAMETER,
                f"Give `{twice}` once.",
                parameter=twice,
            )
