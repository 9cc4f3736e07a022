use ndarray::ArrayView2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::boundary::{Limits, run};
use crate::cluster::{Consensus, ConsensusParameters, Member, Subspace, locate, population_code};
use crate::linalg::simd::Level;

type Group<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray2<f32>>);
type Voter<'py> = (usize, Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>);
type Fitted<'py> = (
    Vec<Group<'py>>,
    Vec<Voter<'py>>,
    Option<Bound<'py, PyArray2<f64>>>,
    Bound<'py, PyArray2<f64>>,
);
type GivenGroup<'py> =
    (PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>, PyReadonlyArray2<'py, f32>);
type GivenVoter<'py> = (usize, PyReadonlyArray2<'py, f32>, PyReadonlyArray2<'py, f32>);

/// Groups (mean, inverse, directions), members (group, map, centres), votes and centres.
#[pyfunction]
#[pyo3(signature = (features, *, n_clusters, members, share, standardised, spherical, seed, limits))]
pub(crate) fn fit_consensus<'py>(
    py: Python<'py>,
    features: Vec<PyReadonlyArray2<'py, f32>>,
    n_clusters: usize,
    members: Vec<usize>,
    share: f64,
    standardised: bool,
    spherical: bool,
    seed: u64,
    limits: Limits,
) -> PyResult<Fitted<'py>> {
    let features: Vec<_> = features.iter().map(|f| f.as_array()).collect();
    if members.is_empty() || members.iter().any(|m| *m >= features.len()) {
        return Err(PyValueError::new_err("every member needs a group of features"));
    }
    let parameters =
        ConsensusParameters { n_clusters, members, share, standardised, spherical, seed };
    let fitted =
        run(py, &limits, |task| Consensus::fit(&features, &parameters, Level::current(), task))?;
    let groups = fitted.groups.into_iter().map(|g| {
        (g.mean.into_pyarray(py), g.inverse.into_pyarray(py), g.directions.into_pyarray(py))
    });
    let members = fitted.members.into_iter();
    let members = members.map(|m| (m.group, m.map.into_pyarray(py), m.centers.into_pyarray(py)));
    Ok((
        groups.collect(),
        members.collect(),
        fitted.votes.map(|votes| votes.into_pyarray(py)),
        fitted.centers.into_pyarray(py),
    ))
}

/// Where samples are in the space of the clusters, `(samples, dimensions)`.
#[pyfunction]
#[pyo3(signature = (features, *, groups, members, votes, spherical, limits))]
pub(crate) fn embed_consensus<'py>(
    py: Python<'py>,
    features: Vec<PyReadonlyArray2<'py, f32>>,
    groups: Vec<GivenGroup<'py>>,
    members: Vec<GivenVoter<'py>>,
    votes: Option<PyReadonlyArray2<'py, f64>>,
    spherical: bool,
    limits: Limits,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let features: Vec<_> = features.iter().map(|f| f.as_array()).collect();
    let groups = groups.iter().map(|(mean, inverse, directions)| {
        Ok(Subspace {
            mean: mean.to_vec()?,
            inverse: inverse.to_vec()?,
            directions: directions.as_array().to_owned(),
            spread: Vec::new(),
            total: 0.0,
        })
    });
    let groups = groups.collect::<PyResult<Vec<_>>>()?;
    let members: Vec<Member> = members
        .iter()
        .map(|(group, map, centers)| Member {
            group: *group,
            map: map.as_array().to_owned(),
            centers: centers.as_array().to_owned(),
        })
        .collect();
    let votes = votes.map(|votes| votes.as_array().to_owned());
    check(&features.iter().map(ArrayView2::ncols).collect::<Vec<_>>(), &groups, &members)?;
    let clusters: usize = members.iter().map(|m| m.centers.nrows()).sum();
    if votes.as_ref().is_some_and(|votes| votes.nrows() != clusters) {
        return Err(PyValueError::new_err("the consensus has not one vote per cluster"));
    }
    let centers = ndarray::Array2::zeros((0, 0));
    let consensus = Consensus { groups, members, spherical, votes, centers };
    let places = run(py, &limits, |task| consensus.embed(&features, Level::current(), task))?;
    Ok(places.into_pyarray(py))
}

/// Checked, because a saved model may come from anywhere.
fn check(widths: &[usize], groups: &[Subspace], members: &[Member]) -> PyResult<()> {
    let fits = widths.len() == groups.len()
        && !members.is_empty()
        && groups
            .iter()
            .zip(widths)
            .all(|(g, width)| [g.mean.len(), g.inverse.len(), g.directions.nrows()] == [*width; 3])
        && members.iter().all(|m| {
            m.group < groups.len()
                && m.map.nrows() == groups[m.group].directions.ncols()
                && m.centers.ncols() == m.map.ncols()
        });
    if fits {
        return Ok(());
    }
    Err(PyValueError::new_err("the numbers of the consensus do not fit together"))
}

/// Nearest centre of every place.
#[pyfunction]
pub(crate) fn nearest_center<'py>(
    py: Python<'py>,
    places: PyReadonlyArray2<'py, f64>,
    centers: PyReadonlyArray2<'py, f64>,
) -> Bound<'py, PyArray1<i64>> {
    let (places, centers) = (places.as_array(), centers.as_array());
    py.detach(|| locate(places, centers)).into_pyarray(py)
}

/// Activity of `fields` receptive fields per column.
#[pyfunction]
pub(crate) fn encode_population<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    fields: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let rows = rows.as_array();
    if mean.len() != rows.ncols() || deviation.len() != rows.ncols() {
        return Err(PyValueError::new_err("one mean and one deviation per column"));
    }
    Ok(py.detach(|| population_code(rows, &mean, &deviation, fields)).into_pyarray(py))
}
