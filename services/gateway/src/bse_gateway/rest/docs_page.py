"""`/docs`: the contract as one page for people, without scripts or anything from other hosts. Pure but for the route."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse


CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
CACHING = "public, max-age=300"
HERE = "http://localhost:8000"
"""Not what a request calls us: who sends a false Host must not write into a page that is cached for all."""

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1b1f24;background:#fff}
code,pre{font:13px/1.5 ui-monospace,monospace;background:#f3f4f6;border-radius:3px;padding:.1em .3em}
pre{padding:.6em 1em;overflow-x:auto}h2{margin-top:2.5em;border-bottom:1px solid #d0d7de}
h3{margin-top:2em}table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}
.method{color:#0a5;font-weight:600}.error{color:#a33}nav a{margin-right:1em}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}code,pre{background:#161b22}a{color:#7ab7ff}}
"""


def docs_html(contract: dict[str, Any]) -> str:
    """The page."""
    groups: dict[str, list[str]] = {}
    for path, operations in contract["paths"].items():
        for method, operation in operations.items():
            if method == "head":
                continue  # as GET, which says so once
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(
                "".join(_operation(method, path, operation))
            )
    title = escape(contract["info"]["title"])
    links = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in groups)
    body = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(operations)}'
        for tag, operations in groups.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1>{_prose(contract['info'].get('description', ''))}"
        f'<p>For programs: <a href="/openapi.json">/openapi.json</a>. Every GET is answered to HEAD too.</p><nav>{links}</nav>{body}</html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<h3 id="{name}"><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h3>'
    yield f"<p>{escape(operation.get('summary', ''))}</p>"
    yield _prose(operation.get("description", ""))
    if scope := operation.get("x-scope"):
        yield f"<p>Scope <code>{escape(scope)}</code></p>"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "<table><tr><th>parameter<th>in<th><th>"
        for each in parameters:
            need = "required" if each.get("required") else ""
            yield (
                f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}<td>{need}"
                f"<td>{_inline(each.get('description', ''))}"
            )
        yield "</table>"
    if method == "get" and "admin" not in path:
        example = escape(_example(path, parameters))
        yield f"<pre>curl '{HERE}{example}'</pre><p><a href=\"{example}\">Try it</a></p>"
    yield "<p>"
    for status, response in operation["responses"].items():
        kind = "error" if status[0] in "45" else ""
        yield f'<span class="{kind}"><code>{status}</code> {escape(response["description"])}</span>. '
    yield "</p>"


def _example(path: str, parameters: Any) -> str:
    """An address that works, out of the examples of the contract."""
    query = []
    for each in parameters:
        example = _example_of(each)
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", str(example))
        elif each["in"] == "query" and each.get("required"):
            query.append(f"{each['name']}={example}")
    return f"{path}{'?' if query else ''}{'&'.join(query)}"


def _example_of(parameter: dict[str, Any]) -> Any:
    if "example" in parameter:
        return parameter["example"]
    for example in parameter.get("examples", {}).values():
        return example["value"]
    return "…"


def _prose(text: str) -> str:
    paragraphs = [each for each in re.split(r"\n\s*\n", text.strip()) if each]
    return "".join(f"<p>{_inline(each)}</p>" for each in paragraphs)


def _inline(text: str) -> str:
    """Escaped, with code in backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def add_docs_page(app: FastAPI) -> None:
    """Add the route; it is open to all, as the contract is."""
    page: list[str] = []
    headers = {"content-security-policy": CONTENT_SECURITY, "cache-control": CACHING}

    async def read_docs(_: Request) -> HTMLResponse:
        if not page:
            page.append(docs_html(app.openapi()))
        # Each time another answer: what compresses it writes into its headers.
        return HTMLResponse(page[0], headers=headers)

    app.router.add_route("/docs", read_docs, include_in_schema=False)
