"""When the backup steps in."""

from bse_fetcher.polling.hedge import is_late


def late(now_ms, answered_ms=None, asked_ms=None):
    """With an interval of 3 s and a patience of 1.5 s."""
    return is_late(
        now_ms,
        answered_ms=answered_ms,
        asked_ms=asked_ms,
        interval_ms=3000,
        patience_ms=1500,
    )


def test_an_answer_is_overdue_an_interval_and_the_patience_after_the_last():
    """Whether it was asked for and is slow, or was not asked for at all."""
    assert not late(14_500, answered_ms=10_000, asked_ms=13_000)
    assert late(14_501, answered_ms=10_000, asked_ms=13_000)
    assert late(14_501, answered_ms=10_000)


def test_the_very_first_answer_gets_the_patience_only():
    """A primary that is down when the fetcher starts."""
    assert not late(99_999)
    assert not late(11_500, asked_ms=10_000)
    assert late(11_501, asked_ms=10_000)
