"""How reasons are worded: spans of time for people, and limits on words that came from elsewhere."""

REASON_CHARACTERS_MAX = 200
REASONS_MAX = 10

_SECOND_MS = 1000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS


def span(milliseconds: float) -> str:
    """A span of time as people say it: `1.2 s`, `5 min`, `26 h`."""
    length = abs(milliseconds)
    if length < _MINUTE_MS:
        return f"{length / _SECOND_MS:.1f} s"
    if length < _HOUR_MS:
        return f"{length / _MINUTE_MS:.0f} min"
    return f"{length / _HOUR_MS:.0f} h"


def clip(text: str, characters_max: int = REASON_CHARACTERS_MAX) -> str:
    """Foreign words on one line and of bounded length."""
    line = "".join(c if c.isprintable() else " " for c in text[: 2 * characters_max])
    line = " ".join(line.split())
    if len(line) <= characters_max:
        return line
    return line[: characters_max - 1] + "…"


def clip_all(texts: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Foreign reasons, each clipped, the empty ones dropped, and not too many of them."""
    clipped = [clip(text) for text in texts[:REASONS_MAX]]
    return tuple(text for text in clipped if text)


def listed(numbers: list[int]) -> str:
    """`shard 2`, or `shards 2, 5 and 7`."""
    if len(numbers) == 1:
        return f"shard {numbers[0]}"
    head = ", ".join(str(number) for number in numbers[:-1])
    return f"shards {head} and {numbers[-1]}"
