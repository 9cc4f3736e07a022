"""The firmware and the model that ship with the package."""

from importlib.resources import files

DEFAULT_MODEL_NAME = "fables-279k-q8_0"
"""Trained on fables that ``tools/fables.py`` makes up (``tools/train_model.py``): it tells
more of them, and knows nothing else."""


def simulator_firmware() -> bytes:
    """The agent for the simulated RV32IM board, an ELF executable.

    Returns
    -------
    bytes
        What ``tools/build_firmware.py`` made of ``agent/`` and ``firmware/``.
    """
    return (files("holdfast.edge") / "images" / "sim-rv32.elf").read_bytes()


def default_model() -> bytes:
    """The model used when none is given, a GGUF file.

    Returns
    -------
    bytes
        A llama of 279 thousand parameters in Q8_0; see `DEFAULT_MODEL_NAME`.
    """
    return (files("holdfast.edge") / "images" / f"{DEFAULT_MODEL_NAME}.gguf").read_bytes()
