use std::fmt::Write;
use std::sync::PoisonError;

use super::text::number;
use super::{LooseFamily, Shown};
use crate::telemetry::series::bound;
use crate::telemetry::{Labels, Micros, Series, State};

pub(super) fn write(families: &[Shown<'_>], loose: &[&LooseFamily], now: Micros) -> String {
    let mut out = String::from("[");
    for shown in families {
        let declaration = shown.family.declaration();
        open(&mut out, &declaration.name, declaration.kind.name(), &declaration.help);
        shown.family.each(|one| {
            let pairs = one.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str()));
            labels(&mut out, pairs);
            series(&mut out, one, now);
        });
        for (pairs, one) in shown.rest() {
            sample(&mut out, pairs, *one);
        }
        out.push_str("]}");
    }
    for family in loose {
        open(&mut out, &family.name, &family.kind, &family.help);
        for (pairs, one) in &family.samples {
            sample(&mut out, pairs, *one);
        }
        out.push_str("]}");
    }
    out.push(']');
    out
}

fn sample(out: &mut String, pairs: &Labels, one: f64) {
    labels(out, pairs.iter());
    out.push_str(",\"value\":");
    value(out, one);
    out.push('}');
}

fn comma(out: &mut String) {
    if !out.ends_with(['[', '{']) {
        out.push(',');
    }
}

fn open(out: &mut String, name: &str, kind: &str, help: &str) {
    comma(out);
    out.push_str("{\"name\":");
    text(out, name);
    out.push_str(",\"type\":");
    text(out, kind);
    out.push_str(",\"help\":");
    text(out, help);
    out.push_str(",\"series\":[");
}

fn labels<'a>(out: &mut String, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    comma(out);
    out.push_str("{\"labels\":{");
    for (name, value) in pairs {
        comma(out);
        text(out, name);
        out.push(':');
        text(out, value);
    }
    out.push('}');
}

fn series(out: &mut String, series: &Series, now: Micros) {
    match series.state() {
        State::Number(number) => {
            out.push_str(",\"value\":");
            value(out, number.get());
            out.push('}');
        }
        State::Histogram(histogram) => {
            let _ = write!(out, ",\"count\":{},\"sum\":", histogram.count());
            value(out, histogram.sum());
            out.push_str(",\"buckets\":{");
            for (le, count) in histogram.cumulative() {
                comma(out);
                let _ = write!(out, "\"{}\":{count}", bound(le));
            }
            out.push_str("}}");
        }
        State::Summary(summary) => {
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = write!(out, ",\"count\":{},\"sum\":", summary.count());
            value(out, summary.sum());
            out.push_str(",\"quantiles\":{");
            for &q in series.quantiles() {
                comma(out);
                let _ = write!(out, "\"{}\":", bound(q));
                value(out, summary.quantile(q, now));
            }
            out.push_str("}}");
        }
    }
}

/// JSON has no word for what is not finite: it becomes the string Prometheus uses.
fn value(out: &mut String, value: f64) {
    let quote = if value.is_finite() { "" } else { "\"" };
    out.push_str(quote);
    number(out, value);
    out.push_str(quote);
}

/// A JSON string.
pub(in crate::telemetry) fn text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
