//! What the probes answer: the last result of every check, with its age.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::exposition::json_text as text;
use super::{Micros, SECOND, TelemetryError};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Healthy,
    /// It works, with less.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Healthy, Self::Degraded, Self::Unhealthy].into_iter().find(|h| h.name() == text)
    }

    /// In lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Which question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Everything, in short.
    Summary,
    /// Must the process be restarted?
    Live,
    /// Can it take work?
    Ready,
    /// Everything, check by check.
    Detailed,
}

impl Probe {
    /// `summary`, `live`, `ready` or `detailed`.
    pub fn parse(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "summary" => Ok(Self::Summary),
            "live" => Ok(Self::Live),
            "ready" => Ok(Self::Ready),
            "detailed" => Ok(Self::Detailed),
            _ => Err(TelemetryError::Parameter(format!(
                "probe must be 'summary', 'live', 'ready' or 'detailed', got {text:?}"
            ))),
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The finding.
    pub status: Health,
    /// In words; may be empty.
    pub message: String,
    /// When it was found.
    pub at: Micros,
    /// How long finding it took.
    pub took: Micros,
}

#[derive(Clone, Debug)]
struct Check {
    live: bool,
    ready: bool,
    critical: bool,
    ttl: Micros,
    last: Option<Report>,
}

impl Check {
    /// A check that is not critical degrades at most; one that has not answered yet is not
    /// ready, but no reason for a restart.
    fn weight(&self, probe: Probe) -> Health {
        let found = match &self.last {
            Some(report) => report.status,
            None if probe == Probe::Live => Health::Healthy,
            None => Health::Unhealthy,
        };
        if self.critical { found } else { found.min(Health::Degraded) }
    }

    fn asked(&self, probe: Probe) -> bool {
        match probe {
            Probe::Live => self.live,
            Probe::Ready => self.ready,
            Probe::Summary | Probe::Detailed => true,
        }
    }
}

/// The checks of a process and what they last found.
#[derive(Clone, Debug)]
pub struct Board {
    checks: BTreeMap<String, Check>,
    /// When whoever runs the checks was last seen at work.
    beat: Option<Micros>,
    tolerance: Micros,
}

impl Board {
    /// Not alive when the runner of the checks was silent for `tolerance`.
    pub fn new(tolerance: Micros) -> Result<Self, TelemetryError> {
        if tolerance <= 0 {
            let seconds = tolerance as f64 / SECOND as f64;
            let message = format!("tolerance must be positive, got {seconds} s");
            return Err(TelemetryError::Parameter(message));
        }
        Ok(Self { checks: BTreeMap::new(), beat: None, tolerance })
    }

    /// A check of this name: which probes ask it, whether its failure is everyone's, and
    /// after how long its answer is old.
    pub fn declare(&mut self, name: &str, live: bool, ready: bool, critical: bool, ttl: Micros) {
        self.checks.insert(name.to_owned(), Check { live, ready, critical, ttl, last: None });
    }

    /// False when there was none.
    pub fn remove(&mut self, name: &str) -> bool {
        self.checks.remove(name).is_some()
    }

    /// Takes in a finding; false when the check is not declared.
    pub fn report(&mut self, name: &str, report: Report) -> bool {
        let Some(check) = self.checks.get_mut(name) else { return false };
        check.last = Some(report);
        true
    }

    /// Whoever runs the checks is at work.
    pub fn beat(&mut self, now: Micros) {
        self.beat = Some(now);
    }

    /// The worst of what the probe asks.
    pub fn health(&self, probe: Probe, now: Micros) -> Health {
        let asked = self.checks.values().filter(|check| check.asked(probe));
        let worst = asked.map(|check| check.weight(probe)).max().unwrap_or(Health::Healthy);
        let silent = self.beat.is_some_and(|beat| now - beat > self.tolerance);
        if silent && probe != Probe::Ready { Health::Unhealthy } else { worst }
    }

