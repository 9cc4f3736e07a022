use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::linalg::packed::{Centres, nearest_in_panel};
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Kernel, Level, Separate, dispatch};
use crate::series::Series;
use crate::task::{Stopped, Task};

/// Patches side by side.
const LANES: usize = f32::PANEL;

/// Samples of a patch.
pub const TAPS: usize = 9;

/// One layer of winner-take-all units: at every time step the unit whose weights are
/// nearest to the patch of the series around it fires, and inhibits all others.
///
/// A patch is [`TAPS`] samples, `dilation` steps apart, of some channels; its mean is
/// removed per channel and it is divided by its standard deviation + `epsilon`.
#[derive(Clone, Debug)]
pub struct Dictionary {
    channels: Vec<usize>,
    dilation: usize,
    epsilon: f32,
    units: Centres<f32>,
}

impl Dictionary {
    /// Units with weights `(units, channels * TAPS)`.
    ///
    /// # Panics
    /// If the weights have another width.
    pub fn new(
        channels: Vec<usize>,
        dilation: usize,
        epsilon: f32,
        weights: ArrayView2<f32>,
    ) -> Self {
        assert_eq!(weights.ncols(), channels.len() * TAPS, "one weight per tap and channel");
        Self { channels, dilation, epsilon, units: Centres::new(weights) }
    }

    /// Steps a patch spans.
    fn span(&self) -> usize {
        (TAPS - 1) * self.dilation + 1
    }
}

/// Patches of the series: the samples in `wanted` as `(series, patch)` pairs, row by row.
pub(super) fn patches(
    series: &Series<f32>,
    channels: &[usize],
    dilation: usize,
    epsilon: f32,
    wanted: &[(usize, usize)],
) -> Array2<f32> {
    let width = channels.len() * TAPS;
    let mut rows = Array2::zeros((wanted.len(), width));
    let mut panel = vec![[0.0; LANES]; width];
    let mut values = Vec::new();
    let mut loaded = None;
    let lines = Lines { channels, dilation };
    for (mut row, (i, at)) in rows.rows_mut().into_iter().zip(wanted) {
        if loaded != Some(i) {
            lines.load(series.get(*i), series.channels(), &mut values);
            loaded = Some(i);
        }
        lines.panel::<Separate>(&values, *at, epsilon, &mut panel);
        row.iter_mut().zip(&panel).for_each(|(slot, tap)| *slot = tap[0]);
    }
    rows
}

/// Number of patches of a series of `length` steps.
pub(super) fn positions(length: usize, dilation: usize) -> usize {
    let span = (TAPS - 1) * dilation + 1;
    length.max(span) - span + 1
}

struct Lines<'a> {
    channels: &'a [usize],
    dilation: usize,
}

impl Lines<'_> {
    /// The channels of one series apart from each other, each long enough for the patches
    /// of a whole panel; a series shorter than a patch goes on with its last value.
    #[inline(always)]
    fn load(&self, series: &[f32], channels: usize, values: &mut Vec<f32>) {
        let length = series.len() / channels;
        let span = (TAPS - 1) * self.dilation + 1;
        let stride = length.max(span) + LANES;
        values.clear();
        values.resize(stride * self.channels.len(), 0.0);
        for (line, channel) in values.chunks_exact_mut(stride).zip(self.channels) {
            for (slot, step) in line.iter_mut().zip(series.chunks_exact(channels)) {
                *slot = step[*channel];
            }
            let last = if length > 0 { line[length - 1] } else { 0.0 };
            line[length..].fill(last);
        }
    }

    /// [`LANES`] patches from `at` on, one array per tap.
    #[inline(always)]
    fn panel<A: Arithmetic>(
        &self,
        values: &[f32],
        at: usize,
        epsilon: f32,
        panel: &mut [[f32; LANES]],
    ) {
        let stride = values.len() / self.channels.len();
        let mut squares = [0.0_f32; LANES];
        for (line, taps) in values.chunks_exact(stride).zip(panel.chunks_exact_mut(TAPS)) {
            let mut sum = [0.0_f32; LANES];
            for (j, tap) in taps.iter_mut().enumerate() {
                let from = at + j * self.dilation;
                tap.copy_from_slice(&line[from..from + LANES]);
                for l in 0..LANES {
                    sum[l] += tap[l];
                }
            }
            for tap in taps {
                for l in 0..LANES {
                    tap[l] -= sum[l] / TAPS as f32;
                    squares[l] = A::mul_add32(tap[l], tap[l], squares[l]);
                }
            }
        }
        let width = panel.len() as f32;
        let mut scale = [0.0_f32; LANES];
        for l in 0..LANES {
            scale[l] = 1.0 / ((squares[l] / width).sqrt() + epsilon);
        }
        for tap in panel {
            for l in 0..LANES {
                tap[l] *= scale[l];
            }
        }
    }
}

