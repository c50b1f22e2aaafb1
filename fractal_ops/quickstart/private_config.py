"""The bot's login: written once, private from its first moment, never overwritten."""

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

import rapidjson

from fractal_ops.quickstart.errors import QuickstartError

# freqtrade's own dialect: what it accepts in a config, we accept.
_DIALECT = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS
_MIN_JWT_CHARACTERS = 32  # freqtrade's schema refuses less
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def ensure_private_config(path: Path) -> str:
    """Make sure that the private config exists, is private and is usable.

    Parameters
    ----------
    path : Path
        `user_data/config.private.json`; its directory exists.

    Returns
    -------
    str
        What was done, for the user; never contains a secret.

    Raises
    ------
    QuickstartError
        The file cannot be written; or the existing one is not JSON, lacks a key, or its
        permissions cannot be changed, and is left as it was.
    """
    if _create(path):
        return "wrote a new login (mode 0600)"
    done = "kept your login"
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        try:
            path.chmod(mode & ~_OTHERS)
        except PermissionError as error:
            raise QuickstartError(
                f"{path} is readable by others (mode {mode:04o}) and belongs to someone else",
                "run as its owner, or move it away to get a new login",
            ) from error
        done = f"kept your login, and took away others' access to it (mode was {mode:04o})"
    _check(path)
    return done


def _create(path: Path) -> bool:
    """Write a new login unless the file exists; True when written."""
    if path.exists() or path.is_symlink():
        return False
    content = {
        "api_server": {
            "password": secrets.token_urlsafe(24),
            "jwt_secret_key": secrets.token_urlsafe(48),
        }
    }
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=4) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails when the name is taken, where a rename would overwrite.
        path.hardlink_to(part)
    except FileExistsError:
        return False
    except OSError as error:
        raise QuickstartError(
            f"cannot write {path} ({error.strerror})",
            "free disk space, or give yourself write permission there",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return True


def _check(path: Path) -> None:
    """Raise unless freqtrade would start with this file."""
    remedy = "correct it, or move it away and a new login is written"
    try:
        content: Any = rapidjson.loads(path.read_text("utf-8"), parse_mode=_DIALECT)
    except (ValueError, OSError) as error:
        # The text of the file must not reach the screen: only the position does.
        reason = error if isinstance(error, rapidjson.JSONDecodeError) else type(error).__name__
        raise QuickstartError(f"{path} cannot be read as JSON ({reason})", remedy) from error
    server = content.get("api_server") if isinstance(content, dict) else None
    login: dict[str, Any] = server if isinstance(server, dict) else {}
    for key, least in (("password", 1), ("jwt_secret_key", _MIN_JWT_CHARACTERS)):
        value = login.get(key)
        if not isinstance(value, str) or len(value) < least:
            raise QuickstartError(
                f"{path} lacks api_server.{key} (a text of at least {least} characters)", remedy
            )
