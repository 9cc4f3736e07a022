use ndarray::{Array2, ArrayView2};

/// Receptive fields are centred between minus and plus this many standard deviations.
const REACH: f64 = 2.5;
/// Values farther out are taken to be here.
const EDGE: f64 = 3.0;

/// Population code (Georgopoulos et al., 1986; Gaussian receptive fields as in Bohte et
/// al., 2002): the activity of `fields` units per column, each with a Gaussian receptive
/// field as wide as the distance to its neighbour. `(rows, columns * fields)`; a column
/// with `deviation` zero is taken to be at its mean.
pub fn population_code(
    rows: ArrayView2<f64>,
    mean: &[f64],
    deviation: &[f64],
    fields: usize,
) -> Array2<f32> {
    let step = 2.0 * REACH / (fields.max(2) - 1) as f64;
    Array2::from_shape_fn((rows.nrows(), rows.ncols() * fields), |(i, f)| {
        let (j, field) = (f / fields, f % fields);
        let scale = if deviation[j] > 0.0 { deviation[j] } else { f64::INFINITY };
        let z = ((rows[(i, j)] - mean[j]) / scale).clamp(-EDGE, EDGE);
        let center = if fields == 1 { 0.0 } else { field as f64 * step - REACH };
        (-0.5 * ((z - center) / step).powi(2)).exp() as f32
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_field_at_the_value_is_fully_active() {
        let code = population_code(array![[7.5], [-99.0]].view(), &[5.0], &[1.0], 6);
        assert!((code[(0, 5)] - 1.0).abs() < 1e-6);
        assert!((code[(1, 0)] - (-0.125_f32).exp()).abs() < 1e-6);
    }

    #[test]
    fn a_constant_column_is_at_its_mean() {
        let code = population_code(array![[5.0], [6.0]].view(), &[5.0], &[0.0], 5);
        assert_eq!(code.row(0), code.row(1));
    }
}
