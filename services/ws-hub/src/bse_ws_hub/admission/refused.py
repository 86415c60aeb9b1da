"""Why somebody is not let in, and how each door says so: the one table of it. Pure."""

from enum import Enum


class Why(Enum):
    """Public reason, HTTP status before the stream is open, sentence."""

    BAD_REQUEST = ("bad_message", 400, "the address is not as it should be")
    NOT_AUTHENTICATED = ("not_authenticated", 401, "a token or a ticket is needed")
    TOKEN_REFUSED = ("token_refused", 401, "the token or ticket proves nothing")
    SCOPE_MISSING = ("token_refused", 403, "the token does not grant stream:read")
    NOT_YOURS = ("not_yours", 403, "this client id belongs to another identity")
    OTHER_SUBJECT = ("other_subject", 403, "a refresh must keep its subject")
    RATE_LIMITED = ("rate_limited", 429, "too many new connections")
    TOO_MANY_FAILURES = ("rate_limited", 429, "too many refused credentials")
    CONNECTION_LIMIT = ("connection_limit", 429, "too many streams of one identity")
    NOT_READY = ("not_ready", 503, "credentials cannot be judged yet")
    STORE_UNAVAILABLE = ("store_unavailable", 503, "the store does not answer")

    def __init__(self, reason: str, status: int, sentence: str):
        self.reason = reason
        self.status = status
        self.sentence = sentence


RETRY_AFTER_S = {429: 1, 503: 2}


class Refused(Exception):
    """Not let in. `detail`: why in one word of a closed set, where there is more to say."""

    def __init__(self, why: Why, detail: str = "", retry_after_s: int | None = None):
        super().__init__(f"{why.sentence}: {detail}" if detail else why.sentence)
        self.why = why
        self.detail = detail
        self.retry_after_s = (
            RETRY_AFTER_S.get(why.status) if retry_after_s is None else retry_after_s
        )

    @property
    def headers(self) -> dict[str, str]:
        """Of an HTTP answer (RFC 6750, RFC 9110)."""
        found = {}
        if self.why is Why.NOT_AUTHENTICATED:
            found["WWW-Authenticate"] = "Bearer"
        if self.why is Why.TOKEN_REFUSED:
            found["WWW-Authenticate"] = (
                f'Bearer error="invalid_token", error_description="{self.detail}"'
            )
        if self.why is Why.SCOPE_MISSING:
            found["WWW-Authenticate"] = (
                'Bearer error="insufficient_scope", scope="stream:read"'
            )
        if self.retry_after_s is not None:
            found["Retry-After"] = str(self.retry_after_s)
        return found

    @property
    def problem(self) -> dict[str, object]:
        """The problem document (RFC 9457)."""
        told: dict[str, object] = {
            "type": f"/problems/{self.why.reason.replace('_', '-')}",
            "title": self.why.reason.replace("_", " "),
            "status": self.why.status,
            "detail": self.why.sentence,
        }
        return {**told, "reason": self.detail} if self.detail else told
