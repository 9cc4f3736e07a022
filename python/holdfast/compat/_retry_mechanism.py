"""Two older ways to say `Retry`."""

from __future__ import annotations

import functools
import logging
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.errors import NeuromorphicErrorType, NeuromorphicException
from holdfast.resilience import Retry, RetryConfig

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("holdfast.resilience")


class RetryMechanism(Retry):
    """A `Retry` that logs each attempt that failed and will be repeated.

    Attributes
    ----------
    config : RetryConfig
    logger : logging.Logger
    """

    def __init__(self, config: RetryConfig, *, name: str | None = None) -> None:
        self.config = config
        self.logger = logger
        super().__init__(replace(config, on_retry=self._on_retry), name=name)

    def _on_retry(self, attempt: int, error: BaseException | None) -> None:
        most = self.config.max_attempts
        self.logger.warning("attempt %d of %d failed: %s", attempt, most, error)
        if self.config.on_retry is not None:
            self.config.on_retry(attempt, error)

    def _execute_with_retry(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return self(function)(*args, **kwargs)

    def _calculate_delay(self, attempt: int) -> float:
        return self.wait(attempt, random.random())  # noqa: S311 (spreads waits)

    def _fibonacci(self, n: int) -> int:
        before, last = 1, 1
        for _ in range(n - 1):
            before, last = last, before + last
        return last

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the configuration."""
        return functools.partial(RetryMechanism, name=self.name), (self.config,)


class RetryManager:
    """Calls an operation again, each time after twice the wait, whatever it raised.

    Parameters
    ----------
    max_retries : int, default 3
        Attempts after the first.
    base_delay, max_delay : float, default 1 and 60
        Seconds.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self, max_retries: int = 3, base_delay: float = 1.0, max_delay: float = 60.0
    ) -> None:
        self.max_retries = max_retries
        self.base_delay = base_delay
        self.max_delay = max_delay
        self._retry = Retry(
            max_retries + 1, base_delay=base_delay, max_delay=max_delay, jitter="none"
        )

    def retry_with_backoff(
        self, operation: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """The result of `operation`.

        Raises
        ------
        NeuromorphicException
            All attempts failed: its own, or one that tells the last exception.
        """
        try:
            return self._retry(operation)(*args, **kwargs)
        except NeuromorphicException:
            raise
        except Exception as error:
            raise NeuromorphicException(
                f"failed {self.max_retries + 1} times: {error}",
                NeuromorphicErrorType.RESOURCE_ERROR,
                context={"original_exception": str(error), "retries": self.max_retries},
            ) from error
