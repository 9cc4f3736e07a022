"""Older path of the checks of inputs, files and the environment."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.compat.tiny_llm_profiler._environment import (
    SecurityAuditor,
    validate_environment,
)
from holdfast.compat.tiny_llm_profiler._errors import (
    InputValidationError,
    SecurityError,
    UnsafePathError,
)
from holdfast.compat.tiny_llm_profiler._names_and_paths import SecurityValidator

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "FileValidator",
    "InputSanitizer",
    "SecureTemporaryDirectory",
    "SecurityAuditor",
    "SecurityError",
    "SecurityValidator",
    "compute_file_hash",
    "generate_session_id",
    "safe_file_path",
    "sanitize_filename",
    "secure_delete_file",
    "security_auditor",
    "security_validator",
    "validate_device_path",
    "validate_environment",
    "validate_file_path",
    "validate_identifier",
    "validate_model_file",
]

_REPLACED = (sys,)  # older tests replace its version here
_CHUNK = 1 << 20
_MOST_PROMPTS = 100

security_validator = SecurityValidator()
security_auditor = SecurityAuditor()
validate_identifier = SecurityValidator.validate_identifier
validate_file_path = SecurityValidator.validate_file_path
validate_model_file = SecurityValidator.validate_model_file
validate_device_path = SecurityValidator.validate_device_path
sanitize_filename = SecurityValidator.sanitize_filename
generate_session_id = SecurityValidator.generate_session_id
compute_file_hash = SecurityValidator.compute_file_hash


class FileValidator:
    """Files of models, and temporary ones."""

    @staticmethod
    def validate_model_file(path: str | Path) -> bool:
        """Whether it exists, is small enough, ends as models do and not all may write to it."""
        try:
            SecurityValidator.validate_model_file(path)
            return not Path(path).stat().st_mode & stat.S_IWOTH
        except (SecurityError, OSError, TypeError):
            return False

    @staticmethod
    def create_secure_temp_file(prefix: str = "tiny_llm_") -> Path:
        """An empty file that only its owner may read and write."""
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp")
        os.close(handle)
        Path(name).chmod(0o600)
        return Path(name)


class InputSanitizer:
    """Texts from outside."""

    @staticmethod
    def sanitize_string(
        input_str: str,
        max_length: int = 1000,
        allowed_chars: str | None = None,
        strip_whitespace: bool = True,  # noqa: FBT001, FBT002 (as scripts pass it)
    ) -> str:
        """The text, stripped, without control characters.

        Parameters
        ----------
        allowed_chars : str, optional
            A regular expression that the whole text must match.

        Raises
        ------
        InputValidationError
        """
        if not isinstance(input_str, str):
            raise InputValidationError("input", input_str, "must be a str")
        text = input_str.strip() if strip_whitespace else input_str
        text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)
        if len(text) > max_length:
            rule = f"must have at most {max_length} characters"
            raise InputValidationError("input", text[:50], rule)
        if allowed_chars is not None and not re.fullmatch(allowed_chars, text):
            raise InputValidationError("input", text[:50], f"must match {allowed_chars}")
        return text

    @staticmethod
    def sanitize_prompts(prompts: list[str], max_prompt_length: int = 10_000) -> list[str]:
        """The prompts that are not empty, stripped.

        Raises
        ------
        InputValidationError
        """
        if not isinstance(prompts, list) or len(prompts) > _MOST_PROMPTS:
            rule = f"must be a list of at most {_MOST_PROMPTS} prompts"
            raise InputValidationError("prompts", type(prompts).__name__, rule)
        texts = [InputSanitizer.sanitize_string(one, max_prompt_length) for one in prompts]
        if not any(texts):
            raise InputValidationError("prompts", len(prompts), "must hold a prompt with text")
        return [text for text in texts if text]


class SecureTemporaryDirectory:
    """A folder that only its owner may enter; it is gone after the block."""

    def __init__(self, prefix: str = "tiny_llm_profiler_") -> None:
        self.prefix = prefix
        self.temp_dir: Path | None = None

    def __enter__(self) -> Path:
        """Make it."""
        self.temp_dir = Path(tempfile.mkdtemp(prefix=self.prefix))
        self.temp_dir.chmod(0o700)
        return self.temp_dir

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove it with everything in it."""
        if self.temp_dir is not None:
            shutil.rmtree(self.temp_dir, ignore_errors=True)


def secure_delete_file(path: str | Path, passes: int = 1) -> bool:
    """Overwrite a file `passes` times, then remove it; whether it is gone.

    Of a link only the link goes. On flash and copying file systems older blocks may stay.
    """
    target = Path(path)
    try:
        if target.is_symlink():
            target.unlink()
            return True
        if not target.exists():
            return True
        size = target.stat().st_size
        with target.open("r+b") as file:
            for _ in range(passes):
                file.seek(0)
                for start in range(0, size, _CHUNK):
                    file.write(secrets.token_bytes(min(_CHUNK, size - start)))
                file.flush()
                os.fsync(file.fileno())
        target.unlink()
    except OSError:
        return False
    return True


def safe_file_path(base_path: str | Path, filename: str) -> str:
    """`filename`, made harmless, inside `base_path`.

    Raises
    ------
    UnsafePathError
        It leads outside, by a link.
    """
    base = Path(base_path).resolve()
    found = (base / sanitize_filename(filename)).resolve()
    if not found.is_relative_to(base):
        raise UnsafePathError(str(found), f"is outside {base}")
    return str(found)


def __getattr__(name: str) -> Any:
    """`logger`, as it was."""
    if name != "logger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return security_auditor.logger
