"""Read and replace files of freqtrade's data directory, all or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from freqtrade.data.history.datahandlers import get_datahandler
from freqtrade.enums import CandleType

from fractal_ops.data.errors import DataError

FORMAT = "feather"


class Store:
    """Candles of a data directory, through freqtrade's own data handler.

    Parameters
    ----------
    datadir : Path
        Such as ``user_data/data/hyperliquid``; made where absent.

    Notes
    -----
    `put` writes beside the old files; `commit` moves everything over them, one atomic
    rename a file. What is not committed leaves no trace.
    """

    def __init__(self, datadir: Path, staging: Path) -> None:
        self._datadir = datadir
        self._staging = staging
        self._handler = get_datahandler(datadir, FORMAT)
        self._staged = get_datahandler(staging, FORMAT)

    def load(self, pair: str, timeframe: str, kind: CandleType) -> pd.DataFrame:
        """Return what is stored, without gaps filled; empty if there is nothing."""
        frame: pd.DataFrame = self._handler.ohlcv_load(
            pair,
            timeframe,
            candle_type=kind,
            fill_missing=False,
            drop_incomplete=False,
            warn_no_data=False,
        )
        if frame.empty and self.path(pair, timeframe, kind).exists():
            msg = (
                f"{self.path(pair, timeframe, kind)} cannot be read: remove it, or replace it "
                "with --fresh"
            )
            raise DataError(msg)
        return frame

    def path(self, pair: str, timeframe: str, kind: CandleType) -> Path:
        """Return the file that holds a pair's candles."""
        # freqtrade offers no public way to this name; a contract test holds the seam.
        path: Path = self._handler._pair_data_filename(self._datadir, pair, timeframe, kind)
        return path

    def put(self, pair: str, timeframe: str, kind: CandleType, frame: pd.DataFrame) -> None:
        """Stage a file's new content."""
        self._staged.ohlcv_store(pair, timeframe, frame, kind)

    def commit(self) -> None:
        """Move all staged files into the data directory."""
        for source in sorted(self._staging.rglob(f"*.{FORMAT}")):
            target = self._datadir / source.relative_to(self._staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)


@contextmanager
def open_store(datadir: Path) -> Iterator[Store]:
    """Open a data directory for an update.

    Raises
    ------
    DataError
        If the directory cannot be made or written to.
    """
    try:
        datadir.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".incoming-", dir=datadir))
    except OSError as error:
        msg = f"--datadir {datadir} cannot be written ({error.strerror}): choose another"
        raise DataError(msg) from error
    try:
        yield Store(datadir, staging)
    except OSError as error:
        msg = f"writing below {datadir} failed ({error}): free space or fix its permissions"
        raise DataError(msg) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
