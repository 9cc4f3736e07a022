"""Parameters of the features: their defaults, and what may be said instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS: dict[str, dict[str, object]] = {
    "esn": {
        "reservoir_size": 400,
        "spectral_radius": 0.9,
        "degree": 10,
        "input_scaling": 0.5,
        "leaking_rate": (0.1, 1.0),
    },
    "snn": {
        "n_neurons": 256,
        "scales": 4,
        "epsilon": 0.1,
        "sample": 20_000,
        "receptive_fields": 8,
    },
    "lsm": {
        "liquid_size": 420,
        "degree": 8,
        "strength": 0.3,
        "excitatory": 0.8,
    },
}


def merged(part: str, given: Mapping[str, object] | None) -> dict[str, Any]:
    """Return the parameters of `part` ("esn", "snn" or "lsm"), `given` over defaults.

    Raises
    ------
    InvalidParameterError
        If `given` has a key that is not a parameter, or a value outside its domain.
    """
    known = PARAMETERS[part]
    for key in given or {}:
        if key not in known:
            raise InvalidParameterError(
                f"{part}_params has no parameter {key!r}; known: {sorted(known)}"
            )
    values: dict[str, Any] = {**known, **(given or {})}
    for key, value in values.items():
        _check(f"{part}_params[{key!r}]", key, value)
    if part == "esn" and not isinstance(values["leaking_rate"], tuple):
        values["leaking_rate"] = (values["leaking_rate"],) * 2
    return values


_WHOLE = {
    "reservoir_size",
    "degree",
    "n_neurons",
    "scales",
    "sample",
    "receptive_fields",
    "liquid_size",
}
_UNIT = {"excitatory"}


def _check(name: str, key: str, value: Any) -> None:
    if key in _WHOLE:
        right = isinstance(value, (int, np.integer)) and value >= 1
        rule = "a whole number of at least 1"
    elif key == "leaking_rate":
        low, high = value if isinstance(value, tuple) else (value, value)
        right = 0 < low <= high <= 1
        rule = "a number in (0, 1] or a pair of them in ascending order"
    elif key in _UNIT:
        right, rule = 0 <= value <= 1, "a number in [0, 1]"
    else:
        right, rule = bool(0 < value < np.inf), "a finite number above 0"
        if key == "strength":
            right, rule = bool(0 <= value < np.inf), "a finite number of at least 0"
    if not right:
        raise InvalidParameterError(f"{name} must be {rule}, got {value!r}")
