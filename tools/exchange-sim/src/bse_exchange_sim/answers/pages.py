"""The HTML the exchange sends instead of JSON: its site's shell, and refusals."""

import html


SHELL = b"""<!doctype html>
<html lang="en" data-beasties-container>
<head><meta charset="utf-8"><title>BSE Ltd</title><base href="/"></head>
<body><app-root></app-root><script src="main.js" type="module"></script></body>
</html>
"""

_DENIED = """<HTML><HEAD>
<TITLE>Access Denied</TITLE>
</HEAD><BODY>
<H1>Access Denied</H1>
You don't have permission to access "{url}" on this server.<P>
Reference #18.{reference}
</BODY>
</HTML>
"""

NOT_FOUND = b"<html><head><title>404</title></head><body>Not Found</body></html>"
SERVER_ERROR = b"<html><head><title>500</title></head><body>Server Error</body></html>"
TOO_MANY = b"<html><head><title>429</title></head><body>Too Many Requests</body></html>"


def access_denied(path: str, number: int) -> bytes:
    """Return the edge's refusal with its reference number."""
    url = html.escape(f"http://api.bseindia.com{path}")
    reference = f"2c{number:06x}.{1_700_000_000 + number}.{number * 2654435761:x}"
    return _DENIED.format(url=url, reference=reference).encode()
