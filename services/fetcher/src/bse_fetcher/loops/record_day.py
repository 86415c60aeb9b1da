"""Writes what this fetcher publishes to a file a day, in chunks every few seconds (edge: the file system)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bse_fetcher.core import Core
from bse_shared.quotes.candles import IST_OFFSET_MS
from bse_shared.quotes.shard_writer import Plan
from bse_shared.wire.bus import MalformedMessage, pack_frame, pack_image
from bse_shared.wire.instruments import pack_instruments
from bse_shared.wire.recording import MAGIC, Entry, EntryKind, pack_chunk, whole_bytes


log = structlog.get_logger()

WAITING_MAX = 20_000
"""Entries that wait for the disk; beyond it recording stops and begins anew, for a hole would play falsely."""


@dataclass(slots=True)
class Recorder:
    """Records the shards that this fetcher writes. Each file begins with what was held then."""

    core: Core
    folder: Path
    _waiting: list[Entry] = field(default_factory=list)
    _epochs: dict[int, int] = field(default_factory=dict)
    _master_version: int = -1
    _path: Path | None = None
    _end: int | None = None
    """Where the next chunk begins; None where the file must be looked at: another process may have written it."""
    _failed: bool = False

    def took(self, plan: Plan) -> None:
        """A plan was committed."""
        if len(self._waiting) >= WAITING_MAX:
            log.warning("fetcher.recording_lost", entries=len(self._waiting))
            self._waiting.clear()
            self._epochs.clear()
        shard, epoch = plan.frame.shard, plan.frame.position.epoch
        if self._epochs.get(shard) != epoch:
            # What the frame builds on. The writer already holds the plan, so the frame itself says nothing new.
            self._epochs[shard] = epoch
            images = self.core.terms.writers[shard].images
            self._waiting += (
                Entry(EntryKind.IMAGE, pack_image(code, image))
                for code, image in images.items()
            )
        self._waiting.append(Entry(EntryKind.FRAME, pack_frame(plan.frame)))

    async def step(self) -> None:
        """Write what waits."""
        today = self._page()
        if self._path is None:
            self._path = today
        if self._waiting:
            await self._write_waiting(self._path)
        if today != self._path:
            self._path = today
            self._begin_anew()

    async def _write_waiting(self, path: Path) -> None:
        entries, self._waiting = [*self._master(), *self._waiting], []
        try:
            self._end = await asyncio.to_thread(_append, path, self._end, entries)
        except (OSError, MalformedMessage) as error:
            # A full disk must not stop the market; the next chunk begins with what is held then.
            self._begin_anew()
            log.warning("fetcher.recording_failed", path=str(path), error=str(error))
            self._failed = True
            return
        if self._failed:
            log.info("fetcher.recording_again", path=str(path))
        self._failed = False

    def _begin_anew(self) -> None:
        self._epochs.clear()
        self._master_version, self._end = -1, None

    def _page(self) -> Path:
        at = datetime.fromtimestamp(
            (self.core.clock.wall_ms() + IST_OFFSET_MS) / 1000, UTC
        )
        return self.folder / f"{at.date().isoformat()}-{self.core.holder}.bserec"

    def _master(self) -> list[Entry]:
        master = self.core.instruments.master
        if master.version == self._master_version:
            return []
        self._master_version = master.version
        rows = pack_instruments(master.by_code.values())
        return [Entry(EntryKind.INSTRUMENTS, rows)]


def _append(path: Path, end: int | None, entries: Sequence[Entry]) -> int:
    """Add a chunk behind the last whole one (at `end`, None: unknown), for half a chunk would make all that
    follows unreadable; the new end. Raises OSError, and MalformedMessage where the file is no recording.
    """
    chunk = pack_chunk(entries)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with path.open("r+b", buffering=0) as file:
        at = whole_bytes(file) if end is None else end
        file.truncate(at)
        file.seek(at)
        rest = memoryview(chunk if at else MAGIC + chunk)
        while rest:
            rest = rest[file.write(rest) :]
        return file.tell()