    /// Whether to answer 200, and the body in JSON.
    pub fn render(&self, probe: Probe, now: Micros) -> (bool, String) {
        let status = self.health(probe, now);
        let mut out = String::new();
        let seconds = |micros: Micros| micros as f64 / SECOND as f64;
        let _ = write!(out, "{{\"status\":\"{}\",\"timestamp\":{}", status.name(), seconds(now));
        if let Some(beat) = self.beat {
            let _ = write!(out, ",\"heartbeat_age_seconds\":{}", seconds((now - beat).max(0)));
        }
        out.push_str(",\"checks\":{");
        let asked = self.checks.iter().filter(|(_, check)| check.asked(probe));
        let shown = asked
            .filter(|(_, check)| probe != Probe::Summary || check.weight(probe) > Health::Healthy);
        for (name, check) in shown {
            if !out.ends_with('{') {
                out.push(',');
            }
            text(&mut out, name);
            let Some(report) = &check.last else {
                let critical = check.critical;
                let _ = write!(out, ":{{\"status\":\"unknown\",\"critical\":{critical}}}");
                continue;
            };
            let age = (now - report.at).max(0);
            let _ = write!(
                out,
                ":{{\"status\":\"{}\",\"critical\":{},\"age_seconds\":{},\"stale\":{}",
                report.status.name(),
                check.critical,
                seconds(age),
                age > check.ttl
            );
            if probe == Probe::Detailed {
                let _ = write!(
                    out,
                    ",\"took_seconds\":{},\"ttl_seconds\":{}",
                    seconds(report.took),
                    seconds(check.ttl)
                );
            }
            out.push_str(",\"message\":");
            text(&mut out, &report.message);
            out.push('}');
        }
        out.push_str("}}");
        (status < Health::Unhealthy, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(live: bool, ready: bool, critical: bool, status: Option<Health>) -> Board {
        let mut board = Board::new(60 * SECOND).unwrap();
        board.declare("disk", live, ready, critical, 5 * SECOND);
        if let Some(status) = status {
            let report = Report { status, message: "says \"so\"".to_owned(), at: 0, took: 2000 };
            assert!(board.report("disk", report));
        }
        board
    }

    #[test]
    fn the_worst_critical_check_decides_and_the_others_degrade() {
        use Health::{Degraded, Healthy, Unhealthy};
        for (critical, status, live, ready) in [
            (true, Some(Healthy), Healthy, Healthy),
            (true, Some(Degraded), Degraded, Degraded),
            (true, Some(Unhealthy), Unhealthy, Unhealthy),
            (false, Some(Unhealthy), Degraded, Degraded),
            (true, None, Healthy, Unhealthy),
            (false, None, Healthy, Degraded),
        ] {
            let board = board(true, true, critical, status);
            let found = (board.health(Probe::Live, 0), board.health(Probe::Ready, 0));
            assert_eq!(found, (live, ready), "{critical} {status:?}");
        }
    }

    #[test]
    fn a_probe_asks_only_its_own_checks() {
        let board = board(false, true, true, Some(Health::Unhealthy));
        assert!(board.render(Probe::Live, 0).0);
        assert!(!board.render(Probe::Ready, 0).0);
        assert!(!board.render(Probe::Summary, 0).0);
    }

    #[test]
    fn an_answer_shows_its_age() {
        let (good, body) =
            board(true, true, true, Some(Health::Degraded)).render(Probe::Detailed, 6 * SECOND);
        let expected = concat!(
            r#"{"status":"degraded","timestamp":6,"checks":{"disk":{"status":"degraded","#,
            r#""critical":true,"age_seconds":6,"stale":true,"took_seconds":0.002,"#,
            r#""ttl_seconds":5,"message":"says \"so\""}}}"#
        );
        assert_eq!((good, body.as_str()), (true, expected));
    }

    #[test]
    fn a_runner_that_went_silent_is_not_alive() {
        let mut board = board(true, true, true, Some(Health::Healthy));
        board.beat(0);
        assert!(board.render(Probe::Live, 60 * SECOND).0);
        assert!(!board.render(Probe::Live, 61 * SECOND).0);
        assert!(board.render(Probe::Ready, 61 * SECOND).0);
    }
}
