"""How routes and problems show in OpenAPI."""

from typing import Any

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from bse_gateway.identity.policy import POLICY, Requirement
from bse_gateway.rest.problems import MEDIA_TYPE, Kind
from bse_gateway.rest.replies.base import ProblemReply
from bse_gateway.rest.strict_query import is_strict


_REF = "#/components/schemas/{model}"

DESCRIPTION = """\
Bombay Stock Exchange quotes over HTTP, answered from memory.

A scrip may be named by symbol (`RELIANCE`), scrip code (`500325`) or ISIN (`INE002A01018`), in any case.
Prices are rupees with exactly two decimals. Every quote says how far it may be trusted (`quality`): show a price
as live only if it says so. Errors are problem documents (RFC 9457). For a stream of changes see `POST /api/subscribe`.
"""


def without_body(send: Send) -> Send:
    """For HEAD: what GET would answer, headers only (RFC 9110 9.3.2)."""

    async def head_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return head_only


class GatewayApp(FastAPI):
    """FastAPI that answers HEAD, and whose contract also holds what no route returns as its model."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The contract."""
        if self.openapi_schema is None:
            schema = super().openapi()
            schemas = schema["components"]["schemas"]
            schemas["ProblemReply"] = ProblemReply.model_json_schema(ref_template=_REF)
            schema["components"]["securitySchemes"] = _SCHEMES
            for (method, path), requirement in POLICY.items():
                operations = schema["paths"][path]
                _describe(operations[method.lower()], path, requirement)
                if method == "GET":
                    operations["head"] = _head_of(operations["get"])
            self.openapi_schema = schema
        return self.openapi_schema


_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of POST /api/auth/token, or an API key.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def _describe(operation: dict[str, Any], path: str, requirement: Requirement) -> None:
    """Say what the route asks for, and how it refuses."""
    kinds = [Kind.RATE_LIMITED]
    if is_strict(path):
        kinds += [Kind.UNKNOWN_PARAMETER, Kind.REPEATED_PARAMETER]
    if requirement.scope is not None:
        operation["security"] = [{"token": []}, {"apiKey": []}]
        if not requirement.is_admin:
            operation["security"].append({})  # where AUTH_MODE is optional
        operation["x-scope"] = requirement.scope.value
        kinds += [
            Kind.CREDENTIALS_NEEDED,
            Kind.CREDENTIALS_REFUSED,
            Kind.SCOPE_MISSING,
        ]
    if requirement.is_admin:
        kinds += [Kind.ADDRESS_REFUSED, Kind.STORE_UNAVAILABLE]
    for status, response in problems(*kinds).items():
        held = operation["responses"].setdefault(str(status), response)
        told = response["content"][MEDIA_TYPE]["examples"]
        examples = held["content"][MEDIA_TYPE]["examples"]
        titles = [each["value"]["title"] for each in {**examples, **told}.values()]
        held["description"] = ", or: ".join(titles)
        examples.update(told)


def _head_of(get: dict[str, Any]) -> dict[str, Any]:
    """The same question to which only the head of the answer comes."""
    told = ("tags", "security", "x-scope", "parameters")
    return {
        **{name: get[name] for name in told if name in get},
        "summary": f"{get['summary']}: the head alone",
        "operationId": f"head_{get['operationId']}",
        "responses": {
            status: {"description": response["description"]}
            for status, response in get["responses"].items()
        },
    }


def problems(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": ", or: ".join(kind.title for kind in group),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": _REF.format(model="ProblemReply")},
                    "examples": {kind.slug: _example(kind) for kind in group},
                }
            },
        }
        for status, group in by_status.items()
    }


def _example(kind: Kind) -> dict[str, Any]:
    return {
        "value": {
            "type": kind.type_uri,
            "title": kind.title,
            "status": kind.status,
            "detail": "What is wrong with this request.",
            "instance": "/requests/5f2c9d1e8a7b4c30",
        }
    }
