"""Which identifiers, paths, ports and addresses are accepted, and names made harmless."""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.compat.tiny_llm_profiler._errors import (
    InputValidationError,
    SecurityError,
    UnsafePathError,
)
from holdfast.edge._links.serial import check_port
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ROOTS = ("/tmp", "/home", "/opt", "/usr/local")  # noqa: S108 (where models may lie)
_CHUNK = 1 << 20
_LONGEST_NAME = 255
_HIGHEST_PORT = 65_535


class SecurityValidator:
    """Checks of what comes from outside; each returns what it was given, or refuses it."""

    ALLOWED_MODEL_EXTENSIONS: ClassVar[set[str]] = {
        ".gguf", ".ggml", ".bin", ".safetensors", ".pt", ".pth",
    }  # fmt: skip
    IDENTIFIER_PATTERN: ClassVar[re.Pattern[str]] = re.compile(r"\A[A-Za-z0-9_.-]{1,64}\Z")
    MAX_MODEL_SIZE: ClassVar[int] = 100 * 1024 * 1024

    @classmethod
    def validate_identifier(cls, identifier: str, name: str = "identifier") -> str:
        """1 to 64 letters, digits, `_`, `-` and single dots inside.

        Raises
        ------
        InputValidationError
        """
        fits = isinstance(identifier, str) and cls.IDENTIFIER_PATTERN.match(identifier)
        if not fits or ".." in identifier or identifier[0] == "." or identifier[-1] == ".":
            rule = "must be 1 to 64 of A-Z a-z 0-9 _ . -, dots inside and single"
            raise InputValidationError(name, identifier, rule)
        return identifier

    @classmethod
    def validate_file_path(
        cls,
        file_path: str | Path,
        allowed_extensions: Collection[str] | None = None,
        base_directory: str | Path | None = None,
        max_size: int | None = None,
        must_exist: bool = False,  # noqa: FBT001, FBT002 (as scripts pass it)
    ) -> Path | str:
        """A path that stays where it should.

        Parameters
        ----------
        allowed_extensions : collection of str, optional
            In either case.
        base_directory : path, optional
            Without it an absolute path must lie in the working or the temporary folder,
            `/tmp`, `/home`, `/opt` or `/usr/local`. Links are followed before looking.
        max_size : int, optional
            Bytes.
        must_exist : bool

        Returns
        -------
        Path or str
            Resolved; a bare str comes back as it is.

        Raises
        ------
        UnsafePathError, InputValidationError
        """
        if not isinstance(file_path, (str, Path)) or not str(file_path):
            raise InputValidationError("file_path", file_path, "must be a path")
        text = str(file_path)
        if "\0" in text:
            raise UnsafePathError(text, "holds a NUL")
        if ".." in re.split(r"[/\\]", text):
            raise UnsafePathError(text, "climbs by ..")
        roots = [base_directory] if base_directory is not None else _roots()
        base = Path(base_directory) if base_directory is not None else Path.cwd()
        resolved = (base / file_path).resolve()
        if not any(resolved.is_relative_to(Path(root).resolve()) for root in roots):
            raise UnsafePathError(text, f"leads to {resolved}, outside the allowed folders")
        if allowed_extensions is not None:
            allowed = {one.lower() for one in allowed_extensions}
            if resolved.suffix.lower() not in allowed:
                rule = f"must end with one of {', '.join(sorted(allowed))}"
                raise InputValidationError("file_path", text, rule)
        if must_exist and not resolved.exists():
            raise InputValidationError("file_path", text, "must exist")
        if max_size is not None and resolved.is_file() and resolved.stat().st_size > max_size:
            raise InputValidationError("file_path", text, f"must have at most {max_size} bytes")
        constrained = allowed_extensions or base_directory or max_size or must_exist
        return resolved if constrained or isinstance(file_path, Path) else file_path

    @classmethod
    def validate_model_file(cls, file_path: str | Path) -> str | Path:
        """A file that exists, is not too large and ends as models do.

        Raises
        ------
        InputValidationError
        """
        path = Path(file_path)
        if not path.is_file():
            raise InputValidationError("model file", str(path), "must exist")
        size = path.stat().st_size
        if size > cls.MAX_MODEL_SIZE:
            rule = f"must have at most {cls.MAX_MODEL_SIZE} bytes, has {size}"
            raise InputValidationError("model file", str(path), rule)
        if path.suffix.lower() not in cls.ALLOWED_MODEL_EXTENSIONS:
            rule = f"must end with one of {', '.join(sorted(cls.ALLOWED_MODEL_EXTENSIONS))}"
            raise InputValidationError("model file", str(path), rule)
        return file_path

    @classmethod
    def validate_device_path(cls, device_path: str) -> str:
        """A serial port, a socket below `/tmp`, COM1 to COM256, or `local`.

        Raises
        ------
        InputValidationError
        """
        known = isinstance(device_path, str) and (
            device_path == "local"
            or re.fullmatch(r"COM([1-9]\d?|1\d\d|2[0-4]\d|25[0-6])", device_path)
        )
        if not known:
            try:
                check_port(device_path)
            except (InvalidParameterError, TypeError) as error:
                rule = "must be a serial port such as /dev/ttyUSB0"
                raise InputValidationError("device_path", device_path, rule) from error
        return device_path

    @classmethod
    def validate_network_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """`host` of letters, digits, dots and hyphens, `port` from 1 to 65535.

        Raises
        ------
        InputValidationError
        """
        host, port = config.get("host"), config.get("port")
        if not isinstance(host, str) or not re.fullmatch(r"[A-Za-z0-9.-]+", host):
            raise InputValidationError("host", host, "must be of A-Z a-z 0-9 . -")
        number = isinstance(port, int) and not isinstance(port, bool)
        if not number or not 1 <= int(port or 0) <= _HIGHEST_PORT:
            raise InputValidationError("port", port, f"must be from 1 to {_HIGHEST_PORT}")
        return dict(config)

    @classmethod
    def generate_session_id(cls) -> str:
        """32 hexadecimal digits that nobody can guess."""
        return secrets.token_bytes(16).hex()

    @classmethod
    def sanitize_filename(cls, filename: str) -> str:
        """A name without separators and controls, at most 255 long; never empty."""
        name = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]', "_", str(filename))
        return name.strip(". ")[:_LONGEST_NAME].rstrip(". ") or "unnamed_file"

    @classmethod
    def compute_file_hash(cls, file_path: str | Path, algorithm: str = "sha256") -> str:
        """Hexadecimal digest of a file.

        Raises
        ------
        ValueError
            `hashlib` has no such algorithm.
        SecurityError
            The file cannot be read.
        """
        digest = hashlib.new(algorithm)
        try:
            with Path(file_path).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise SecurityError(f"{file_path} cannot be read: {error}") from error
        return digest.hexdigest()


def _roots() -> list[str | Path]:
    return [*_ROOTS, tempfile.gettempdir(), Path.cwd()]
