"""A real trading day through every door: each row equal to the file, none missing."""

import asyncio
import csv
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import msgpack
import pytest


DATA = Path(
    os.environ.get("BSE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")
)
LEGACY = "bhavcopy_legacy/BSE_EQ_28JUN2024.csv"
UDIFF = "bhavcopy_udiff/DERIVED_udiff_shape_from_28JUN2024.csv"
SPEED = "2500"
"""The day of 6 h 15 min plays in 9 s."""

FIELDS = ("open", "high", "low", "last", "previous_close", "volume", "trades")


def paise(text):
    """A price of the file in paise; 0.00 and nothing mean none."""
    return int(Decimal(text or "0") * 100) or None


def legacy_row(row):
    """What the legacy format says of a scrip."""
    return int(row["SC_CODE"]), (
        *(paise(row[name]) for name in ("OPEN", "HIGH", "LOW", "LAST", "PREVCLOSE")),
        int(row["NO_OF_SHRS"]),
        int(row["NO_TRADES"]),
    )


def udiff_row(row):
    """What UDiFF says; debt may lack a last price, then the close is the last."""
    last = row["LastPric"] or row["ClsPric"]
    return int(row["FinInstrmId"]), (
        *(paise(row[name]) for name in ("OpnPric", "HghPric", "LwPric")),
        paise(last),
        paise(row["PrvsClsgPric"]),
        int(row["TtlTradgVol"]),
        int(row["TtlNbOfTxsExctd"]),
    )


def expected_day(path):
    """Scrip code to the day's figures, by the file alone."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    read = legacy_row if "SC_CODE" in rows[0] else udiff_row
    return dict(read(row) for row in rows)


def from_json(quote):
    """A quote of a JSON door in the same figures."""
    prices = (quote[name] for name in FIELDS[:5])
    return (
        *(
            None if price is None else int(Decimal(str(price)) * 100)
            for price in prices
        ),
        quote["volume"],
        quote["trades"],
    )


NUMBERS = (1, 2, 3, 0, 4, 5, 7)


async def rest_quotes(product, codes):
    """Everything by `GET /api/stocks/batch`."""
    found = {}
    for start in range(0, len(codes), 500):
        part = ",".join(map(str, codes[start : start + 500]))
        answer = await product.get("gateway", f"/api/stocks/batch?symbols={part}")
        assert [] == answer["errors"]
        found |= {quote["code"]: from_json(quote) for quote in answer["quotes"]}
    return found


async def service_token(product):
    """An access token of a service, which alone may have the whole market."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bse_gateway.admin_key", "create"),
        *("--role", "service", "--name", "e2e"),
        env={
            **os.environ,
            "REDIS_URL": f"redis://127.0.0.1:{product.ports['redis']}/0",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    key, _ = await process.communicate()
    url = product.url("gateway", "/api/auth/token")
    headers = {"X-API-Key": key.decode().strip()}
    async with product.http.post(url, headers=headers) as answer:
        return (await answer.json())["access_token"]


async def raw_quotes(product, codes, token):
    """Everything by a raw MessagePack WebSocket."""
    found = {}
    async with product.http.ws_connect(
        product.url("ws-hub", "/ws", "ws"),
        protocols=["bse.v1.msgpack"],
        headers={"Authorization": f"Bearer {token}"},
        max_msg_size=0,
    ) as ws:
        for start in range(0, len(codes), 500):
            part = [str(code) for code in codes[start : start + 500]]
            await ws.send_bytes(msgpack.packb({"op": "subscribe", "symbols": part}))
        while len(found) < len(codes):
            message = msgpack.unpackb(
                (await ws.receive(timeout=10)).data, strict_map_key=False
            )
            if isinstance(message, list) and message[0] == 1:
                for code, *_, fields in message[3]:
                    found[code] = tuple(fields[number] for number in NUMBERS)
    return found


async def socketio_quotes(
    product, node, codes, tmp_path, token, transports="websocket"
):
    """Everything by the official Socket.IO client, with the token in its `auth`."""
    file = tmp_path / "symbols.json"
    file.write_text(json.dumps([str(code) for code in codes]))
    process = await asyncio.create_subprocess_exec(
        *node,
        product.url("ws-hub"),
        "quote",
        transports,
        str(file),
        str(len(codes)),
        token,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    events = [json.loads(line, parse_float=Decimal) for line in out.splitlines()]
    assert 0 == process.returncode, events[:5]
    (held,) = (event["data"] for event in events if event["event"] == "held")
    (transport,) = (event["data"] for event in events if event["event"] == "transport")
    return {quote["code"]: from_json(quote) for quote in held}, transport


def day_file(name):
    """A file of the real data, or a named skip."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no real market data at {path} (set BSE_TEST_DATA)")
    return path


async def the_day_is_over(product):
    """The exchange has played its day, and the fetcher has asked since."""
    await product.until(
        "the end of the day",
        lambda: _field(product, "exchange-sim", "/admin/state", "finished"),
    )
    before = (await product.get("gateway", "/api/market/status"))["server_time_ms"]

    async def asked_again():
        quote = await product.get("gateway", "/api/stock/500325")
        return quote["confirmed_at_ms"] > before + 3000

    await product.until("a poll after the end", asked_again)


async def _field(product, name, path, field):
    return (await product.get(name, path))[field]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [LEGACY, UDIFF])
async def test_every_row_of_a_real_day_arrives_at_every_door(
    name, start_product, node, tmp_path
):
    """REST, raw WebSocket and Socket.IO all end the day with exactly the figures of the file."""
    path = day_file(name)
    day = expected_day(path)
    codes = sorted(day)
    async with start_product(SPEED=SPEED, BHAVCOPY=str(path)) as product:
        await the_day_is_over(product)
        rest = await rest_quotes(product, codes)
        token = await service_token(product)
        raw = await raw_quotes(product, codes, token)
        socketio, _ = await socketio_quotes(product, node, codes, tmp_path, token)

    assert day == rest
    assert day == raw
    assert day == socketio


@pytest.mark.timeout(120)
async def test_the_built_in_day_is_the_same_at_every_door(
    start_product, node, tmp_path
):
    """Without a file: all doors agree on all scrips, and each figure is the exchange's own."""
    async with start_product(SPEED=SPEED) as product:
        await the_day_is_over(product)
        url = "/BseIndiaAPI/api/GetMktData/w?ordcol=TT&strType=AllMkt&strfilter=All"
        headers = {
            "User-Agent": "e2e/1.0",
            "Referer": "https://www.bseindia.com/",
            "Accept-Language": "en",
        }
        async with product.http.get(
            product.url("exchange-sim", url), headers=headers
        ) as answer:
            table = json.loads(await answer.text(), parse_float=Decimal)["Table"]
        day = {
            row["scrip_cd"]: (
                *(
                    int(Decimal(str(row[name])) * 100) or None
                    for name in (
                        "openrate",
                        "highrate",
                        "lowrate",
                        "ltradert",
                        "prevdayclose",
                    )
                ),
                row["trd_vol"],
                row["nooftrd"],
            )
            for row in table
        }
        codes = sorted(day)
        rest = await rest_quotes(product, codes)
        token = await service_token(product)
        raw = await raw_quotes(product, codes, token)
        socketio, transport = await socketio_quotes(
            product, node, codes, tmp_path, token, "polling,websocket"
        )

    assert 4300 <= len(day)
    assert day == rest
    assert day == raw
    assert day == socketio
    assert "websocket" == transport
