//! A subset of `PromQL`, with the results of Prometheus 2.
//!
//! Grammar, functions and where it differs: `docs/telemetry.md`.

mod aggregate;
mod ast;
mod binary;
mod deviation;
mod evaluate;
mod functions;
mod lexer;
mod matcher;
mod parser;
mod ranges;

pub use ast::Expr;
pub use evaluate::{Point, Value, evaluate};
pub use matcher::{Matcher, parse_matchers};
pub use parser::parse;

#[cfg(test)]
mod tests;
