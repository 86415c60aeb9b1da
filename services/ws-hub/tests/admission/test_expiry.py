"""Who is warned and who must end, and when."""

from bse_shared.access.principal import Principal
from bse_shared.access.roles import ROLES
from bse_ws_hub.admission.expiry import Due, Expiry
from bse_ws_hub.admission.identity import Ceiling, identity_of, identity_of_nobody


CEILING = Ceiling(10_000, 200)
NOW_MS = 1_000.0
WALL_MS = 1_795_334_400_000


def until(end_ms):
    """An identity whose proof ends then."""
    principal = Principal(
        sub="key:a", role="trader", scopes=ROLES["trader"].scopes, expires_at_ms=end_ms
    )
    return identity_of(principal, CEILING)


def test_warned_a_minute_before_and_ended_at_the_end_once_each():
    """By the wall clock, as the token says."""
    expiry = Expiry()
    expiry.follow("s", until(WALL_MS + 100_000), NOW_MS)
    assert Due([], [], []) == expiry.due(NOW_MS, WALL_MS + 39_999)
    assert Due([], ["s"], []) == expiry.due(NOW_MS, WALL_MS + 40_000)
    assert Due([], [], []) == expiry.due(NOW_MS, WALL_MS + 99_999)
    assert Due([], [], ["s"]) == expiry.due(NOW_MS, WALL_MS + 100_000)
    assert Due([], [], []) == expiry.due(NOW_MS, WALL_MS + 999_999)


def test_a_refresh_starts_anew():
    """Warned again before the next end, and not ended at the first."""
    expiry = Expiry()
    expiry.follow("s", until(WALL_MS + 10), NOW_MS)
    assert ["s"] == expiry.due(NOW_MS, WALL_MS).expiring
    expiry.follow("s", until(WALL_MS + 100_000), NOW_MS)
    assert Due([], [], []) == expiry.due(NOW_MS, WALL_MS + 10)
    assert ["s"] == expiry.due(NOW_MS, WALL_MS + 40_000).expiring


def test_what_is_over_is_not_warned_first():
    """After a pause of the process both are due at once."""
    expiry = Expiry()
    expiry.follow("s", until(WALL_MS), NOW_MS)
    assert Due([], [], ["s"]) == expiry.due(NOW_MS, WALL_MS)


def test_who_has_shown_nothing_has_five_seconds():
    """By the monotonic clock; who proved himself, or left, is not looked at."""
    expiry = Expiry()
    unproved = identity_of_nobody("192.0.2.1", CEILING, proved=False)
    for stream in ("a", "b", "c"):
        expiry.follow(stream, unproved, NOW_MS)
    expiry.follow("b", until(None), NOW_MS)
    expiry.forget("c")
    assert Due([], [], []) == expiry.due(NOW_MS + 4_999, WALL_MS)
    assert Due(["a"], [], []) == expiry.due(NOW_MS + 5_000, WALL_MS)


def test_nobody_in_particular_never_ends():
    """Nothing was proved that could run out."""
    expiry = Expiry()
    nobody = identity_of_nobody("192.0.2.1", CEILING, proved=True)
    expiry.follow("s", nobody, NOW_MS)
    assert Due([], [], []) == expiry.due(float("inf"), WALL_MS * 2)
