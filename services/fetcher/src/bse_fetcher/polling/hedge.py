"""When the backup steps in: a primary that is late is not waited for. Pure."""


def is_late(
    now_ms: float,
    *,
    answered_ms: float | None,
    asked_ms: float | None,
    interval_ms: float,
    patience_ms: float,
) -> bool:
    """Whether the primary's answer is overdue. Times are monotonic milliseconds.

    `answered_ms`: its last usable answer; `asked_ms`: since when one is waited for. Before its first answer it
    has `patience_ms` from the first question; after that, an interval and `patience_ms` from answer to answer.
    """
    if answered_ms is not None:
        return now_ms - answered_ms > interval_ms + patience_ms
    return asked_ms is not None and now_ms - asked_ms > patience_ms
