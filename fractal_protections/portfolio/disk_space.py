"""Room for what an entry has to write down: a bot that can not, ends with the order sent."""

import shutil
from pathlib import Path

from sqlalchemy import make_url

LEAST_BYTES = 1 << 20
"""Far more than the pages that one entry writes."""


def check_room(db_url: str) -> None:
    """Look whether a bot's database can grow.

    Parameters
    ----------
    db_url
        freqtrade's; only a SQLite file is looked at.

    Raises
    ------
    OSError
        Its disk is full, or its folder is gone.
    """
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    folder = Path(url.database).resolve().parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_BYTES:
        raise OSError(
            f"the disk of {url.database} is full ({free // 1024} kB are left), so an entry could "
            "not be recorded: free some space"
        )
