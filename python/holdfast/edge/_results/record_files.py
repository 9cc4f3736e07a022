"""Raw token records as files: JSONL to read, columns (npz) to compute."""

from __future__ import annotations

import io
import json
import struct
import tokenize
import zipfile
import zlib
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._files import write_whole
from holdfast.edge._measurement.records import Generation
from holdfast.edge._results.saved import checked, decoded_text, of_schema, part
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

SCHEMA = "holdfast.edge.records/1"
# What zipfile and numpy raise for archives that are not what they wrote.
_DAMAGE = (
    ValueError, KeyError, OSError, EOFError, NotImplementedError, MemoryError, SyntaxError,
    RecursionError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
_NUMBERS = ("host_ns", "ticks", "token_ids", "counts")


def _stem(path: str | PathLike[str]) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in {".jsonl", ".npz"} else path


def _either(path: str | PathLike[str]) -> Path:
    """The file itself, or the columns of a name without suffix."""
    path = Path(path)
    return path if path.suffix in {".jsonl", ".npz"} else Path(f"{path}.npz")


def save_records(
    records: Sequence[Generation],
    path: str | PathLike[str],
    *,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write `path`.jsonl, one request a line, and `path`.npz, one array a column.

    `about` says what was measured; it goes into the first line, and into the array `about`.

    In the arrays the records of all requests follow one another; `<column>_offsets` says
    where each request starts, and `requests` holds everything else as JSON.
    """
    import numpy as np

    stem = _stem(path)
    said = {} if about is None else {"about": dict(about)}
    lines = [json.dumps({"schema": SCHEMA, **said}, separators=(",", ":"), default=str)]
    lines += [json.dumps(asdict(one), separators=(",", ":")) for one in records]
    write_whole(f"{stem}.jsonl", ("\n".join(lines) + "\n").encode())
    table: dict[str, Any] = {"schema": np.array(SCHEMA)}
    for name in _NUMBERS:
        columns = [getattr(one, name) for one in records]
        ends = np.cumsum([0, *(len(column) for column in columns)], dtype=np.int64)
        table[f"{name}_offsets"] = ends
        table[name] = np.array([v for column in columns for v in column], dtype=np.int64)
    rest = [
        {name: value for name, value in asdict(one).items() if name not in _NUMBERS}
        for one in records
    ]
    table["requests"] = np.array(json.dumps(rest))
    table["about"] = np.array(json.dumps(dict(about or {}), default=str))
    content = io.BytesIO()
    np.savez_compressed(content, **table)
    write_whole(f"{stem}.npz", content.getvalue())


def _generation(content: Any, where: str) -> Generation:
    one = part(Generation, content, where)
    lengths = [len(column) for column in (one.host_ns, one.pieces, one.counts)]
    if len(set(lengths)) > 1 or len(one.ticks) > lengths[0]:
        raise InvalidDataError(
            f"{where}: host_ns, pieces and counts must have one length and ticks no greater "
            f"one, got {', '.join(map(str, lengths))} and {len(one.ticks)}"
        )
    return one


def _lines(path: Path) -> list[Any]:
    """Every line, the first being about the rest."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidDataError(
            f"it must be UTF-8 text, got the byte {error.object[error.start]:#04x}"
        ) from error
    said = []
    for number, line in enumerate(lines, 1):
        try:
            said.append(decoded_text(line))
        except InvalidDataError as error:
            raise InvalidDataError(f"line {number}: {error}") from error
    if not said or not isinstance(said[0], dict) or "schema" not in said[0]:
        raise InvalidDataError(f"the first line must name the schema {SCHEMA!r}")
    of_schema(said[0], SCHEMA)
    return said


def _columns(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Arrays of an npz, those that are there."""
    import numpy as np

    with path.open("rb") as file:
        # Anything else numpy would take for a pickle, and ask whether it is trusted.
        if not zipfile.is_zipfile(file):
            raise InvalidDataError("it must be a whole npz archive")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as table:
                found = {name: table[name] for name in ("schema", *names) if name in table}
        except _DAMAGE as error:
            raise InvalidDataError("its arrays cannot be read: it is damaged") from error
    if "schema" not in found:
        raise InvalidDataError(f"the array schema must be {SCHEMA!r}, and is missing")
    of_schema({"schema": str(found["schema"])}, SCHEMA)
    return found


def _array(table: dict[str, Any], name: str) -> Any:
    if name not in table:
        raise InvalidDataError(f"the array {name} is missing")
    return table[name]


def _whole_numbers(table: dict[str, Any], name: str) -> list[int]:
    found = _array(table, name)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise InvalidDataError(
            f"the array {name} must be one column of whole numbers, got {found.dtype} "
            f"of shape {found.shape}"
        )
    values: list[int] = found.tolist()
    return values


def _from_lines(path: Path) -> list[Generation]:
    return [
        _generation(line, f"line {number}") for number, line in enumerate(_lines(path)[1:], 2)
    ]


def _from_columns(path: Path) -> list[Generation]:
    pairs = [(name, f"{name}_offsets") for name in _NUMBERS]
    table = _columns(path, ["requests", *(name for pair in pairs for name in pair)])
    rest = checked(decoded_text(str(_array(table, "requests"))), "list[dict]", "requests")
    for name, offsets in pairs:
        values, ends = _whole_numbers(table, name), _whole_numbers(table, offsets)
        steps = [ends[:1], sorted(ends), ends[-1:]]
        if len(ends) != len(rest) + 1 or steps != [[0], ends, [len(values)]]:
            raise InvalidDataError(
                f"the array {offsets} must say where each of {len(rest)} requests begins and "
                f"the last ends, from 0 to {len(values)}"
            )
        for one, (start, end) in zip(rest, pairwise(ends), strict=True):
            one[name] = values[start:end]
    return [_generation(one, f"requests[{index}]") for index, one in enumerate(rest)]


def _told(path: Path, error: InvalidDataError) -> InvalidDataError:
    return InvalidDataError(f"{path} does not hold token records: {error}")


def load_about(path: str | PathLike[str]) -> dict[str, Any]:
    """What `save_records` was told about the run; empty when it was told nothing.

    Raises
    ------
    InvalidDataError
        When it is neither file, naming what is wrong with it.
    """
    path = _either(path)
    try:
        if path.suffix == ".npz":
            table = _columns(path, ["about"])
            said = decoded_text(str(table["about"])) if "about" in table else {}
        else:
            said = _lines(path)[0].get("about", {})
        return dict(checked(said, "dict", "about"))
    except InvalidDataError as error:
        raise _told(path, error) from error


def load_records(path: str | PathLike[str]) -> list[Generation]:
    """Read what `save_records` wrote, from either file.

    Raises
    ------
    InvalidDataError
        When it is neither, naming what is wrong with it.
    """
    path = _either(path)
    try:
        return _from_columns(path) if path.suffix == ".npz" else _from_lines(path)
    except InvalidDataError as error:
        raise _told(path, error) from error
