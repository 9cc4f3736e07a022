//! Which names the exposition formats allow.

use super::TelemetryError;

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_label_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().copied().is_some_and(starts_name)
        && bytes.iter().all(|&b| starts_name(b) || b.is_ascii_digit())
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
pub(super) fn is_metric_name(name: &str) -> bool {
    let first = name.as_bytes().first();
    first.is_some_and(|first| !first.is_ascii_digit())
        && name.bytes().all(|b| starts_name(b) || b.is_ascii_digit() || b == b':')
}

/// Refuses a metric name that no scraper would read.
pub(super) fn check_metric(name: &str) -> Result<(), TelemetryError> {
    if is_metric_name(name) {
        return Ok(());
    }
    Err(TelemetryError::Parameter(format!(
        "name must match [a-zA-Z_:][a-zA-Z0-9_:]*, got {name:?}"
    )))
}

/// Refuses label names that are malformed, reserved, or given twice.
pub(super) fn check_labels<'a>(
    names: impl IntoIterator<Item = &'a String>,
    reserved: &[&str],
) -> Result<(), TelemetryError> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        let wrong = if !is_label_name(name) {
            "must match [a-zA-Z_][a-zA-Z0-9_]*"
        } else if name.starts_with("__") {
            "must not start with __, which is reserved"
        } else if reserved.contains(&name.as_str()) {
            "must not be a label of this kind of series"
        } else if seen.contains(&name.as_str()) {
            "must be given once"
        } else {
            seen.push(name);
            continue;
        };
        return Err(TelemetryError::Parameter(format!("labels: a name {wrong}, got {name:?}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_format() {
        for good in ["a", "_a1", "a:b_total", ":x"] {
            assert!(is_metric_name(good), "{good}");
        }
        for bad in ["", "1a", "a-b", "a b", "é"] {
            assert!(!is_metric_name(bad), "{bad}");
        }
    }

    #[test]
    fn label_names_are_refused_with_the_rule_they_break() {
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            check_labels(&names, &["le"]).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["a", "b"]), Ok(()));
        for (names, rule) in [
            (&["a:b"][..], "match"),
            (&["__name__"], "reserved"),
            (&["le"], "this kind"),
            (&["a", "a"], "once"),
        ] {
            assert!(check(names).unwrap_err().contains(rule), "{names:?}");
        }
    }
}
