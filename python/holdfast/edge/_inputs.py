"""What a profile is asked for, checked before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.edge._models.model import QuantizedModel
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._config import ProfilingConfig

METRICS = ("latency", "memory", "power", "throughput")


def check_prompts(prompts: object, config: ProfilingConfig) -> list[str]:
    """The prompts, if there are some and not too many or too long.

    Raises
    ------
    InvalidParameterError
        Also a ValueError.
    """
    if isinstance(prompts, str) or not isinstance(prompts, (list, tuple)):
        raise InvalidParameterError(f"test_prompts must be a list of str, got {prompts!r}")
    if not 1 <= len(prompts) <= config.max_prompts:
        raise InvalidParameterError(
            f"test_prompts must hold 1 to {config.max_prompts} prompts, got {len(prompts)}"
        )
    for prompt in prompts:
        if not isinstance(prompt, str) or not prompt:
            raise InvalidParameterError(f"test_prompts must hold non-empty str, got {prompt!r}")
        try:
            prompt.encode()
        except UnicodeEncodeError:
            raise InvalidParameterError(
                f"test_prompts must be valid Unicode, got {prompt!r}"
            ) from None
        if len(prompt) > config.max_prompt_length:
            raise InvalidParameterError(
                f"test_prompts must hold at most {config.max_prompt_length} characters each, "
                f"got {len(prompt)}"
            )
    return list(prompts)


def check_metrics(metrics: Sequence[str] | None, config: ProfilingConfig) -> list[str]:
    """The metrics asked for; a name that is given wins over a switch in the settings.

    Raises
    ------
    InvalidParameterError
        Naming the metric that is not known.
    """
    if metrics is None:
        switches = (
            ("latency", config.enable_latency_profiling),
            ("memory", config.enable_memory_profiling),
            ("power", config.enable_power_profiling or config.energy is not None),
        )
        return [name for name, on in switches if on]
    for name in metrics:
        if name not in METRICS:
            raise InvalidParameterError(
                f"metrics must be among {', '.join(METRICS)}, got {name!r}"
            )
    return list(metrics)


def as_model(model: object) -> QuantizedModel | None:
    """A model from whatever names one; None stays None.

    Raises
    ------
    InvalidParameterError, FileNotFoundError
        When it is no model, or there is no such file.
    """
    if model is None or isinstance(model, QuantizedModel):
        return model
    if isinstance(model, (str, Path)):
        return QuantizedModel.from_file(model)
    raise InvalidParameterError(
        f"model must be a QuantizedModel, a path or None, got {type(model).__name__}"
    )


def shipped_model() -> QuantizedModel:
    """The small model in the package."""
    from holdfast.edge._backends.images import DEFAULT_MODEL_NAME, default_model

    return QuantizedModel.from_bytes(DEFAULT_MODEL_NAME, default_model())
