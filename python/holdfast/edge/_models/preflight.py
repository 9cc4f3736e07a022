"""Whether a model fits a platform, decided before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.edge._errors import ModelCompatibilityError

if TYPE_CHECKING:
    from holdfast.edge._models.model import QuantizedModel
    from holdfast.edge._models.platforms import PlatformManager


@dataclass
class Fit:
    """Whether and how a model fits.

    Attributes
    ----------
    fits : bool
    placement : str
        `flash` or `ram`: where the weights go.
    required_ram_kb, available_ram_kb, required_flash_kb, available_flash_kb : float
    over_by_kb : float
        What is missing; 0 when it fits.
    issues, warnings : list of str
    """

    fits: bool
    placement: str
    required_ram_kb: float
    available_ram_kb: float
    required_flash_kb: float
    available_flash_kb: float
    over_by_kb: float = 0.0
    issues: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_fit(model: QuantizedModel, platform: PlatformManager) -> Fit:
    """Weights in flash where they fit there, else in RAM; cache and buffers always in RAM.

    A fifth of the flash is left to the program, a fifth of the internal RAM to everything
    else. Quantisations that the platform does not list only warn: firmware differs.
    """
    memory = platform.get_memory_constraints()
    needs = model.get_memory_requirements(platform.platform_name)
    weights = needs["model_weights_kb"]
    run = needs["total_estimated_kb"] - weights
    flash, ram = (
        memory["flash_kb"] * 0.8,
        memory["available_ram_kb"] + memory["external_ram_kb"],
    )
    in_flash = weights <= flash
    required = run if in_flash else run + weights
    fit = Fit(required <= ram, "flash" if in_flash else "ram", required, ram, weights, flash)
    if not fit.fits:
        fit.over_by_kb = required - ram
        what = "cache and buffers" if in_flash else "weights, cache and buffers"
        fit.issues.append(
            f"{what} need {required:.0f} KB of RAM, {ram:.0f} KB are there: "
            f"{fit.over_by_kb:.0f} KB too many (a context of {model.context_length} tokens)"
        )
    listed = platform.config.supported_quantizations
    if model.quantization.value not in listed:
        fit.warnings.append(
            f"{model.quantization.value} is not among the usual quantisations of "
            f"{platform.platform_name} ({', '.join(listed)})"
        )
    return fit


def require_fit(model: QuantizedModel, platform: PlatformManager) -> Fit:
    """`check_fit`, refusing what does not.

    Raises
    ------
    ModelCompatibilityError
        Saying by how much it is too large.
    """
    fit = check_fit(model, platform)
    if not fit.fits:
        raise ModelCompatibilityError(model.name, platform.platform_name, fit.issues)
    return fit
