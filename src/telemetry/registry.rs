use std::sync::{Arc, Mutex, PoisonError};

use super::{Declaration, Family, History, Labels, Micros, Origin, TelemetryError};

/// Families of series; each name means one thing.
#[derive(Debug, Default)]
pub struct Registry {
    families: Mutex<Vec<Arc<Family>>>,
}

impl Registry {
    /// The family of this declaration: made now, or the one that was declared alike before.
    pub fn declare(&self, declaration: Declaration) -> Result<Arc<Family>, TelemetryError> {
        let declaration = declaration.checked()?;
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = declaration.sample_names();
        for family in families.iter() {
            let other = family.declaration();
            if *other == declaration {
                return Ok(family.clone());
            }
            if other.sample_names().iter().any(|name| wanted.contains(name)) {
                return Err(TelemetryError::Declared {
                    name: declaration.name,
                    declared: describe(other),
                });
            }
        }
        let family = Arc::new(Family::new(declaration));
        families.push(family.clone());
        Ok(family)
    }

    /// Forgets a family; false when there was none of that name.
    pub fn remove(&self, name: &str) -> bool {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let before = families.len();
        families.retain(|family| family.declaration().name != name);
        families.len() < before
    }

    /// Every family, in the order of declaration.
    pub fn families(&self) -> Vec<Arc<Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the present value of every series into `history`.
    pub fn scrape(&self, history: &mut History, now: Micros) {
        for family in self.families() {
            let name = &family.declaration().name;
            let kind = family.declaration().kind.name();
            family.each(|series| {
                series.samples(now, |suffix, labels: Labels, value| {
                    let name = format!("{name}{suffix}");
                    history.record(&name, labels, now, value, kind, Origin::Scraped);
                });
            });
        }
    }
}

fn describe(declaration: &Declaration) -> String {
    let Declaration { name, labels, kind, .. } = declaration;
    format!("the {} {name} with labels {labels:?}, other buckets or another help", kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Kind;

    fn declaration(name: &str, kind: Kind) -> Declaration {
        let (help, labels) = (String::new(), Vec::new());
        Declaration { name: name.to_owned(), help, labels, kind, limit: 10 }
    }

    #[test]
    fn the_same_declaration_gives_the_same_family() {
        let registry = Registry::default();
        let first = registry.declare(declaration("x", Kind::Counter)).unwrap();
        let again = registry.declare(declaration("x_total", Kind::Counter)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(registry.families().len(), 1);
    }

    #[test]
    fn no_two_families_share_the_name_of_a_sample() {
        for (first, second) in [
            (("x", Kind::Counter), ("x", Kind::Gauge)),
            (("x", Kind::Histogram([1.0].into())), ("x_sum", Kind::Gauge)),
            (("x", Kind::Histogram([1.0].into())), ("x", Kind::Histogram([2.0].into()))),
        ] {
            let registry = Registry::default();
            registry.declare(declaration(first.0, first.1)).unwrap();
            let error = registry.declare(declaration(second.0, second.1)).unwrap_err();
            assert!(matches!(error, TelemetryError::Declared { .. }), "{error}");
        }
    }
}
