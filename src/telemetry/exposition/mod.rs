//! The text in which series are read: Prometheus 0.0.4, `OpenMetrics` 1.0.0 and JSON.

mod json;
mod text;

pub(super) use json::text as json_text;

use std::collections::HashSet;
use std::sync::Arc;

use super::{Family, Labels, Micros, Registry};

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

/// A declared family, and samples of its name that were read from elsewhere.
struct Shown<'a> {
    family: Arc<Family>,
    more: Option<&'a LooseFamily>,
}

impl Shown<'_> {
    /// Those samples from elsewhere whose label sets it has not itself.
    fn rest(&self) -> impl Iterator<Item = &(Labels, f64)> {
        let mut own = HashSet::new();
        if self.more.is_some() {
            self.family.each(|series| {
                own.insert(Labels::new(series.pairs().iter().cloned()));
            });
        }
        let samples = self.more.map_or(&[][..], |more| &more.samples);
        samples.iter().filter(move |(labels, _)| !own.contains(labels))
    }
}

/// Everything in `registries`, of a name what the first of them declares; then those of
/// `loose` whose names are not taken. Loose samples of a declared counter or gauge stand
/// with it, unless it has the label set itself.
pub fn expose(
    registries: &[&Registry],
    loose: &[LooseFamily],
    now: Micros,
    format: Format,
) -> String {
    let mut taken: HashSet<String> = HashSet::new();
    let mut families: Vec<Shown> = Vec::new();
    for family in registries.iter().flat_map(|registry| registry.families()) {
        let names = family.declaration().sample_names();
        if names.iter().all(|name| !taken.contains(name)) {
            taken.extend(names);
            families.push(Shown { family, more: None });
        }
    }
    let mut free = Vec::new();
    for family in loose {
        let base = family.name.trim_end_matches("_total");
        if !taken.contains(&family.name) && !taken.contains(base) {
            taken.extend([family.name.clone(), base.to_owned()]);
            free.push(family);
        } else if let Some(shown) = families.iter_mut().find(|shown| {
            let declared = shown.family.declaration();
            declared.name == family.name && declared.kind.name() == family.kind
        }) {
            shown.more = Some(family);
        }
    }
    match format {
        Format::Json => json::write(&families, &free, now),
        Format::Prometheus | Format::OpenMetrics => text::write(&families, &free, now, format),
    }
}

#[cfg(test)]
mod tests;
