//! The text in which series are read: Prometheus 0.0.4, `OpenMetrics` 1.0.0 and JSON.

mod json;
mod text;

pub(super) use json::text as json_text;

use super::{Labels, Micros, Registry};

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// A JSON array of families.
    Json,
}

impl Format {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// A family that was not declared: read from a source, or recorded sample by sample.
#[derive(Clone, Debug, PartialEq)]
pub struct LooseFamily {
    /// A counter's ends in `_total`.
    pub name: String,
    /// `counter`, `gauge`, or anything else for unknown.
    pub kind: String,
    /// One sentence.
    pub help: String,
    /// One value per label set.
    pub samples: Vec<(Labels, f64)>,
}

/// Everything in `registry`, then those of `loose` whose names are not taken.
pub fn expose(registry: &Registry, loose: &[LooseFamily], now: Micros, format: Format) -> String {
    let families = registry.families();
    let mut taken: Vec<String> =
        families.iter().flat_map(|family| family.declaration().sample_names()).collect();
    let mut free = Vec::new();
    for family in loose {
        let base = family.name.trim_end_matches("_total");
        if taken.iter().any(|name| *name == family.name || name == base) {
            continue;
        }
        taken.extend([family.name.clone(), base.to_owned()]);
        free.push(family);
    }
    match format {
        Format::Json => json::write(&families, &free, now),
        Format::Prometheus | Format::OpenMetrics => text::write(&families, &free, now, format),
    }
}

#[cfg(test)]
mod tests;
