use std::collections::BTreeMap;

use super::Condition;
use crate::telemetry::{History, Labels, Micros, TelemetryError};

/// One label set for which the condition is, or lately was, true.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// Since when without a break.
    pub since: Micros,
    /// True for long enough.
    pub firing: bool,
    /// The value last seen while true.
    pub value: f64,
    /// When it stopped being true, while it is kept firing.
    pub ended: Option<Micros>,
}

/// What happened to one label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// True, not yet for long enough.
    Pending,
    /// True for long enough, from now on.
    Fired,
    /// Was firing, is no longer.
    Resolved,
}

/// A step with its label set.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What happened.
    pub step: Step,
    /// To which series.
    pub labels: Labels,
    /// Last seen while the condition was true.
    pub value: f64,
    /// Since when it was true.
    pub since: Micros,
}

/// The state machine of Prometheus' alerting rules, one state per label set.
#[derive(Clone, Debug)]
pub struct Rule {
    condition: Condition,
    hold: Micros,
    keep: Micros,
    active: BTreeMap<Labels, Active>,
}

impl Rule {
    /// Fires what has been true for `hold` (`for`), until it was not for `keep`
    /// (`keep_firing_for`).
    pub fn new(condition: Condition, hold: Micros, keep: Micros) -> Result<Self, TelemetryError> {
        for (name, value) in [("duration_seconds", hold), ("keep_firing_seconds", keep)] {
            if value < 0 {
                let message = format!("{name} must be zero or more, got {} s", value as f64 / 1e6);
                return Err(TelemetryError::Parameter(message));
            }
        }
        Ok(Self { condition, hold, keep, active: BTreeMap::new() })
    }

    /// What is pending or firing.
    pub fn active(&self) -> &BTreeMap<Labels, Active> {
        &self.active
    }

    /// Takes up a state that was saved, so that a restart does not start `for` again.
    pub fn restore(&mut self, labels: Labels, active: Active) {
        self.active.insert(labels, active);
    }

    /// One evaluation; when the expression fails nothing changes.
    pub fn evaluate(
        &mut self,
        history: &History,
        now: Micros,
    ) -> Result<Vec<Change>, TelemetryError> {
        let truths = self.condition.truths(history, now)?;
        let mut changes = Vec::new();
        let gone: Vec<Labels> = self
            .active
            .keys()
            .filter(|labels| !truths.iter().any(|truth| truth.labels == **labels))
            .cloned()
            .collect();
        for labels in gone {
            self.leave(labels, now, &mut changes);
        }
        for truth in truths {
            let mut new = false;
            let state = self.active.entry(truth.labels.clone()).or_insert_with(|| {
                new = true;
                Active { since: truth.since, firing: false, value: truth.value, ended: None }
            });
            (state.value, state.ended) = (truth.value, None);
            let step = if !state.firing && now - state.since >= self.hold {
                state.firing = true;
                Step::Fired
            } else if new {
                Step::Pending
            } else {
                continue;
            };
            let (value, since) = (state.value, state.since);
            changes.push(Change { step, labels: truth.labels, value, since });
        }
        Ok(changes)
    }

    fn leave(&mut self, labels: Labels, now: Micros, changes: &mut Vec<Change>) {
        let Some(state) = self.active.get_mut(&labels) else { return };
        if state.firing {
            let ended = *state.ended.get_or_insert(now);
            if self.keep > 0 && now - ended < self.keep {
                return;
            }
            let (value, since) = (state.value, state.since);
            let step = Step::Resolved;
            changes.push(Change { step, labels: labels.clone(), value, since });
        }
        self.active.remove(&labels);
    }
}
