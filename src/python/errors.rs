//! Core errors to Python exceptions: one `From` per domain, so bindings use `?`.

// Defined in python/holdfast/errors.py, where users read them.
pyo3::import_exception!(holdfast.errors, InvalidDataError);
pyo3::import_exception!(holdfast.errors, InvalidParameterError);
pyo3::import_exception!(holdfast.errors, TimeBudgetError);
