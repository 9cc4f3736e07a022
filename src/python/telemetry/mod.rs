//! Bindings of series, rules, checks, traces and logs.
