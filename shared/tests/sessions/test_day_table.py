"""Laws of the answer over time, on the packaged and on made-up calendars."""

import datetime as dt
import json
from importlib.resources import files

from hypothesis import given, settings
from hypothesis import strategies as st

from bse_shared.sessions.calendar import builtin_calendar, parse_calendar
from bse_shared.sessions.session import Phase


law = settings(deadline=None, max_examples=40)
DAY_MS = 86_400_000
FIRST_MS = 1_735_583_400_000  # 2024-12-31 00:00 in India
BSE_JSON = json.loads(
    files("bse_shared.sessions").joinpath("bse_equity.json").read_bytes()
)
DAYS = [dt.date(2030, 1, 1) + dt.timedelta(at) for at in range(28)]
WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def hhmm(minute):
    """Minutes from midnight as the file writes them."""
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def hours(draw):
    """The phase keys of one or two continuous sessions, some closed by auction."""
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=7, max_size=7)))
    times = [hhmm(cut) for cut in cuts]
    before = [["pre_open", times[0], times[1]]]
    after = [["closing", times[3], times[4]]] if draw(st.booleans()) else []
    if draw(st.booleans()):
        after.append(["open", times[5], times[6]])
    auction = [["open", times[1], times[2]], ["closing_auction", times[2], times[3]]]
    return {
        "phases": [*before, ["open", times[1], times[3]], *after],
        "closing_auction_phases": draw(
            st.sampled_from([None, before + auction + after])
        ),
    }


@st.composite
def calendars(draw):
    """A valid calendar of four weeks, decoded, with any holidays and specials."""
    dated = st.sets(st.sampled_from(DAYS), max_size=8)
    kinds = hours() | st.sampled_from([{"phases": "full_day"}, {"phases": None}])
    starts = sorted(draw(st.sets(st.sampled_from(DAYS), max_size=2)) | {DAYS[0]})
    return {
        "schema": 1,
        "market": "made up",
        "as_of": "2030-01-01",
        "covers_from": str(DAYS[0]),
        "covers_until": str(DAYS[-1]),
        "weekend": draw(st.lists(st.sampled_from(WEEK), max_size=6)),
        "holidays": [{"date": str(d), "name": "H"} for d in draw(dated)],
        "special_sessions": [
            {"date": str(d), "name": "S", **draw(kinds)} for d in draw(dated)
        ],
        "regimes": [
            {"name": "R", "starts_on": str(d), **draw(hours())} for d in starts
        ],
    }


bse_moments = st.integers(FIRST_MS, FIRST_MS + 740 * DAY_MS)
made_up_moments = st.integers(1_893_349_800_000, 1_893_349_800_000 + 40 * DAY_MS)
cases = st.tuples(st.just(BSE_JSON), bse_moments) | st.tuples(
    calendars(), made_up_moments
)


def expected_phase(facts, now_ms, column="phases"):
    """The phase by a plain reading of the file, written apart from the product."""
    moment = dt.datetime.fromtimestamp(now_ms // 1000, dt.UTC)
    moment += dt.timedelta(hours=5, minutes=30)
    day, clock = moment.date().isoformat(), moment.strftime("%H:%M")
    specials = {row["date"]: row for row in facts["special_sessions"]}
    normal = [row for row in facts["regimes"] if row["starts_on"] <= day]
    rows = (normal or facts["regimes"][:1])[-1]
    special = specials.get(day)
    if special and special["phases"] is None:
        return "closed"
    if special and special["phases"] != "full_day":
        rows = special
    if not special and day in {row["date"] for row in facts["holidays"]}:
        return "closed"
    if not special and WEEK[moment.weekday()] in facts["weekend"]:
        return "closed"
    spans = rows.get(column) or rows["phases"]
    return next((name for name, start, end in spans if start <= clock < end), "closed")


@law
@given(cases)
def test_phase_is_what_the_file_says(case):
    """Both tracks agree with a plain reading of the file at any millisecond."""
    facts, now = case
    session = parse_calendar(facts).session_at(now)
    assert session.phase == expected_phase(facts, now)
    auction = expected_phase(facts, now, "closing_auction_phases")
    assert session.closing_auction_phase == auction


@law
@given(cases, st.floats(0, 1, exclude_max=True))
def test_phase_holds_until_the_next_change(case, part):
    """The phase is constant before the next change, which is ahead, and then ends."""
    facts, now = case
    calendar = parse_calendar(facts)
    session = calendar.session_at(now)
    change = session.next_change_at_ms
    assert change is not None
    assert change > now
    between = now + int(part * (change - now))
    assert calendar.session_at(between).phase is session.phase
    assert calendar.session_at(change - 1).phase is session.phase
    assert calendar.session_at(change).phase is not session.phase


@settings(law, max_examples=25)
@given(cases)
def test_next_change_misses_nothing(case):
    """Walking from change to change meets each change of phase in a whole day."""
    facts, now = case
    calendar = parse_calendar(facts)
    walked, at = [], now
    while (at := calendar.session_at(at).next_change_at_ms) < now + DAY_MS:
        walked.append(at)
    changes, last = [], expected_phase(facts, now)
    for minute in range(now - now % 60_000 + 60_000, now + DAY_MS, 60_000):
        phase = expected_phase(facts, minute)
        if phase != last:
            changes.append(minute)
        last = phase
    assert walked == changes


@law
@given(cases)
def test_next_open_is_the_first_open(case):
    """The next open is the first covered change that opens the market, or None."""
    facts, now = case
    calendar = parse_calendar(facts)
    session = calendar.session_at(now)
    there, at = session, now
    while there.covered and (at == now or there.phase is not Phase.OPEN):
        at = there.next_change_at_ms
        there = calendar.session_at(at)
    assert session.next_open_at_ms == (at if there.covered else None)
    if at != now and there.covered:
        assert calendar.session_at(at - 1).phase is not Phase.OPEN


@law
@given(st.sampled_from(BSE_JSON["holidays"]), st.integers(0, DAY_MS - 1))
def test_holidays_are_closed(holiday, offset):
    """No moment of a holiday is open, unless the day has a special session."""
    midnight = dt.datetime.fromisoformat(holiday["date"] + "T00:00+05:30")
    now = int(midnight.timestamp()) * 1000 + offset
    session = builtin_calendar().session_at(now)
    if session.special:
        assert "special session" in session.reason
        return
    assert session.phase is Phase.CLOSED
    assert not session.is_open
    assert session.reason == f"holiday: {holiday['name']}"


@law
@given(cases)
def test_trading_day_never_goes_back(case):
    """The trading day is today or earlier, and later moments never have an older."""
    facts, now = case
    calendar = parse_calendar(facts)
    session = calendar.session_at(now)
    today = dt.datetime.fromtimestamp(now // 1000, dt.UTC)
    today += dt.timedelta(hours=5, minutes=30)
    assert session.trading_day <= today.date().isoformat()
    assert calendar.session_at(now + DAY_MS).trading_day >= session.trading_day
    if session.phase is not Phase.CLOSED:
        assert session.trading_day == today.date().isoformat()


@law
@given(cases)
def test_same_moment_same_answer(case):
    """Two readings of one file answer alike, and one calendar answers from a table."""
    facts, now = case
    calendar = parse_calendar(facts)
    assert calendar.session_at(now) == parse_calendar(facts).session_at(now)
    assert calendar.session_at(now) is calendar.session_at(now)
