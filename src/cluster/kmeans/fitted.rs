use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::frame::{Frame, exponent, scaled, times_power};
use crate::linalg::packed::{Centres, nearest};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::task::{Stopped, Task};

/// Clusters found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted<T> {
    /// Their means, `(k, dim)`.
    pub centres: Array2<T>,
    /// Where [`predict`] compares rows and centres.
    pub frame: Frame<T>,
    /// The cluster of each row, equal to what [`predict`] says.
    pub labels: Vec<u32>,
    /// Weighted sum of squared distances of the rows to their centres.
    pub inertia: f64,
    /// Iterations run.
    pub n_iter: usize,
}

/// Rows longer than this power of two, in a frame, are searched for on their own: their
/// scores could overflow.
const FAR: i32 = 60;

/// The nearest centre of each row (ties: the lowest index), whatever other rows there are.
pub fn predict<T: Real>(
    x: ArrayView2<'_, T>,
    centres: ArrayView2<'_, T>,
    frame: &Frame<T>,
    level: Level,
    task: &Task,
) -> Result<Vec<u32>, Stopped> {
    let x = x.as_standard_layout();
    let rows = x.as_slice().unwrap_or(&[]);
    let centres = frame.centres(centres);
    let mut found = if frame.exponent == 0 {
        nearest(rows, &frame.shift, &centres, level, task)
    } else {
        nearest(&scaled(rows, -frame.exponent), &frame.shift, &centres, level, task)
    }?;
    found.par_iter_mut().zip(rows.par_chunks_exact(centres.dim())).for_each(|(label, row)| {
        let largest = row.iter().fold(T::default(), |most, x| most.larger(x.abs()));
        let exponent = exponent(largest.wide());
        if exponent - frame.exponent > FAR {
            *label = nearest_to_far(row, exponent, &centres, frame);
        }
    });
    Ok(found)
}

/// The nearest centre of a row whose largest number is below `2^exponent`, by scores at the
/// scale of the row.
fn nearest_to_far<T: Real>(
    row: &[T],
    exponent: i32,
    centres: &Centres<T>,
    frame: &Frame<T>,
) -> u32 {
    let down = frame.exponent - exponent;
    let shift = frame.shift.iter().map(|shift| times_power(shift.wide(), down));
    let row: Vec<f64> =
        row.iter().zip(shift).map(|(x, shift)| times_power(x.wide(), -exponent) - shift).collect();
    let score = |c: usize| -> f64 {
        let centre = || centres.row(c).iter().map(|x| x.wide());
        let square: f64 = centre().map(|c| c * c).sum();
        let dot: f64 = row.iter().zip(centre()).map(|(x, c)| x * c).sum();
        dot - times_power(square / 2.0, down)
    };
    let scores = (0..centres.len()).map(|c| (c as u32, score(c)));
    let first_best = |best: (u32, f64), next: (u32, f64)| if next.1 > best.1 { next } else { best };
    scores.reduce(first_best).map_or(0, |best| best.0)
}
