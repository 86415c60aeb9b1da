"""Writes contracts/wire_vectors.json from the golden messages and stories of bse_client.testing.

Run it after a change of the protocol: `python clients/python/tests/make_vectors.py`.
"""

import json
from dataclasses import asdict
from pathlib import Path

from bse_client.messages import Message, Update
from bse_client.testing.encoding import TYPES, to_json, to_msgpack
from bse_client.testing.golden_messages import (
    COMMANDS,
    MALFORMED_JSON,
    MALFORMED_MSGPACK,
    MESSAGES,
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
    meaning = asdict(message)
    for quote in meaning.get("quotes", ()):
        if isinstance(message, Update):
            quote["from"] = quote.pop("from_sequence")
            quote["to"] = quote.pop("to_sequence")
    return {"type": TYPES[type(message)]} | meaning


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
        "commands": [
            {"name": name, "json": encode(command, "json"),
             "msgpack": _hex(encode(command, "msgpack")), "meaning": command}
            for name, command in COMMANDS.items()
        ],
        "malformed_json": MALFORMED_JSON,
        "malformed_msgpack": MALFORMED_MSGPACK,
        "stories_about": (
            "at_ms is the client's monotonic clock. then: members of the quote shown at that moment; "
            "ask_images: codes to subscribe to again, if given; absent: codes that show no quote."
        ),
        "stories": [{"name": name, "steps": steps} for name, steps in STORIES.items()],
    }  # fmt: skip
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors(), encoding="utf-8")
