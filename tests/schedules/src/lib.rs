//! The sources of the guards as they are, built with `--cfg shuttle`.

#[path = "../../../src/clock.rs"]
pub mod clock;
#[path = "../../../src/resilience/mod.rs"]
pub mod resilience;
