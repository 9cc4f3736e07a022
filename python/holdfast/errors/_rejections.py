"""What guards raise.

They raise it from Rust, by its arguments alone: what it says is worked out when somebody asks.
"""

from __future__ import annotations

from datetime import datetime, timezone

from holdfast.errors._base import HoldfastError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DeadlineExceededError(HoldfastError, TimeoutError):
    """A guarded call took longer than it may.

    The arguments are the name of the timeout and its seconds.
    """

    @property
    def seconds(self) -> float | None:
        """How long the call may take; None while it is being interrupted."""
        return float(self.args[1]) if len(self.args) > 1 else None

    def __str__(self) -> str:
        """Name the timeout and its limit."""
        if self.seconds is None:
            return "the deadline of the call has come"
        return f"{self.args[0]} took longer than {self.seconds:g} s"


class _CodedError(HoldfastError):
    """What can be told as plain values."""

    code: str | None = None

    @property
    def message(self) -> str:
        """What it says."""
        return str(self)

    @property
    def details(self) -> dict[str, Any]:
        """Facts as plain values."""
        return {}

    @property
    def error_code(self) -> str | None:
        """For programs; another name of `code`."""
        return self.code

    def to_dict(self) -> dict[str, Any]:
        """Type, message, code and details."""
        return {
            "error_type": type(self).__name__,
            "message": self.message,
            "error_code": self.error_code,
            "details": self.details,
        }


class RejectedError(_CodedError):
    """A guard did not let a call begin.

    The first argument is the name of the guard.

    Attributes
    ----------
    retry_after : float or None
        Seconds after which to ask again, where that is known.
    """

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to ask again."""
        return None

    def __str__(self) -> str:
        """Name the guard, then its reason."""
        return ": ".join(map(str, self.args))


class CircuitOpenError(RejectedError):
    """A circuit breaker is open.

    The arguments are its name, the failures it counted, the time of the last one (a
    datetime, or seconds since 1970) and the seconds until it will let a call through.
    """

    code = "CIRCUIT_OPEN"

    @property
    def circuit_name(self) -> str:
        """The breaker."""
        return str(self.args[0])

    @property
    def failure_count(self) -> int:
        """Failures it counted; 0 if it was not said."""
        return int(self.args[1]) if len(self.args) > 1 else 0

    @property
    def last_failure_time(self) -> datetime | None:
        """When the last failure was; in UTC if the breaker itself says so."""
        last = self.args[2] if len(self.args) > 2 else None  # noqa: PLR2004
        return datetime.fromtimestamp(last, timezone.utc) if isinstance(last, float) else last

    @property
    def retry_after(self) -> float | None:
        """Seconds until it will let a call through; None if it was opened by hand."""
        return self.args[3] if len(self.args) > 3 else None  # noqa: PLR2004

    @property
    def details(self) -> dict[str, Any]:
        """The same as plain values."""
        last = self.last_failure_time
        return {
            "circuit_name": self.circuit_name,
            "failure_count": self.failure_count,
            "last_failure_time": last and last.isoformat(),
        }

    def __str__(self) -> str:
        """Name the breaker, its failures and when to come back."""
        wait = self.retry_after
        after = "" if wait is None else f"; ask again in {wait:.3g} s"
        return (
            f"Circuit breaker is open: {self.circuit_name!r} after "
            f"{self.failure_count} failures{after}"
        )


class RateLimitedError(RejectedError):
    """A rate limit is used up.

    The arguments are the name of the limiter, the seconds after which to ask again (None
    for a key on the deny list), and the key where there is one.
    """

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to ask again; None if that is in vain."""
        wait = self.args[1] if len(self.args) > 1 else None
        return None if wait is None else float(wait)

    def __str__(self) -> str:
        """Name the limiter and when to come back."""
        if len(self.args) < 2:  # noqa: PLR2004
            return super().__str__()
        key = f" for {self.args[2]!r}" if len(self.args) > 2 else ""  # noqa: PLR2004
        if self.retry_after is None:
            return f"{self.args[0]} admits no calls{key}"
        return f"{self.args[0]} is used up{key}; ask again in {self.retry_after:.3g} s"


class BulkheadFullError(RejectedError):
    """As many calls are being made, or resources of a pool lent, as may be.

    The arguments are the name of the bulkhead, its limit, and what there are so many of.
    """

    def __str__(self) -> str:
        """Name the bulkhead and its limit."""
        if len(self.args) < 2:  # noqa: PLR2004
            return super().__str__()
        return "{} is full: {} {}".format(*self.args, "calls are being made")


class RetryableError(_CodedError):
    """An operation failed in a way that may pass.

    Attributes
    ----------
    original_error : BaseException or None
    retry_after : float or None
        Seconds after which to try again; a retry waits that long.
    """

    code = "RETRYABLE_ERROR"

    def __init__(
        self,
        message: str,
        original_error: BaseException | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, original_error, retry_after)
        self.original_error = original_error
        self.retry_after = retry_after

    @property
    def details(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"original_error": str(self.original_error)}

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0])
