"""Made-up whole-market answers of the exchange, in its shape, in which every row differs from the last."""

import json
import random


def market_bodies(rows: int, count: int, seed: int = 1) -> list[bytes]:
    """`count` answers of `rows` scrips; price, volume, turnover, trades and time change in each row of each."""
    rng = random.Random(seed)  # noqa: S311 - made-up prices
    closes = [round(rng.uniform(5, 4000), 2) for _ in range(rows)]
    return [
        json.dumps(
            {"Table": [_row(i, closes[i], step, rng) for i in range(rows)]},
            separators=(",", ":"),
        ).encode()
        for step in range(count)
    ]


def _row(i: int, close: float, step: int, rng: random.Random) -> dict[str, object]:
    last = round(close * (1 + 0.0005 * (step + 1) + rng.uniform(0, 0.0002)), 2)
    volume = 1000 + 37 * step + i
    return {
        "scrip_cd": 500_000 + i,
        "scripname": f"SCRIP{i}",
        "LONG_NAME": f"Scrip Number {i} Ltd",
        "scrip_grp": "A" if i < 700 else "B",  # noqa: PLR2004 - group sizes
        "openrate": close,
        "highrate": round(max(close, last) * 1.01, 2),
        "lowrate": round(close * 0.99, 2),
        "ltradert": last,
        "prevdayclose": close,
        "change_val": round(last - close, 2),
        "change_percent": round((last / close - 1) * 100, 2),
        "index_code": "|BSE 500|,|BSE SmallCap|",
        "trd_val": round(volume * last / 100_000, 2),
        "trd_vol": volume,
        "nooftrd": 50 + step,
        "trend": "",
        "dt_tm": f"2026-11-23T{10 + step // 3600:02d}:{step // 60 % 60:02d}:{step % 60:02d}",
        "RN": i + 1,
        "PRIORITY_FLAG": 0,
        "URL": f"https://www.bseindia.com/stock-share-price/scrip-{i}/{500_000 + i}/",
        "NSUrl": f"https://www.bseindia.com/stock-share-price/scrip-{i}/scrip{i}/{500_000 + i}/",
    }
