from __future__ import annotations

import functools
import sys
from contextvars import ContextVar

from holdfast import _core, _sources
from holdfast.errors._parameters import hook, refuse
from holdfast.resilience import _block
from holdfast.resilience._policy import Policy, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from holdfast.errors._parameters import Clock

    F = TypeVar("F", bound=Callable[..., Any])

_MOST = 8  # policies that the core fuses into one

# Blocks that were entered and not yet left, of this thread or task.
_entered: ContextVar[tuple[tuple[Pipeline, Any], ...]] = ContextVar("entered", default=())


class Pipeline:
    """Policies around a call, outermost first.

    Decorates functions, methods and `async def`; name, signature and pickling (by name)
    of the function stay. As `with` and `async with` it guards a block, which can be run
    only once and in its own thread: a pipeline with `Retry`, `Fallback`, `Hedge` or a
    timeout that calls from elsewhere refuses that.

    Reading order is calling order. `Pipeline(Retry(3), CircuitBreaker(), Timeout(1.0))`
    gives each attempt its second and shows each attempt to the breaker;
    `Pipeline(Timeout(1.0), Retry(3))` gives all attempts together one second. The usual
    order is Fallback, Retry, CircuitBreaker, RateLimiter, Timeout, Bulkhead.

    Policies may be shared between pipelines. What a process counts is its own: a forked
    or spawned worker starts from a copy or from nothing.

    Parameters
    ----------
    *policies : Policy
    name : str, optional
    clock : {"coarse", "precise"} or VirtualClock, optional
        That of the policies by default. The coarse one ticks every few milliseconds and
        costs a fifth of the precise one; a pipeline with a breaker that judges calls
        shorter than 0.1 s takes the precise one by itself.

    Raises
    ------
    InvalidParameterError
        What is given is not a policy.
    """

    def __init__(
        self, *policies: Policy, name: str | None = None, clock: Clock | None = None
    ) -> None:
        for policy in policies:
            if not isinstance(policy, Policy):
                refuse("policies", "policies", policy)
        self.policies = policies
        self.name = name_of("pipeline", name)
        self._clock = clock
        self._layers = list(_layers(policies, clock))
        _sources.register(self)

    def __call__(self, function: F) -> F:
        """Guard `function`."""
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self(function.__func__))
        hook("function", function)
        if _flags(function) & _GENERATES:
            rule = "no generator, whose body would run outside of the guard"
            refuse("function", rule, function)
        asynchronous = is_coroutine_function(function)
        for policy in self.policies:
            policy._check(function, asynchronous=asynchronous)  # noqa: SLF001
        guarded: Any = function
        for layer in reversed(self._layers):
            if isinstance(layer, _core.Compiled):
                guarded = _core.guard(guarded, layer, asynchronous)
            else:
                guarded = layer._wrap(guarded, asynchronous=asynchronous)  # noqa: SLF001
        functools.update_wrapper(guarded, function)
        # What `inspect` takes a function for, coroutine functions above all.
        for attribute in ("__code__", "__defaults__", "__kwdefaults__"):
            if hasattr(function, attribute):
                setattr(guarded, attribute, getattr(function, attribute))
        guarded.pipeline = self
        wrapped: F = guarded
        return wrapped

    def outcome(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Guard `function` and have each call tell how it ended instead of raising.

        Returns
        -------
        callable
            With the arguments of `function`; gives an `Outcome`, awaited if `function` is a
            coroutine function. Ctrl-C, `SystemExit` and the cancellation of a task are
            raised as ever.

        Raises
        ------
        InvalidParameterError
            `function` cannot be called, or not be guarded by these policies.

        Examples
        --------
        >>> from holdfast.resilience import Pipeline, Retry
        >>> told = Pipeline(Retry(3, base_delay=0)).outcome(int)("seven")
        >>> told.status, told.attempts, type(told.error).__name__
        ('failed', 3, 'ValueError')
        """
        from holdfast.resilience._outcome import outcome_of

        asynchronous = is_coroutine_function(hook("function", function))
        return outcome_of(self, self.policies, function, asynchronous=asynchronous)

    def __enter__(self) -> Self:
        """Begin a guarded block."""
        block = _core.Block(self._block_core(), threaded=True)
        block.enter()
        _entered.set((*_entered.get(), (self, (block, None))))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        block, _ = self._leave()
        block.exit(error)

    async def __aenter__(self) -> Self:
        """Begin a guarded block in a coroutine."""
        block = _core.Block(self._block_core(), threaded=False)
        await _block.enter(block)
        _entered.set((*_entered.get(), (self, (block, _block.alarm(block)))))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        block, alarm = self._leave()
        block.exit(error, None if alarm is None else alarm.stop())

    def _block_core(self) -> _core.Compiled:
        first, *others = self._layers
        if others:
            rule = "such as run a with block once and in place; decorate a function instead"
            refuse("policies", rule, others[0])
        core: _core.Compiled = first
        return core

    def _leave(self) -> tuple[_core.Block, _block.Alarm | None]:
        entered = _entered.get()
        for index in reversed(range(len(entered))):
            owner, what = entered[index]
            if owner is self:
                _entered.set(entered[:index] + entered[index + 1 :])
                found: tuple[_core.Block, _block.Alarm | None] = what
                return found
        raise RuntimeError(f"{self.name} was not entered in this thread or task")

    def __repr__(self) -> str:
        """Show the policies."""
        return f"Pipeline({', '.join(map(repr, self.policies))}, name={self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the policies' parameters."""
        return _rebuild, (self.policies, self.name, self._clock)

    def samples(self) -> Iterable[_sources.Sample]:
        """Calls by outcome."""
        calls, failed, refused, cancelled = self._layers[0].tally()
        totals = {"begun": calls, "failed": failed, "refused": refused, "cancelled": cancelled}
        for outcome, value in totals.items():
            yield _sources.Sample(
                "holdfast_pipeline_calls_total",
                "counter",
                "Calls through a pipeline",
                {"name": self.name, "outcome": outcome},
                value,
            )


def _layers(policies: tuple[Policy, ...], clock: Clock | None) -> Iterator[Any]:
    """What the core fuses, and in between the policies that call from elsewhere."""
    run: list[Any] = []
    first = True
    for policy in policies:
        elsewhere = getattr(policy, "_elsewhere", False)
        if policy._core is not None:  # noqa: SLF001
            run.append(policy._core)  # noqa: SLF001
        if len(run) == _MOST or elsewhere:
            if run or first:
                yield _core.Compiled(run, clock)
            run, first = [], False
        if elsewhere:
            yield policy
    if run or first:
        yield _core.Compiled(run, clock)


_COROUTINE, _GENERATES = 0x80, 0x20 | 0x200  # as in `inspect`, which takes long to import


def _flags(function: Any) -> int:
    """Those of the code behind partial functions and methods."""
    while True:
        inner = getattr(function, "__func__", None)
        if inner is None and isinstance(function, functools.partial):
            inner = function.func
        if inner is None:
            break
        function = inner
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return flags if isinstance(flags, int) else 0


def is_coroutine_function(function: Any) -> bool:
    """Whether calling it gives something to await."""
    call = getattr(type(function), "__call__", None)  # noqa: B004
    if (_flags(function) | _flags(call)) & _COROUTINE:
        return True
    # Functions may be marked as such, but not without this module.
    inspect = sys.modules.get("inspect")
    return inspect is not None and inspect.iscoroutinefunction(function)


def _rebuild(policies: tuple[Policy, ...], name: str, clock: Clock | None) -> Pipeline:
    return Pipeline(*policies, name=name, clock=clock)
