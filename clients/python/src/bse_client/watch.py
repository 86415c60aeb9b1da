"""The bse-watch command: quotes of the stream in a terminal, or as JSON lines."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.live import Live

from bse_client.commands import normal
from bse_client.errors import BseClientError, NotConnected
from bse_client.events import Event, SubscriptionChanged
from bse_client.fields import Mode
from bse_client.stream import QuoteStream
from bse_client.timing import RealTiming
from bse_client.watch_board import Board
from bse_client.watch_json import line_of, quote_line, rejected_line
from bse_client.watch_view import painted


DEFAULT_URL = "ws://127.0.0.1:8001/ws"
PAINT_S = 0.125
OPEN_S = 10.0
IMAGES_S = 5.0
"""How long --once waits for a connection, and then for the images."""

EXIT_FAILED = 1
EXIT_REJECTED = 3

EXAMPLES = """\
examples:
  bse-watch RELIANCE TCS 500325        a live table, by symbol, scrip code or ISIN
  bse-watch --once INFY                print it once and exit
  bse-watch --mode full --json SBIN    one JSON line for each change, with depth
  bse-watch --fields last,volume index:SENSEX    two fields of all scrips of an index
  bse-watch --every --json TCS         each single change, none merged
  bse-watch TCS | jq 'select(.last).last'   the same, piped

exit codes: 0 good, 1 no connection or refused, 2 wrong usage, 3 --once and a symbol was rejected
"""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bse-watch",
        description="Watch quotes of the Bombay Stock Exchange live.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    url = os.environ.get("BSE_WS_URL", DEFAULT_URL)
    add = parser.add_argument
    add(
        "symbols",
        nargs="+",
        metavar="SYMBOL",
        help="symbol, scrip code, ISIN, index:NAME, group:NAME or *",
    )
    add("--url", default=url, help="the hub (env BSE_WS_URL; now %(default)s)")
    modes = [str(mode) for mode in Mode]
    add("--mode", choices=modes, help="how much (default: quote)")
    add("--fields", metavar="A,B", help="these fields instead of a mode")
    add("--max-hz", type=float, metavar="N", help="at most N updates/s of each scrip")
    add("--every", action="store_true", help="each change by itself, none merged")
    add("--json", action="store_true", help="JSON lines even in a terminal")
    add("--once", action="store_true", help="print what is known now and exit")
    token = os.environ.get("BSE_TOKEN")
    add("--token", default=token, help="access token (env BSE_TOKEN)")
    add("--seconds", type=float, metavar="N", help="stop after so many seconds")
    return parser.parse_intermixed_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = parse(argv)
    try:
        return asyncio.run(watch(options, Console()))
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except NotConnected as error:
        _complain(
            f"{error}\nIs the platform running? Start it with `make run`, "
            "or name another hub with --url or BSE_WS_URL."
        )
    except (BseClientError, ValueError) as error:
        _complain(str(error))
    return EXIT_FAILED


def _complain(text: str) -> None:
    print(f"bse-watch: {text}", file=sys.stderr)


async def watch(options: argparse.Namespace, console: Console) -> int:
    """Watch as the options say, until it is over."""
    stream = QuoteStream(
        options.url,
        symbols=() if options.once else options.symbols,
        mode=options.mode,
        fields=options.fields.split(",") if options.fields else None,
        max_hz=options.max_hz,
        every=options.every,
        token=options.token,
        open_timeout_s=(options.seconds or OPEN_S) if options.once else 0,
    )
    board = Board(normal(options.symbols), RealTiming().now_ms())
    as_json = options.json or not console.is_terminal
    async with stream:
        if options.once:
            return await _once(stream, options, board, console, as_json=as_json)
        try:
            async with asyncio.timeout(options.seconds):
                await (
                    _lines(stream, console)
                    if as_json
                    else _live(stream, board, options.url, console)
                )
        except TimeoutError:
            return 0
    return 0


async def _once(
    stream: QuoteStream,
    options: argparse.Namespace,
    board: Board,
    console: Console,
    *,
    as_json: bool,
) -> int:
    answer = await stream.subscribe(options.symbols)
    try:
        async with asyncio.timeout(options.seconds or IMAGES_S):
            while len(stream.quotes) < len(answer.symbols) or not board.heartbeat:
                board.receive(await anext(stream), RealTiming().now_ms())
    except TimeoutError:
        pass  # a scrip without a quote: shown as unknown
    board.receive(SubscriptionChanged(answer.symbols, answer.rejected), 0)
    if as_json:
        lines = [quote_line(quote) for quote in stream.quotes.values()]
        lines += [rejected_line(item) for item in answer.rejected]
        print(*lines, sep="\n", file=console.file)
    else:
        console.print(_picture(stream, board, options.url, console))
    return EXIT_REJECTED if answer.rejected else 0


async def _lines(stream: QuoteStream, console: Console) -> None:
    async for event in stream:
        if line := line_of(event):
            print(line, file=console.file, flush=True)


async def _live(stream: QuoteStream, board: Board, url: str, console: Console) -> None:
    clock = RealTiming()
    next_paint_ms = clock.now_ms()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            wait_s = (next_paint_ms - clock.now_ms()) / 1000
            if event := await _next(stream, wait_s):
                board.receive(event, clock.now_ms())
            if clock.now_ms() >= next_paint_ms:
                live.update(_picture(stream, board, url, console), refresh=True)
                next_paint_ms = clock.now_ms() + PAINT_S * 1000


async def _next(stream: QuoteStream, wait_s: float) -> Event | None:
    try:
        async with asyncio.timeout(max(0.0, wait_s)):
            return await anext(stream)
    except TimeoutError:
        return None


def _picture(
    stream: QuoteStream, board: Board, url: str, console: Console
) -> RenderableType:
    now_ms = RealTiming().now_ms()
    return painted(board, stream.quotes, url=url, width=console.width, now_ms=now_ms)
