"""Saved models: a zip of `.npy` arrays and one JSON page, no pickle.

`holdfast.json` names the format, its version, the library's version, the parameters, the
settings and the SHA-256 of every array; the comment of the archive holds that of the page.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FORMAT = "holdfast-clusterer"
_VERSION = 2  # 2: features relative to the length of a series
_PAGE = "holdfast.json"


def write(
    path: str | os.PathLike[str],
    page: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write `page` and `arrays` to `path`: all of it or nothing."""
    target = Path(os.path.realpath(path))  # a link stays one
    if target.is_dir():
        raise IsADirectoryError(f"path must be a file, got the directory {target}")
    bodies = {name: _npy(array) for name, array in arrays.items()}
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
    content = {"format": _FORMAT, "version": _VERSION, **page, "sha256": digests}
    text = json.dumps(content, allow_nan=False).encode()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        # Unlike a file of `tempfile`, it has the permissions that the user's files have.
        with temporary.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.comment = hashlib.sha256(text).hexdigest().encode()
                archive.writestr(_PAGE, text)
                for name, body in bodies.items():
                    archive.writestr(f"{name}.npy", body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def read(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the page and the arrays saved at `path`.

    Raises
    ------
    InvalidDataError
        If the file is no saved clusterer, damaged, or of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(_PAGE)
            if hashlib.sha256(text).hexdigest().encode() != archive.comment:
                raise InvalidDataError(f"{path} is damaged: {_PAGE} was changed")
            page = json.loads(text)
            kind = page.get("format") if isinstance(page, dict) else None
            if kind != _FORMAT:
                raise InvalidDataError(f"{path} must hold a {_FORMAT!r}, got {kind!r}")
            if not isinstance(page["version"], int) or page["version"] > _VERSION:
                raise InvalidDataError(
                    f"{path} has format version {page['version']!r}, this release reads "
                    f"up to {_VERSION}"
                )
            arrays = {}
            for name, digest in page["sha256"].items():
                body = archive.read(f"{name}.npy")
                if hashlib.sha256(body).hexdigest() != digest:
                    raise InvalidDataError(f"{path} is damaged: {name} was changed")
                arrays[name] = np.load(io.BytesIO(body), allow_pickle=False)
            return page, arrays
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        if isinstance(error, InvalidDataError):
            raise
        raise InvalidDataError(
            f"{path} is not a saved clusterer, or damaged: {error}"
        ) from error
    except (NotImplementedError, RuntimeError) as error:  # other zip features
        raise InvalidDataError(f"{path} is damaged: {error}") from error


def _npy(array: NDArray[Any]) -> bytes:
    body = io.BytesIO()
    np.lib.format.write_array(body, np.ascontiguousarray(array), allow_pickle=False)
    return body.getvalue()


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
