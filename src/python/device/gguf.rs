use holdfast_agent::gguf::{ElementType, File, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::device::DeviceError;

/// Arrays longer than this are described, not copied: vocabularies are long.
const SHORT: usize = 64;

pub(super) fn name(model: &[u8]) -> Option<String> {
    match File::parse(model).ok()?.get("general.name")? {
        Value::String(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    }
}

fn value<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Unsigned(number) => number.into_pyobject(py)?.into_any(),
        Value::Negative(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Bool(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::String(text) => String::from_utf8_lossy(text).into_pyobject(py)?.into_any(),
        Value::Array(array) if array.count <= SHORT => {
            let items: PyResult<Vec<_>> =
                array.values().map(|item| self::value(py, item)).collect();
            PyList::new(py, items?)?.into_any()
        }
        Value::Array(array) => format!("array of {} values of type {}", array.count, array.element)
            .into_pyobject(py)?
            .into_any(),
    })
}

/// What a GGUF file says about itself.
#[pyfunction]
pub(in super::super) fn inspect_gguf<'py>(
    py: Python<'py>,
    data: &[u8],
) -> PyResult<Bound<'py, PyDict>> {
    let file = File::parse(data).map_err(DeviceError::from)?;
    let metadata = PyDict::new(py);
    for (key, item) in file.metadata() {
        metadata.set_item(String::from_utf8_lossy(key), value(py, item)?)?;
    }
    let tensors = PyList::empty(py);
    let mut parameters = 0_u64;
    for tensor in file.tensors() {
        let tensor = tensor.map_err(DeviceError::from)?;
        parameters = parameters.saturating_add(
            tensor.sizes.iter().fold(1_u64, |product, size| product.saturating_mul(*size)),
        );
        let dict = PyDict::new(py);
        dict.set_item("name", String::from_utf8_lossy(tensor.name))?;
        dict.set_item("shape", tensor.sizes)?;
        dict.set_item("type", ElementType::from_code(tensor.code).map(ElementType::name))?;
        dict.set_item("type_code", tensor.code)?;
        dict.set_item("bytes", tensor.byte_count(data.len()))?;
        tensors.append(dict)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("version", file.version())?;
    dict.set_item("metadata", metadata)?;
    dict.set_item("tensors", tensors)?;
    dict.set_item("parameters", parameters)?;
    Ok(dict)
}
