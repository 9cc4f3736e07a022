//! Clustering, device profiling and guards for numeric Python that must not fall over.
//!
//! A module uses those named beside it and no other; `tests/test_architecture.py` holds the
//! imports against this table.
//!
//! | module         | holds                                                       | may use                              |
//! |----------------|-------------------------------------------------------------|--------------------------------------|
//! | [`random`]     | seeded generators                                           |                                      |
//! | [`task`]       | stopping and progress of long kernels                       |                                      |
//! | [`clock`]      | time in nanoseconds: coarse, precise and virtual            |                                      |
//! | [`series`]     | sequences of different lengths in one block of memory       |                                      |
//! | [`linalg`]     | instruction-set dispatch, matrix kernels, eigenvalues       | `random`, `task`                     |
//! | [`reservoir`]  | echo state networks and liquids, many series at a time      | `linalg`, `random`, `series`, `task` |
//! | [`spiking`]    | units that fire, their codes and how they learn             | `linalg`, `random`, `series`, `task` |
//! | [`cluster`]    | grouping rows                                               | `linalg`, `random`, `task`           |
//! | [`telemetry`]  | series, history, rules and exposition                       |                                      |
//! | [`device`]     | devices that run language models: client, engine, simulator | `linalg`, `task`                     |
//! | [`resilience`] | retry, breaker, limits: decisions that receive the time     | `clock`                              |
//! | `python`       | the `holdfast._core` extension module                       | all                                  |

pub mod clock;
pub mod cluster;
pub mod device;
pub mod linalg;
pub mod random;
pub mod reservoir;
pub mod resilience;
pub mod series;
pub mod spiking;
pub mod task;
pub mod telemetry;

#[cfg(feature = "python")]
mod python;
