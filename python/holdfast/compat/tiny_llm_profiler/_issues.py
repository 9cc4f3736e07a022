"""What a check before a profile has to say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ValidationLevel(str, Enum):
    """Strict makes errors of warnings, permissive warnings of errors."""

    STRICT = "strict"
    MODERATE = "moderate"
    PERMISSIVE = "permissive"


class ValidationCategory(str, Enum):
    """What an issue is about."""

    HARDWARE = "hardware"
    MODEL = "model"
    PLATFORM = "platform"
    CONFIGURATION = "configuration"
    ENVIRONMENT = "environment"


@dataclass
class ValidationIssue:
    """One thing that speaks against a profile; `severity` is error, warning or info."""

    category: ValidationCategory
    severity: str
    message: str
    recommendation: str | None = None
    auto_fix: Callable[[], object] | None = None


@dataclass
class ValidationResult:
    """Whether a profile can be taken; `errors` and `warnings` are taken from `issues`."""

    is_valid: bool
    issues: list[ValidationIssue] = field(default_factory=list)
    warnings: list[ValidationIssue] = field(default_factory=list)
    errors: list[ValidationIssue] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Sort the issues."""
        for kept, severity in ((self.warnings, "warning"), (self.errors, "error")):
            found = [one for one in self.issues if one.severity == severity]
            kept += [one for one in found if one not in kept]

    @property
    def has_errors(self) -> bool:
        """Whether there are errors."""
        return bool(self.errors)

    @property
    def has_warnings(self) -> bool:
        """Whether there are warnings."""
        return bool(self.warnings)


_CHANGED = {
    ValidationLevel.STRICT: {"warning": "error"},
    ValidationLevel.MODERATE: {},
    ValidationLevel.PERMISSIVE: {"error": "warning"},
}


def judged(issues: Iterable[ValidationIssue], level: ValidationLevel) -> ValidationResult:
    """The result of these issues at this level."""
    changed = _CHANGED[ValidationLevel(level)]
    weighed = [replace(one, severity=changed.get(one.severity, one.severity)) for one in issues]
    return ValidationResult(not any(one.severity == "error" for one in weighed), weighed)
