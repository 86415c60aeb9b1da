"""Writes contracts/wire_vectors.json from the golden messages and stories of bse_client.testing.

Run it after a change of the protocol: `python clients/python/tests/make_vectors.py`.
"""

import json
from dataclasses import asdict
from pathlib import Path

from bse_client.digest import digest
from bse_client.messages import Image, Message, Qualities, Update
from bse_client.testing.encoding import TYPES, rare, to_json, to_msgpack
from bse_client.testing.golden_messages import (
    CLOSES,
    COMMANDS,
    DIGESTS,
    MALFORMED_JSON,
    MALFORMED_MSGPACK,
    MESSAGES,
    PASSED_OVER,
    SYMBOLS,
)
from bse_client.testing.golden_stories import STORIES
from bse_client.wire import encode


FILE = Path(__file__).parents[3] / "contracts" / "wire_vectors.json"
ABOUT = (
    "Golden messages and laws of the stream protocol (docs/protocol.md), for the tests of hub and "
    "clients. Meanings carry paise, and names of the protocol; a field that is not there is unknown. "
    "Written by clients/python/tests/make_vectors.py."
)


def _meaning(message: Message) -> dict[str, object]:
    if not isinstance(message, Image | Update | Qualities):
        return rare(message)
    meaning = asdict(message)
    if meaning.get("published_at_ms", 0) is None:
        del meaning["published_at_ms"]
    for quote in meaning["quotes"]:
        if isinstance(message, Update):
            quote["from"] = quote.pop("from_sequence")
            quote["to"] = quote.pop("to_sequence")
    return {"type": TYPES[type(message)]} | meaning


def _command(name: str, command: dict[str, object]) -> dict[str, object]:
    packed = _hex(encode(command, "msgpack"))
    text = encode(command, "json")
    return {"name": name, "json": text, "msgpack": packed, "meaning": command}


def _hex(frame: str | bytes) -> str:
    return frame.hex() if isinstance(frame, bytes) else frame


def vectors() -> str:
    """The text of the file."""
    content = {
        "protocol": 1,
        "about": ABOUT,
        "messages": [
            {"name": name, "json": to_json(message, SYMBOLS), "msgpack": to_msgpack(message).hex(),
             "meaning": _meaning(message)}
            for name, message in MESSAGES.items()
        ],
        "commands": [_command(*item) for item in COMMANDS.items()],
        "malformed_json": MALFORMED_JSON,
        "malformed_msgpack": MALFORMED_MSGPACK,
        "passed_over": PASSED_OVER,
        "digests_about": "positions: [code, epoch as text, sequence] of each scrip of the set.",
        "digests": [
            {"name": name, "digest": digest(positions),
             "positions": [[code, str(epoch), sequence] for code, epoch, sequence in positions]}
            for name, positions in DIGESTS.items()
        ],
        "closes_about": (
            "The end of a connection: its code (null: none came), and the goodbye before it, if any. "
            "after_ms: wait exactly so long; without it, backoff with full jitter."
        ),
        "closes": CLOSES,
        "stories_about": (
            "at_ms is the client's monotonic clock. then: members of the quote shown at that moment; "
            "ask_images: codes to subscribe to again, if given; absent: codes that show no quote; lost: the "
            "connection ends; positions: what to resume from, asked: the command that the message answers; "
            "rows: [sequence, last_paise] of each change told by itself; lost_changes: [code, from, to] told; "
            "mismatches: wrong digests so far."
        ),
        "stories": [{"name": name, "steps": steps} for name, steps in STORIES.items()],
    }  # fmt: skip
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors(), encoding="utf-8")
