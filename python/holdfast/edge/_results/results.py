"""What a profile found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from holdfast.edge._results import advice
from holdfast.edge._results.findings import Findings

if TYPE_CHECKING:
    from os import PathLike


class ProfileResults(Findings):
    """What a profile found; parts that were not measured are None.

    Attributes
    ----------
    platform, model_name, quantization : str
    model_size_mb : float or None
        In MiB.
    timestamp, start_time : datetime
        In UTC.
    session_id : str or None
        32 hexadecimal digits.
    measurements : dict
        Every number by name, each a `Measurement` with its clock, interval and provenance.
    records : list of Generation
        The raw token records; saved apart by `save_records`.
    session_metadata : dict
        What succeeded, what failed and why, and how the device was reached.
    """

    def calculate_efficiency_score(self) -> float | None:
        """One number from 0 to 100 for quick sorting; None when nothing was measured."""
        return advice.efficiency_score(self)

    def compare_with(self, other: ProfileResults) -> dict[str, float]:
        """Ratios of the headline numbers; above 1 this result is better.

        For a decision, use `compare`: it knows what is noise.
        """
        return advice.ratios(self, other)

    def get_recommendations(self) -> list[str]:
        """One sentence per threshold that was crossed."""
        return advice.recommendations(self)

    def content_hash(self) -> str:
        """SHA-256 of what the device did: tokens, its clock, its memory.

        Ids, wall-clock times and everything on the host's clock are left out, so that two
        runs of a deterministic device give the same digest.

        Raises
        ------
        InsufficientDataError
            The token records are not here: a JSON file does not hold them. Assign what
            `load_records` reads to `records` first.
        """
        answered = self.session_metadata.get("requests", {}).get("ok", 0)
        if answered and not self.records:
            from holdfast.edge._errors import InsufficientDataError

            raise InsufficientDataError("content_hash (of records)", 0, answered)
        kept = {
            name: asdict(one)
            for name, one in sorted(self.measurements.items())
            if one.clock != "host"
        }
        content = {
            "platform": self.platform,
            "model_name": self.model_name,
            "quantization": self.quantization,
            "measurements": kept,
            "memory": None if self.memory_profile is None else asdict(self.memory_profile),
            "records": [record.device_content() for record in self.records],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def export_json(self, path: str | PathLike[str]) -> None:
        """Write everything but the raw token records; the file appears whole or not at all."""
        from holdfast.edge._results import files

        files.write_json(self, path)

    @classmethod
    def from_json(cls, path: str | PathLike[str]) -> ProfileResults:
        """Read what `export_json` wrote.

        Raises
        ------
        InvalidDataError
            When the file is not such a result.
        """
        from holdfast.edge._results import files

        return files.read_json(cls, path)

    def export_csv(self, path: str | PathLike[str]) -> None:
        """Write one row of headline numbers; nested names are joined by underscores."""
        from holdfast.edge._results import files

        files.write_csv(self, path)

    def export_html(self, path: str | PathLike[str]) -> None:
        """Write a page with plots that needs nothing else."""
        from holdfast.edge._results import html

        html.write_report([self], path)

    def export_badge(
        self, path: str | PathLike[str], metric: str = "tokens_per_second"
    ) -> None:
        """Write one number as a small SVG for a README.

        Parameters
        ----------
        metric : str
            `tokens_per_second`, `first_token_latency_ms`, `peak_memory_kb` or
            `energy_per_token_mj`.
        """
        from holdfast.edge._files import write_whole
        from holdfast.edge._results import badge

        write_whole(path, badge.badge(self, metric).encode())

    def save_records(self, path: str | PathLike[str]) -> None:
        """Write the raw token records as `path`.jsonl and, columnar, `path`.npz.

        What was measured, and how, is noted beside them: `from_records` makes a result of
        either file.
        """
        from holdfast.edge._results import files, record_files

        about = files.about(self)
        record_files.save_records(self.records, path, about=about)

    @classmethod
    def from_records(cls, path: str | PathLike[str]) -> ProfileResults:
        """A result from saved token records alone: every time is computed anew.

        Raises
        ------
        InvalidDataError
            When the file holds no token records.
        """
        from holdfast.edge._measurement import summary
        from holdfast.edge._results import files, record_files

        results = files.from_about(cls, record_files.load_about(path), path)
        found: ProfileResults = summary.recompute(results, record_files.load_records(path))
        return found

    def _repr_html_(self) -> str:
        from holdfast.edge._results import html

        page: str = html.notebook(self)
        return page

    def __repr__(self) -> str:
        """The headline numbers, one subject a line."""
        size = "" if self.model_size_mb is None else f"{self.model_size_mb:.1f}MB "
        lines = [
            f"ProfileResults({self.model_name} on {self.platform})",
            f"  {size}{self.quantization} quantization",
        ]
        if (latency := self.latency_profile) is not None:
            rate = _shown(latency.tokens_per_second, "{:.1f}")
            first = _shown(latency.first_token_latency_ms, "{:.0f}")
            model = self.test_configuration.get("modelled")
            label = f", {model}" if model else ""
            lines.append(f"  {rate} tok/s, {first}ms first token{label}")
        if (memory := self.memory_profile) is not None:
            lines.append(f"  {_shown(memory.peak_memory_kb, '{:.0f}')}KB peak")
        if (power := self.power_profile) is not None:
            active = _shown(power.active_power_mw, "{:.0f}")
            each = _shown(power.energy_per_token_mj, "{:.1f}")
            label = f", {power.source}" if power.simulated and power.source else ""
            lines.append(f"  {active}mW, {each}mJ/token{label}")
        if (score := self.calculate_efficiency_score()) is not None:
            lines.append(f"  Efficiency Score: {score:.1f}/100")
        return "\n".join(lines)


def _shown(value: float | None, form: str) -> str:
    if value is not None and 0 < abs(value) < 1:
        form = "{:.2g}"
    return "? " if value is None else form.format(value)
