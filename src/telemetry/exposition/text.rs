use std::fmt::Write;

use super::{Format, LooseFamily, Shown};
use crate::telemetry::series::{escape, head};
use crate::telemetry::{Kind, Labels, Micros};

/// Integers up to here are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn write(
    families: &[Shown<'_>],
    loose: &[&LooseFamily],
    now: Micros,
    format: Format,
) -> String {
    let mut out = String::with_capacity(1 << 16);
    let mut refused = Vec::new();
    for shown in families {
        let family = &shown.family;
        let declaration = family.declaration();
        let (name, kind) = (&declaration.name, declaration.kind.name());
        header(&mut out, format, name, kind, &declaration.help);
        family.each(|series| {
            series.lines(now, format == Format::OpenMetrics, |head, value| {
                out.push_str(head);
                number(&mut out, value);
                out.push('\n');
            });
        });
        for (labels, value) in shown.rest() {
            sample(&mut out, name, labels, *value);
        }
        if family.refused() > 0 {
            refused.push((name, family.refused()));
        }
    }
    for family in loose {
        let kind = match family.kind.as_str() {
            "counter" if family.name.ends_with("_total") => Kind::Counter.name(),
            "gauge" => Kind::Gauge.name(),
            _ if format == Format::OpenMetrics => "unknown",
            _ => "untyped",
        };
        header(&mut out, format, &family.name, kind, &family.help);
        for (labels, value) in &family.samples {
            sample(&mut out, &family.name, labels, *value);
        }
    }
    if !refused.is_empty() {
        let name = "holdfast_label_sets_refused_total";
        let help = "Uses of a label set beyond the limit of its family.";
        header(&mut out, format, name, Kind::Counter.name(), help);
        for (family, count) in refused {
            out.push_str(&head(name, [("family", family.as_str())].into_iter()));
            number(&mut out, count as f64);
            out.push('\n');
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn sample(out: &mut String, name: &str, labels: &Labels, value: f64) {
    out.push_str(&head(name, labels.iter()));
    number(out, value);
    out.push('\n');
}

fn header(out: &mut String, format: Format, name: &str, kind: &str, help: &str) {
    let open = format == Format::OpenMetrics;
    let name = if open && kind == "counter" { name.trim_end_matches("_total") } else { name };
    if !help.is_empty() {
        let _ = write!(out, "# HELP {name} ");
        if open {
            escape(out, help);
        } else {
            out.push_str(&help.replace('\\', "\\\\").replace('\n', "\\n"));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "# TYPE {name} {kind}");
}

/// The shortest text that reads back as `value`.
pub(super) fn number(out: &mut String, value: f64) {
    if value.abs() < EXACT && value.fract() == 0.0 {
        return integer(out, value as i64);
    }
    // Writing to a string cannot fail.
    let _ = if value.is_nan() {
        write!(out, "NaN")
    } else if value.is_infinite() {
        write!(out, "{}Inf", if value > 0.0 { '+' } else { '-' })
    } else {
        write!(out, "{value:?}")
    };
}

/// `write!` takes several times as long, and most values are integers.
fn integer(out: &mut String, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}
