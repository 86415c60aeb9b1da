"""The calendar in the store."""

from bse_shared.redis_edge.calendar_board import CalendarBoard


async def test_the_last_file_is_the_one(redis):
    """Whoever puts it learns whether it was news."""
    board = CalendarBoard(redis)
    assert await board.read() is None
    assert [True, False, True] == [
        await board.put(data) for data in (b"\xff\x00", b"\xff\x00", b"{}")
    ]
    assert b"{}" == await board.read()
