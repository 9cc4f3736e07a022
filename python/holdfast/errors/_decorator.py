"""Functions whose errors are kept."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, overload

from holdfast.errors import _parameters as parameters
from holdfast.errors._categorized import CategorizedError
from holdfast.errors._handler import enhanced_error_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    _Called = TypeVar("_Called", bound=Callable[..., Any])


@overload
def handle_exceptions(correlation_id: _Called) -> _Called: ...
@overload
def handle_exceptions(correlation_id: str | None = None) -> Callable[[_Called], _Called]: ...
def handle_exceptions(correlation_id: Any = None) -> Any:
    """Decorate a function whose exceptions are kept by `enhanced_error_handler`.

    Own errors go on as they are; any other exception goes on as a `CategorizedError` with
    the message for users, and as its `__cause__`. With and without parentheses.

    Raises
    ------
    InvalidParameterError
        What is decorated cannot be called, or `correlation_id` is no text.

    Examples
    --------
    >>> @handle_exceptions
    ... def halve(number):
    ...     return int(number) // 2
    >>> halve("three")
    Traceback (most recent call last):
    holdfast.errors.CategorizedError: The data cannot be used: invalid literal for int() ...
    """
    if callable(correlation_id):
        return handle_exceptions()(correlation_id)
    if correlation_id is not None:
        parameters.text("correlation_id", correlation_id)

    def decorate(function: _Called) -> _Called:
        parameters.hook("function", function)

        @functools.wraps(function)
        def handled(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                details = enhanced_error_handler.handle_error(
                    error, {"function": handled.__qualname__}, correlation_id
                )
                if getattr(error, "error_id", None) is not None:
                    raise
                raised = CategorizedError(
                    details.user_message,
                    details.category,
                    details.severity,
                    details.technical_details,
                    details.suggestions,
                    details.context,
                    recoverable=details.recoverable,
                )
                raised.error_id = details.error_id
                raise raised from error

        return handled  # type: ignore[return-value]

    return decorate
