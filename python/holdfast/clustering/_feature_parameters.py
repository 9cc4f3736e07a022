"""Parameters of the features: their defaults, and what may be said instead."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

from holdfast._warnings import warn
from holdfast.errors import InvalidParameterError
from holdfast.errors._parameters import count, real, refuse

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

# Parameters of the networks of the same names, taken for the sake of older scripts: a share
# of connections sets the degree, the rest has no counterpart here.
_SHARES = {"esn": "sparsity", "lsm": "connection_prob"}
_SIZES = {"esn": "reservoir_size", "lsm": "liquid_size"}
_WITHOUT_EFFECT = {
    "esn": ("input_size",),
    "snn": ("threshold", "tau_membrane", "tau_synapse", "learning_rate"),
    "lsm": ("input_size", "tau_membrane"),
}

# Largest whole numbers: what fits into a few gigabytes.
_WHOLE = {
    "reservoir_size": 20_000,
    "degree": 20_000,
    "n_neurons": 65_536,
    "scales": 64,
    "sample": 10_000_000,
    "receptive_fields": 1024,
    "liquid_size": 65_536,
}
_UNIT = {"excitatory", "sparsity", "connection_prob"}
_LARGEST = 1e6


def merged(part: str, given: Mapping[str, object] | None) -> dict[str, Any]:
    """Return the parameters of `part` ("esn", "snn" or "lsm"), `given` over defaults.

    Raises
    ------
    InvalidParameterError
        If `given` is no dict, has a key that is not a parameter, or a value outside its
        domain.
    """
    if given is not None and not isinstance(given, Mapping):
        refuse(f"{part}_params", "None or a dict", given)
    known, given = PARAMETERS[part], given or {}
    share, idle = _SHARES.get(part, ""), _WITHOUT_EFFECT[part]
    for key in given:
        if key not in known and key != share and key not in idle:
            raise InvalidParameterError(
                f"{part}_params has no parameter {key!r}; known: {sorted(known)}"
            )
    values: dict[str, Any] = {**known, **given}
    for key in [key for key in idle if key in given]:
        del values[key]
        warn(
            f"{part}_params[{key!r}] is a parameter of the network alone and has no effect "
            f"here; those with one: {sorted(known)}"
        )
    for key, value in values.items():
        _check(f"{part}_params[{key!r}]", key, value)
    if share in given:
        if "degree" in given:
            raise InvalidParameterError(
                f"{part}_params must have 'degree' or {share!r}, got both"
            )
        dropped = float(values.pop(share))
        kept = 1 - dropped if share == "sparsity" else dropped
        values["degree"] = max(1, round(kept * values[_SIZES[part]]))
    if part == "esn":
        leak = values["leaking_rate"]
        values["leaking_rate"] = tuple(leak) if isinstance(leak, (tuple, list)) else (leak,) * 2
    return values


def _check(name: str, key: str, value: Any) -> None:
    if key in _WHOLE:
        count(name, value, most=_WHOLE[key])
    elif key == "leaking_rate":
        if not _is_leak(value):
            refuse(name, "a number in (0, 1] or a pair of them in ascending order", value)
    elif key in _UNIT:
        real(name, value, least=0, most=1)
    elif key == "strength":
        real(name, value, least=0, most=_LARGEST)
    else:
        real(name, value, above=0, most=_LARGEST)


def _is_leak(value: Any) -> bool:
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    numeric = all(isinstance(v, numbers.Real) and math.isfinite(v) for v in pair)
    return len(pair) == 2 and numeric and 0 < pair[0] <= pair[1] <= 1  # noqa: PLR2004
