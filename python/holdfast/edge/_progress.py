"""A progress bar for `profile_model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

    from holdfast.edge._measurement.records import Generation


class ProgressBar:
    """A tqdm bar: `profile_model(..., progress=ProgressBar())`.

    It ends by itself with the last planned request; leave a `with` block, or call `close`, when
    measuring may stop before.

    Parameters
    ----------
    label : str
    **options
        For `tqdm`: `file`, `disable=None` (off when not a terminal), ...

    Raises
    ------
    ImportError
        When tqdm is not installed.
    """

    def __init__(self, label: str = "profile", **options: Any) -> None:
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise ImportError(
                "ProgressBar needs tqdm: pip install 'holdfast[progress]'"
            ) from error
        self._make, self._bar = tqdm, None
        self._options: dict[str, Any] = {
            "desc": label,
            "unit": "req",
            "disable": None,
            **options,
        }

    def __call__(self, done: int, planned: int, last: Generation) -> None:
        """One request is done."""
        if self._bar is None:
            self._bar = self._make(total=planned, **self._options)
        bar: Any = self._bar
        bar.set_postfix_str(last.status, refresh=False)
        bar.update(done - bar.n)
        if done >= planned:
            self.close()

    def close(self) -> None:
        """End the line."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()

    def __enter__(self) -> Self:
        """Nothing is shown before the first request."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the line."""
        self.close()
