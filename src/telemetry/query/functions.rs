use super::ast::Shape;

/// What can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Absent,
    AvgOverTime,
    Ceil,
    Changes,
    ClampMax,
    ClampMin,
    CountOverTime,
    Delta,
    Ewma,
    EwmaStddev,
    EwmaZscore,
    Exp,
    Floor,
    HistogramQuantile,
    Idelta,
    Increase,
    Irate,
    LastOverTime,
    Ln,
    MadOverTime,
    MaxOverTime,
    MedianOverTime,
    MinOverTime,
    QuantileOverTime,
    Rate,
    Resets,
    RobustZscore,
    Round,
    Scalar,
    Sqrt,
    StddevOverTime,
    StdvarOverTime,
    SumOverTime,
    Time,
    Vector,
}

use Function as F;
use Shape::{Range, Scalar, Vector};

/// Name, function, what it takes, and how many of the last may be left out.
const TABLE: [(&str, Function, &[Shape], usize); 36] = [
    ("abs", F::Abs, &[Vector], 0),
    ("absent", F::Absent, &[Vector], 0),
    ("avg_over_time", F::AvgOverTime, &[Range], 0),
    ("ceil", F::Ceil, &[Vector], 0),
    ("changes", F::Changes, &[Range], 0),
    ("clamp_max", F::ClampMax, &[Vector, Scalar], 0),
    ("clamp_min", F::ClampMin, &[Vector, Scalar], 0),
    ("count_over_time", F::CountOverTime, &[Range], 0),
    ("delta", F::Delta, &[Range], 0),
    ("ewma", F::Ewma, &[Range, Scalar], 1),
    ("ewma_stddev", F::EwmaStddev, &[Range, Scalar], 1),
    ("ewma_zscore", F::EwmaZscore, &[Range, Scalar], 1),
    ("exp", F::Exp, &[Vector], 0),
    ("floor", F::Floor, &[Vector], 0),
    ("histogram_quantile", F::HistogramQuantile, &[Scalar, Vector], 0),
    ("idelta", F::Idelta, &[Range], 0),
    ("increase", F::Increase, &[Range], 0),
    ("irate", F::Irate, &[Range], 0),
    ("last_over_time", F::LastOverTime, &[Range], 0),
    ("ln", F::Ln, &[Vector], 0),
    ("mad_over_time", F::MadOverTime, &[Range], 0),
    ("max_over_time", F::MaxOverTime, &[Range], 0),
    ("median_over_time", F::MedianOverTime, &[Range], 0),
    ("min_over_time", F::MinOverTime, &[Range], 0),
    ("quantile_over_time", F::QuantileOverTime, &[Scalar, Range], 0),
    ("rate", F::Rate, &[Range], 0),
    ("resets", F::Resets, &[Range], 0),
    ("robust_zscore", F::RobustZscore, &[Range], 0),
    ("round", F::Round, &[Vector, Scalar], 1),
    ("scalar", F::Scalar, &[Vector], 0),
    ("sqrt", F::Sqrt, &[Vector], 0),
    ("stddev_over_time", F::StddevOverTime, &[Range], 0),
    ("stdvar_over_time", F::StdvarOverTime, &[Range], 0),
    ("sum_over_time", F::SumOverTime, &[Range], 0),
    ("time", F::Time, &[], 0),
    ("vector", F::Vector, &[Scalar], 0),
];

impl Function {
    pub(super) fn find(name: &str) -> Option<(Self, &'static [Shape], usize)> {
        let row = TABLE.iter().find(|row| row.0 == name)?;
        Some((row.1, row.2, row.3))
    }

    pub(super) fn result(self) -> Shape {
        match self {
            Self::Time | Self::Scalar => Scalar,
            _ => Vector,
        }
    }
}