struct Rates<'a> {
    layer: &'a Dictionary,
    series: &'a [f32],
    channels: usize,
    out: &'a mut [f32],
}

impl Kernel for Rates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let Self { layer, series, channels, out } = self;
        let lines = Lines { channels: &layer.channels, dilation: layer.dilation };
        let mut values = Vec::new();
        lines.load(series, channels, &mut values);
        let positions = (series.len() / channels).max(layer.span()) - layer.span() + 1;
        let mut panel = vec![[0.0; LANES]; layer.channels.len() * TAPS];
        let mut winner = [0; LANES];
        let mut wins = vec![0_u32; layer.units.len()];
        for at in (0..positions).step_by(LANES) {
            lines.panel::<A>(&values, at, layer.epsilon, &mut panel);
            nearest_in_panel::<f32, A>(panel.as_flattened(), &layer.units, &mut winner);
            for winner in winner.iter().take(positions - at) {
                wins[*winner as usize] += 1;
            }
        }
        for (rate, wins) in out.iter_mut().zip(wins) {
            *rate = (wins as f32 / positions as f32).sqrt();
        }
    }
}

/// Layers for several dilations and groups of channels.
#[derive(Clone, Debug)]
pub struct Layers(pub Vec<Dictionary>);

impl Layers {
    /// Features per series: one per unit.
    pub fn width(&self) -> usize {
        self.0.iter().map(|layer| layer.units.len()).sum()
    }

    /// Writes the square root of every unit's firing rate, the share of time steps that it
    /// won, to `out`: `width` numbers per series.
    ///
    /// # Panics
    /// If `out` has another size.
    pub fn features(
        &self,
        series: &Series<f32>,
        out: &mut [f32],
        level: Level,
        task: &Task,
    ) -> Result<(), Stopped> {
        let width = self.width();
        assert_eq!(out.len(), series.len() * width, "one row of features per series");
        task.expect(series.len());
        out.par_chunks_exact_mut(width.max(1)).enumerate().try_for_each(|(i, mut row)| {
            for layer in &self.0 {
                task.check()?;
                let (own, rest) = row.split_at_mut(layer.units.len());
                let (series, channels) = (series.get(i), series.channels());
                dispatch(level, Rates { layer, series, channels, out: own });
                row = rest;
            }
            task.advance(1);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_unit_fires_where_its_pattern_is() {
        let rise: Vec<f32> = (0..9).map(|i| (i as f32 - 4.0) / 2.6).collect();
        let mut weights = Array2::zeros((2, TAPS));
        for j in 0..TAPS {
            weights[(0, j)] = rise[j];
            weights[(1, j)] = -rise[j];
        }
        let layer = Dictionary::new(vec![0], 1, 0.1, weights.view());
        let values = Array2::from_shape_fn((30, 1), |(i, _)| i as f32);
        let series = Series::new(values.view(), &[30]).unwrap();
        let mut rates = vec![0.0; 2];
        Layers(vec![layer]).features(&series, &mut rates, Level::current(), &Task::new()).unwrap();
        assert_eq!(rates, [1.0, 0.0]);
    }

    #[test]
    fn a_patch_is_centred_and_scaled() {
        let values = array![[0.0], [0.0], [0.0], [0.0], [9.0], [0.0], [0.0], [0.0], [0.0_f32]];
        let series = Series::new(values.view(), &[9]).unwrap();
        let patch = patches(&series, &[0], 1, 0.1, &[(0, 0)]);
        let spread = (8.0_f32 * 1.0 + 64.0) / 9.0;
        let scale = spread.sqrt() + 0.1;
        for (j, value) in patch.row(0).iter().enumerate() {
            let expected = if j == 4 { 8.0 } else { -1.0 } / scale;
            assert!((value - expected).abs() < 1e-6, "{j}: {value} {expected}");
        }
    }

    #[test]
    fn a_short_series_goes_on_with_its_last_value() {
        assert_eq!((positions(3, 1), positions(9, 1), positions(20, 2)), (1, 1, 4));
    }
}
