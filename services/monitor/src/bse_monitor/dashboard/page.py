"""The page for people: one self-contained document, whose policy allows nothing but its own style and script."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Page:
    """The document and the Content-Security-Policy that goes with it."""

    html: str
    security_policy: str


def build_page() -> Page:
    """Put the page together. It is static: the script fills it in, as text only."""
    style, script = _read("page.css"), _read("page.js")
    html = (
        _read("page.html")
        .replace("/* page.css */", style)
        .replace("/* page.js */", script)
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "connect-src 'self'",
            "img-src data:",  # the empty icon, so that browsers ask for none
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Page(html, policy)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
