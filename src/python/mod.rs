//! The `holdfast._core` extension module.
//!
//! This layer converts arguments, releases the GIL and maps errors. A line that
//! computes anything belongs in the domain it was taken from.

mod arguments;
mod boundary;
mod consensus;
mod density;
mod device;
mod errors;
mod kmeans;
mod lif;
mod machine;
mod mixture;
mod reservoir;
mod resilience;
mod scores;
mod series;
mod spiking;
mod telemetry;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::consensus::{embed_consensus, encode_population, fit_consensus, nearest_center};
    #[pymodule_export]
    use super::density::fit_dbscan;
    #[pymodule_export]
    use super::device::{
        HostEngine, LocalAgent, ProtocolClient, SimulatedDevice, inspect_gguf, simulated_profiles,
    };
    #[pymodule_export]
    use super::kmeans::{
        fit_kmeans_f32, fit_kmeans_f64, kmeans_distances_f32, kmeans_distances_f64,
        predict_kmeans_f32, predict_kmeans_f64,
    };
    #[pymodule_export]
    use super::lif::{LIFNetwork, draw_lif_weights};
    #[pymodule_export]
    use super::machine::{available_threads, force_simd_level, simd_level, simd_levels};
    #[pymodule_export]
    use super::mixture::{fit_mixture, mixture_log_probabilities};
    #[pymodule_export]
    use super::reservoir::{
        Reservoir, draw_echo_state_weights, draw_input_weights, draw_liquid_weights,
        spectral_radius,
    };
    #[pymodule_export]
    use super::resilience::{
        AttemptLoop, Block, BreakerPolicy, BulkheadPolicy, CallContext, Compiled, Degradation,
        Durations, FallbackPolicy, LimiterPolicy, PoolBooks, RetryBudget, RetryPolicy,
        TimeoutPolicy, VirtualClock, guard,
    };
    #[pymodule_export]
    use super::scores::silhouette_widths;
    #[pymodule_export]
    use super::series::{
        dictionary_features, driven_features, fit_driven_echo_state, fit_driven_liquid,
        layer_dilations, learn_dictionary,
    };
    #[pymodule_export]
    use super::spiking::{
        draw_spiking_weights, encode_spikes, learn_spikes, simulate_spikes, spiking_features,
    };
    #[pymodule_export]
    use super::telemetry::log::{
        LogChannel, LogOutput, configure_logs, hides_secret, log_counts, scrub_secrets,
        use_log_fields,
    };
    #[pymodule_export]
    use super::telemetry::spans::{OperationTimes, new_span_id, new_trace_id, seed_ids};
    #[pymodule_export]
    use super::telemetry::{
        Counter, Expression, Gauge, HealthBoard, Histogram, History, Matchers, Registry, RuleState,
        Server, Summary, Timer, hold_reads, release_reads,
    };
}
