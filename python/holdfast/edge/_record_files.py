"""Raw token records as files: JSONL to read, columns (npz) to compute."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._records import Generation
from holdfast.edge._results_io import write_whole
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

SCHEMA = "holdfast.edge.records/1"
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


def _generation(values: dict[str, Any]) -> Generation:
    known = {one.name for one in fields(Generation)}
    return Generation(**{name: value for name, value in values.items() if name in known})


def _from_lines(path: Path) -> list[Generation]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or json.loads(lines[0]).get("schema") != SCHEMA:
        raise ValueError("the first line does not name the schema")
    return [_generation(json.loads(line)) for line in lines[1:]]


def _from_columns(path: Path) -> list[Generation]:
    import numpy as np

    with path.open("rb") as file, np.load(file, allow_pickle=False) as table:
        if str(table["schema"]) != SCHEMA:
            raise ValueError("it does not name the schema")
        rest = json.loads(str(table["requests"]))
        for name in _NUMBERS:
            values, ends = table[name].tolist(), table[f"{name}_offsets"].tolist()
            for index, one in enumerate(rest):
                one[name] = values[ends[index] : ends[index + 1]]
    return [_generation(one) for one in rest]


def load_about(path: str | PathLike[str]) -> dict[str, Any]:
    """What `save_records` was told about the run; empty when it was told nothing.

    Raises
    ------
    InvalidDataError
        When it is neither file.
    """
    import numpy as np

    path = _either(path)
    try:
        if path.suffix == ".npz":
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as table:
                said = json.loads(str(table["about"])) if "about" in table else {}
        else:
            with path.open(encoding="utf-8") as file:
                said = json.loads(next(file, "{}")).get("about", {})
    except (KeyError, TypeError, AttributeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidDataError(f"{path} does not hold token records: {error}") from error
    return dict(said)


def load_records(path: str | PathLike[str]) -> list[Generation]:
    """Read what `save_records` wrote, from either file.

    Raises
    ------
    InvalidDataError
        When it is neither.
    """
    path = _either(path)
    try:
        return _from_columns(path) if path.suffix == ".npz" else _from_lines(path)
    except (KeyError, TypeError, AttributeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidDataError(f"{path} does not hold token records: {error}") from error
