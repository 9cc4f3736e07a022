//! Python values as values of a line.

use std::borrow::Cow;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

use crate::telemetry::log::Line;

/// Values of values of values: beyond, `str` speaks for the rest.
const DEPTH: u32 = 6;
/// Entries that one field may write.
const ENTRIES: u32 = 2000;

/// Writes one value. Whatever it raises while it is asked becomes text; only what is no
/// `Exception` (an interrupt) is passed on.
pub(super) fn write(line: &mut Line<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut entries = ENTRIES;
    write_nested(line, value, DEPTH, &mut entries)
}

fn write_nested(
    line: &mut Line<'_>,
    value: &Bound<'_, PyAny>,
    depth: u32,
    entries: &mut u32,
) -> PyResult<()> {
    *entries = entries.saturating_sub(1);
    if let Ok(text) = value.cast::<PyString>() {
        write_text(line, text);
    } else if value.is_none() {
        line.null();
    } else if let Ok(flag) = value.cast::<PyBool>() {
        line.boolean(flag.is_true());
    } else if let Ok(number) = value.cast::<PyFloat>() {
        line.float(number.value());
    } else if let Ok(number) = value.cast::<PyInt>() {
        match number.extract() {
            Ok(small) => line.integer(small),
            // An enumeration or a number of any size: `int.__repr__`, whatever its class says.
            Err(_) => write_large(line, number)?,
        }
    } else if depth == 0 || *entries == 0 {
        write_described(line, value)?;
    } else if let Ok(map) = value.cast::<PyDict>() {
        line.open_object();
        for (key, value) in map.iter().take(*entries as usize) {
            if line.key(&described(&key)?) {
                write_nested(line, &value, depth - 1, entries)?;
            }
        }
        line.close_object();
    } else if is_sequence(value) {
        line.open_list();
        for value in value.try_iter()?.take(*entries as usize) {
            line.item();
            write_nested(line, &value?, depth - 1, entries)?;
        }
        line.close_list();
    } else if let Some(scalar) = numpy_scalar(value) {
        write_nested(line, &scalar, depth - 1, entries)?;
    } else {
        write_described(line, value)?;
    }
    Ok(())
}

/// Sequences whose iteration runs no code of the user's.
fn is_sequence(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PySet>()
        || value.is_exact_instance_of::<PyFrozenSet>()
        || value.is_instance_of::<PyTuple>()
}

fn numpy_scalar<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let module = value.get_type().module().ok()?;
    if module.to_str().ok()? != "numpy" || value.getattr("ndim").ok()?.extract::<u32>().ok()? != 0 {
        return None;
    }
    value.call_method0("item").ok()
}

/// Text with lone surrogates replaced: a line is UTF-8.
pub(super) fn write_text(line: &mut Line<'_>, text: &Bound<'_, PyString>) {
    match text.to_str() {
        Ok(text) => line.string(text),
        Err(_) => line.string(&text.to_string_lossy()),
    }
}

fn write_large(line: &mut Line<'_>, number: &Bound<'_, PyInt>) -> PyResult<()> {
    // Python refuses to write out numbers of more than 4300 digits.
    let digits = number.py().get_type::<PyInt>().call_method1("__repr__", (number,));
    match excused(digits)? {
        Some(digits) => line.digits(digits.cast::<PyString>()?.to_str()?),
        None => line.string("<a number too large to write>"),
    }
    Ok(())
}

fn write_described(line: &mut Line<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    line.string(&described(value)?);
    Ok(())
}

/// As `described`, without a copy where it is text already.
pub(super) fn shown<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, str>> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_string_lossy()),
        Err(_) => described(value).map(Cow::Owned),
    }
}

/// `isoformat()` of moments, `repr` of bytes, `str` of everything else.
pub(super) fn described(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_string_lossy().into_owned());
    }
    let is_moment = || value.get_type().module().is_ok_and(|module| module == "datetime");
    let text = if value.is_instance_of::<PyBytes>() {
        value.repr()
    } else if is_moment() && value.hasattr("isoformat")? {
        value.call_method0("isoformat").and_then(|text| Ok(text.cast_into::<PyString>()?))
    } else {
        value.str()
    };
    Ok(match excused(text)? {
        Some(text) => text.to_string_lossy().into_owned(),
        None => format!("<unprintable {}>", value.get_type().name()?),
    })
}

/// `None` in place of an exception; an interrupt is passed on.
pub(super) fn excused<T>(result: PyResult<T>) -> PyResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => Python::attach(|py| {
            if error.is_instance_of::<PyException>(py) { Ok(None) } else { Err(error) }
        }),
    }
}
