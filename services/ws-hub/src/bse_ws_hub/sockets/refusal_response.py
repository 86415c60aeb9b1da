"""How a stream is refused before it is open: as an HTTP problem (RFC 9457)."""

from starlette.responses import JSONResponse

from bse_ws_hub.admission.refused import Refused


def refusal_response(refused: Refused) -> JSONResponse:
    """The HTTP answer before a stream is open."""
    return JSONResponse(
        refused.problem,
        refused.why.status,
        refused.headers,
        media_type="application/problem+json",
    )
