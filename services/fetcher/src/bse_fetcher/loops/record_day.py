"""Writes what this fetcher publishes to a file a day, in chunks every few seconds (edge: the file system)."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from bse_fetcher.core import Core
from bse_shared.quotes.candles import day_start_ms
from bse_shared.quotes.shard_writer import Plan
from bse_shared.wire.bus import pack_frame, pack_image
from bse_shared.wire.instruments import pack_instruments
from bse_shared.wire.recording import MAGIC, Entry, EntryKind, pack_chunk


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
            entries, self._waiting = [*self._master(), *self._waiting], []
            try:
                await asyncio.to_thread(self._write, entries, self._path)
            except OSError as error:
                # A full disk must not stop the market; the next chunk begins with what is held then.
                self._epochs.clear()
                log.warning("fetcher.recording_failed", error=str(error))
        if today != self._path:
            self._path, self._master_version = today, -1
            self._epochs.clear()

    def _page(self) -> Path:
        day_ms = day_start_ms(self.core.clock.wall_ms())
        return self.folder / f"{day_ms}-{self.core.holder}.bserec"

    def _master(self) -> list[Entry]:
        master = self.core.instruments.master
        if master.version == self._master_version:
            return []
        self._master_version = master.version
        rows = pack_instruments(master.by_code.values())
        return [Entry(EntryKind.INSTRUMENTS, rows)]

    def _write(self, entries: list[Entry], path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if file.tell() == 0:
                file.write(MAGIC)
            file.write(pack_chunk(entries))
