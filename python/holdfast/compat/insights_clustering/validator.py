"""What is wrong with a table of assessments, and what may help."""

from __future__ import annotations

import time
from typing import Any

from holdfast.compat.insights_clustering.parser import ENERGIES
from holdfast.errors import InvalidDataError
from holdfast.telemetry import get_enhanced_metrics

__all__ = ["DataValidator"]

_MOST_MISSING = 10.0  # percent of a column
_SPREAD = 10.0  # standard deviation of the sums of rows
_GOOD, _COMPLETE = 80, 95.0
_OUTLIERS = 0.05
_TOP = 5


class DataValidator:
    """Judges tables of assessments (pandas DataFrames); numbers are plain, fit for JSON.

    Attributes
    ----------
    validation_results : dict
        Of the latest table; empty before.
    """

    def __init__(self) -> None:
        self.validation_results: dict[str, Any] = {}

    def validate_data_quality(self, df: Any) -> dict[str, Any]:
        """Find what is wrong.

        Errors: no row, no `employee_id` column, an id twice, a column of which more than
        10 % is missing. Warnings: less is missing; energies outside 0 to 100; sums of the
        rows that spread by more than 10.

        Returns
        -------
        dict
            `is_valid`, `warnings`, `errors`, `quality_score` (100, less 20 for each error
            and 5 for each warning, at least 0) and `metrics`: `total_records`,
            `complete_records`, `duplicate_records` and `data_completeness` in percent of
            the cells, None without any.

        Raises
        ------
        InvalidDataError
            If `df` is no DataFrame.
        """
        _frame(df)
        begun = time.perf_counter()
        errors, warnings = [], []
        repeated = 0
        if df.empty:
            errors.append("The table has no rows")
        if "employee_id" not in df.columns:
            errors.append("There is no column employee_id")
        else:
            repeated = int(df["employee_id"].dropna().duplicated().sum())
            if repeated:
                errors.append(f"{repeated} rows have a duplicate employee_id")
        for name, share in (100.0 * df.isna().mean()).items() if len(df) else ():
            if share > _MOST_MISSING:
                errors.append(f"{share:.1f} % of {name} is missing")
            elif share > 0:
                warnings.append(f"{share:.1f} % of {name} is missing")
        known = _energies(df)
        for name in known:
            outside = int(((df[name] < 0) | (df[name] > 100)).sum())  # noqa: PLR2004
            if outside:
                warnings.append(f"{outside} values of {name} are outside 0 to 100")
        spread = (
            float(df[known].sum(axis=1, skipna=False).std())
            if len(known) == len(ENERGIES)
            else 0.0
        )
        if spread > _SPREAD:
            warnings.append(f"the sums of the rows spread by {spread:.1f}")
        self.validation_results = {
            "is_valid": not errors,
            "warnings": warnings,
            "errors": errors,
            "quality_score": max(0, 100 - 20 * len(errors) - 5 * len(warnings)),
            "metrics": {
                "total_records": len(df),
                "complete_records": int(df.notna().all(axis=1).sum()),
                "duplicate_records": repeated,
                "data_completeness": 100.0 * float(df.notna().to_numpy().mean())
                if df.size
                else None,
            },
        }
        _count(self.validation_results, time.perf_counter() - begun)
        return self.validation_results

    def get_data_profile(self, df: Any) -> dict[str, Any]:
        """Describe each column; memory is in bytes.

        Raises
        ------
        InvalidDataError
            If `df` is no DataFrame.
        """
        _frame(df)
        numeric = df.select_dtypes("number")
        others = df.drop(columns=numeric.columns)
        return {
            "shape": tuple(map(int, df.shape)),
            "columns": [str(name) for name in df.columns],
            "dtypes": {str(name): str(kind) for name, kind in df.dtypes.items()},
            "memory_usage": int(df.memory_usage(deep=True).sum()),
            "numeric_summary": {
                str(name): {
                    **{what: _plain(getattr(column, what)()) for what in _STATISTICS},
                    "null_count": int(column.isna().sum()),
                    "unique_count": int(column.nunique()),
                }
                for name, column in numeric.items()
            },
            "categorical_summary": {
                str(name): {
                    "unique_count": int(column.nunique()),
                    "top_values": {
                        str(value): int(count)
                        for value, count in column.value_counts().head(_TOP).items()
                    },
                    "null_count": int(column.isna().sum()),
                }
                for name, column in others.items()
            },
        }

    def suggest_data_improvements(self, df: Any) -> list[str]:
        """Say what would make the table better; nothing if it is good.

        Raises
        ------
        InvalidDataError
            If `df` is no DataFrame.
        """
        told = self.validate_data_quality(df)
        metrics = told["metrics"]
        complete = metrics["data_completeness"]
        found = []
        if told["quality_score"] < _GOOD:
            found.append("Mend the errors and warnings of validate_data_quality() first")
        if complete is not None and complete < _COMPLETE:
            found.append(f"Fill in missing values: {complete:.1f} % of the cells are known")
        if metrics["duplicate_records"]:
            found.append(f"Remove {metrics['duplicate_records']} repeated records")
        for name in _energies(df):
            low, high = df[name].quantile(0.25), df[name].quantile(0.75)
            reach = 1.5 * (high - low)
            share = float(((df[name] < low - reach) | (df[name] > high + reach)).mean())
            if share > _OUTLIERS:
                found.append(f"Look at the outliers of {name}: {share:.0%} of the values")
        return found


_STATISTICS = ("min", "max", "mean", "median", "std")


def _frame(df: Any) -> None:
    if not hasattr(df, "select_dtypes"):
        raise InvalidDataError(f"df must be a pandas DataFrame, got {type(df).__name__}")


def _energies(df: Any) -> list[str]:
    numeric = set(df.select_dtypes("number").columns)
    return [name for name in ENERGIES if name in numeric]


def _plain(value: Any) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 (NaN)


def _count(results: dict[str, Any], seconds: float) -> None:
    metrics = get_enhanced_metrics()
    metrics.record_data_processing("validate", seconds, results["metrics"]["total_records"])
    metrics.set_data_quality_score(results["quality_score"])
    if not results["is_valid"]:
        metrics.counter("insights_data_validation_failures_total").inc()
