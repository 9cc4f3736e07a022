"""How safe this process and its machine are, as findings; nothing is written to find out."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import platform
import secrets
import socket
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.edge._files import write_whole
from holdfast.errors._base import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

_DEBUG = ("DEBUG", "DEVELOPMENT", "TINY_LLM_DEBUG", "FLASK_DEBUG", "DJANGO_DEBUG", "NODE_ENV")
_SENSITIVE = (
    "*.key", "*.pem", "*.p12", "*.pfx", "*.jks", ".env", ".env.*", "config.ini", "secrets.*",
    "password*", "*password*", "credentials*",
)  # fmt: skip
_LEAST = (3, 10)
_PATHS = 10
_WEB_PORT = 80

Findings = dict[str, Any]


def _found(warnings: list[str], errors: list[str], advice: list[str]) -> Findings:
    return {
        "secure": not errors,
        "warnings": warnings,
        "errors": errors,
        "recommendations": advice,
    }


def _open_to_all(path: str | Path) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _umask() -> int | None:
    """Of this process; None where it cannot be read without changing it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1], 8) for line in lines if line.startswith("Umask"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def validate_environment() -> Findings:
    """`secure`, `warnings`, `errors` and `recommendations` of this process."""
    warnings, errors, advice = [*_of_process(), *_of_path()], [], []
    if warnings and "root" in warnings[0]:
        advice.append("run it as a user of its own")
    version = tuple(sys.version_info[:2])
    if version < _LEAST:
        errors.append(f"Python {'.'.join(map(str, version))} is older than 3.10")
        advice.append("install a Python that still gets fixes")
    if sys.prefix == sys.base_prefix:
        warnings.append("this is no virtual environment")
    for name, kept in (("ssl", warnings), ("secrets", errors)):
        if importlib.util.find_spec(name) is None:
            kept.append(f"the module {name} is missing")
    return _found(warnings, errors, advice)


def _of_process() -> Iterator[str]:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield "the process runs as root"
    if _open_to_all(tempfile.gettempdir()):
        yield "everybody can replace files in the temporary folder"
    for name in _DEBUG:
        value = os.environ.get(name)
        if value and value.lower() not in {"0", "false", "production"}:
            yield f"debug mode: {name} is set"
    mask = _umask()
    if mask is not None and not mask & 0o022:
        yield "the umask lets everybody write to new files"


def _of_path() -> Iterator[str]:
    folders = os.environ["PATH"].split(os.pathsep) if "PATH" in os.environ else []
    if {"", "."} & set(folders):
        yield "PATH holds the working folder"
    for folder in [one for one in folders if one not in {"", "."}][:_PATHS]:
        if _open_to_all(folder):
            yield f"everybody can write to {folder}, which is in PATH"


class SecurityAuditor:
    """Looks at environment, files, network and application, and keeps what it found.

    Attributes
    ----------
    audit_results : list of dict
    """

    def __init__(self) -> None:
        self.logger = logging.getLogger("holdfast.compat")
        self.audit_results: list[dict[str, Any]] = []

    def run_security_audit(self) -> dict[str, Any]:
        """The findings by category, and a score: what warnings and errors leave of 100."""
        categories = {
            "environment": validate_environment(),
            "filesystem": self._audit_filesystem(),
            "network": self._audit_network_security(),
            "application": self._audit_application_security(),
        }
        points = [
            max(
                0,
                (100 if one["secure"] else 50)
                - 5 * len(one["warnings"])
                - 10 * len(one["errors"]),
            )
            for one in categories.values()
        ]

        def listed(kind: str) -> list[str]:
            return [text for one in categories.values() for text in one[kind]]

        result = {
            "timestamp": utc_now().isoformat(),
            "audit_id": secrets.token_urlsafe(16),
            "overall_security_score": int(sum(points) / len(points)),
            "categories": categories,
            "recommendations": listed("recommendations"),
            "critical_issues": listed("errors"),
            "warnings": listed("warnings"),
        }
        self.audit_results.append(result)
        return result

    def _audit_filesystem(self) -> Findings:
        here = Path.cwd()
        names = sorted({path.name for kind in _SENSITIVE for path in here.glob(kind)})
        warnings = [f"{name} may hold a secret" for name in names]
        if _open_to_all(here):
            warnings.append(f"everybody can write to {here}")
        return _found(warnings, [], ["keep secrets outside the folder"] if names else [])

    def _audit_network_security(self) -> Findings:
        warnings = []
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", _WEB_PORT))
            except OSError:
                pass  # as it should be: privileged, or in use
            else:
                warnings.append("the process may listen on privileged ports")
        return _found(warnings, [], [])

    def _audit_application_security(self) -> Findings:
        logger = logging.getLogger("tiny_llm_profiler")
        verbose = logger.isEnabledFor(logging.DEBUG)
        warnings = ["debug log lines may hold what should not be kept"] if verbose else []
        return _found(warnings, [], [])

    def export_audit_report(self, path: str | PathLike[str]) -> None:
        """Write the last audit, those before it and the system as JSON; nothing without one."""
        if not self.audit_results:
            self.logger.warning("no audit has been run: nothing was written")
            return
        report = {
            "audit_summary": self.audit_results[-1],
            "audit_history": self.audit_results,
            "generated_at": utc_now().isoformat(),
            "system_info": {
                "python_version": platform.python_version(),
                "platform": platform.platform(),
                "architecture": platform.machine(),
            },
        }
        write_whole(path, json.dumps(report, indent=2).encode())
