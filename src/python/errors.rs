//! Core errors to Python exceptions: one `From` per domain, so bindings use `?`.

use pyo3::PyErr;
use pyo3::exceptions::PyKeyboardInterrupt;

use crate::cluster::kmeans::KMeansError;
use crate::cluster::mixture::MixtureError;
use crate::device::DeviceError;
use crate::device::simulator::SimulatorError;
use crate::reservoir::ReservoirError;
use crate::resilience::Invalid;
use crate::task::Stopped;
use crate::telemetry::TelemetryError;

// Defined in python/holdfast/errors, where users read them.
pyo3::import_exception!(holdfast.errors, InvalidDataError);
pyo3::import_exception!(holdfast.errors, InvalidParameterError);
pyo3::import_exception!(holdfast.errors, TimeBudgetError);
pyo3::import_exception!(holdfast.errors, BulkheadFullError);
pyo3::import_exception!(holdfast.errors, CircuitOpenError);
pyo3::import_exception!(holdfast.errors, DeadlineExceededError);
pyo3::import_exception!(holdfast.errors, RateLimitedError);
pyo3::import_exception!(holdfast.errors, RejectedError);

impl From<Invalid> for PyErr {
    fn from(error: Invalid) -> Self {
        InvalidParameterError::new_err(error.to_string())
    }
}

impl From<ReservoirError> for PyErr {
    fn from(error: ReservoirError) -> Self {
        let message = error.to_string();
        match error {
            ReservoirError::NotFinite { .. }
            | ReservoirError::WrongSize { .. }
            | ReservoirError::Lengths(_) => InvalidDataError::new_err(message),
            ReservoirError::Spectral(_) => InvalidParameterError::new_err(message),
            ReservoirError::Stopped(_) => PyKeyboardInterrupt::new_err(message),
        }
    }
}

impl From<TelemetryError> for PyErr {
    fn from(error: TelemetryError) -> Self {
        let message = error.to_string();
        match error {
            TelemetryError::Parameter(_)
            | TelemetryError::Declared { .. }
            | TelemetryError::Syntax { .. } => InvalidParameterError::new_err(message),
            TelemetryError::Value(_) | TelemetryError::Evaluation(_) => {
                InvalidDataError::new_err(message)
            }
        }
    }
}

impl From<KMeansError> for PyErr {
    fn from(error: KMeansError) -> Self {
        let message = error.to_string();
        match error {
            KMeansError::BadParameter { .. } | KMeansError::BadShape { .. } => {
                InvalidParameterError::new_err(message)
            }
            KMeansError::TooFewRows { .. }
            | KMeansError::BadWeights(_)
            | KMeansError::TooLarge { .. } => InvalidDataError::new_err(message),
            KMeansError::Stopped(_) => PyKeyboardInterrupt::new_err(message),
        }
    }
}

impl From<MixtureError> for PyErr {
    fn from(error: MixtureError) -> Self {
        let message = error.to_string();
        match error {
            MixtureError::NotPositive { .. } => InvalidDataError::new_err(message),
            MixtureError::Start(error) => error.into(),
            MixtureError::Stopped(_) => PyKeyboardInterrupt::new_err(message),
        }
    }
}

impl From<DeviceError> for PyErr {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::File(error) => InvalidDataError::new_err(format!("model: {error}")),
            DeviceError::Prompt(error) => InvalidDataError::new_err(format!("prompt: {error}")),
            DeviceError::Stopped(stopped) => stopped.into(),
        }
    }
}

impl From<SimulatorError> for PyErr {
    fn from(error: SimulatorError) -> Self {
        let message = error.to_string();
        match error {
            SimulatorError::NotFirmware
            | SimulatorError::FirmwareTooLarge { .. }
            | SimulatorError::ModelTooLarge { .. } => InvalidDataError::new_err(message),
            SimulatorError::Size { .. } | SimulatorError::Clock => {
                InvalidParameterError::new_err(message)
            }
        }
    }
}

impl From<Stopped> for PyErr {
    fn from(stopped: Stopped) -> Self {
        PyKeyboardInterrupt::new_err(stopped.to_string())
    }
}
