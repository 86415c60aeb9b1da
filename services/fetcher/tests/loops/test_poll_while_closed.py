"""What an outage costs while the market is closed."""

from bse_shared.sessions.session import Phase


async def test_an_outage_in_the_night_is_asked_as_seldom_as_health(fetching, exchange):
    """A closed market is polled each minute: a source that fails then must not be asked twenty times as often."""
    async with fetching() as hire:
        fetcher = hire()
        fields = {
            n: getattr(fetcher.session, n) for n in fetcher.session.__struct_fields__
        }
        fetcher.session = type(fetcher.session)(**{**fields, "phase": Phase.CLOSED})
        await exchange.arm(kind="server_error")
        for _ in range(5):
            await fetcher.poll()
        await fetcher.poll()
        wait_ms = fetcher.poller.due_ms - fetcher.clock.monotonic_ms()

        assert wait_ms >= 30_000
