"""One value of one series at one time."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.errors import _parameters as parameters


class MetricType(str, enum.Enum):
    """What the numbers of a series mean."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


@dataclass
class Metric:
    """A sample as it is recorded and handed back.

    Attributes
    ----------
    timestamp : datetime
        Without a time zone: local time.

    Raises
    ------
    InvalidParameterError
        A field is outside its domain.
    NotNumbersError
        `value` is no number.
    """

    name: str
    value: float
    timestamp: datetime
    labels: dict[str, str] = field(default_factory=dict)
    metric_type: MetricType = MetricType.GAUGE

    def __post_init__(self) -> None:
        """Find what could not be recorded where it is written."""
        parameters.text("name", self.name)
        number = self.value
        if type(number) is not float:
            parameters.number("value", number)
        parameters.instance("timestamp", self.timestamp, datetime)
        parameters.labels("labels", self.labels)
        self.metric_type = parameters.member("metric_type", self.metric_type, MetricType)
