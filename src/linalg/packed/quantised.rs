//! Nearest centres by scalar quantisation: whole numbers decide most rows, and say of the
//! others that they do not.

#![allow(unsafe_code)] // raw loads in the innermost loop, stores of registers

use rayon::prelude::*;

use super::nearest::{Centres, Found};
use super::pages::zeros;
use super::rounding::{LENGTH, Quantise, scale};
use super::tile::{ROWS, with_rows};
use crate::linalg::lanes::{Lanes, prefetch};
use crate::linalg::pairs::Pairs;
use crate::linalg::real::Real;
use crate::linalg::simd::{Arithmetic, Level, dispatch};
use crate::task::{Stopped, Task};

/// Rows of a panel of whole numbers.
pub const LANES: usize = 64;
/// Rows in whole numbers, each row to a scale of its own, in panels of [`LANES`].
#[derive(Clone, Debug)]
pub struct Quantised {
    /// `(dim / 2) x LANES` pairs of neighbouring dimensions per panel.
    pairs: Vec<[i16; 2]>,
    half: usize,
    /// What each row was multiplied with; zero in the lanes left over.
    scales: Vec<f32>,
    /// At least how far each scaled row is from its whole numbers.
    residuals: Vec<f32>,
}

impl Quantised {
    /// Dimensions beyond which sums of products could leave 32 bits.
    pub const MOST_DIMENSIONS: usize = 1 << 16;

    /// `rows`, row-major, less `shift`; writes their squared lengths to `squares`.
    ///
    /// # Panics
    /// If there are fewer squares than rows, or too many dimensions.
    pub fn new<T: Real>(
        rows: &[T],
        shift: &[T],
        squares: &mut [T],
        level: Level,
        task: &Task,
    ) -> Result<Self, Stopped> {
        let dim = shift.len();
        let half = dim.div_ceil(2);
        let n = rows.len() / dim;
        assert!(n <= squares.len() && dim <= Self::MOST_DIMENSIONS);
        let panels = n.div_ceil(LANES);
        let mut quantised = Self {
            pairs: zeros(panels * half * LANES),
            half,
            scales: vec![0.0; panels * LANES],
            residuals: vec![0.0; panels * LANES],
        };
        let of_rows = rows.par_chunks(dim * LANES).zip(squares.par_chunks_mut(LANES));
        let of_scales = quantised.scales.par_chunks_exact_mut(LANES);
        let of_residuals = quantised.residuals.par_chunks_exact_mut(LANES);
        let outputs = quantised.pairs.par_chunks_exact_mut(half * LANES);
        outputs.zip(of_scales).zip(of_residuals).zip(of_rows).try_for_each(
            |(((pairs, scales), residuals), (rows, squares))| {
                task.check()?;
                dispatch(level, Quantise { rows, shift, squares, pairs, scales, residuals });
                Ok(())
            },
        )?;
        Ok(quantised)
    }

    /// The two best scores of the rows of the panel that begins with row `first`, to be
    /// called inside a dispatched kernel.
    ///
    /// # Panics
    /// If there is no such panel, or the dimensions differ.
    #[inline(always)]
    pub fn rank<A: Arithmetic>(
        &self,
        first: usize,
        centres: &QuantisedCentres,
        ranking: &mut Ranking,
    ) {
        assert!(first.is_multiple_of(LANES) && centres.half == self.half);
        let panel = &self.pairs[first * self.half..][..LANES * self.half];
        let scales = &self.scales[first..first + LANES];
        let residuals = &self.residuals[first..first + LANES];
        for l in 0..LANES {
            ranking.scale[l] = scales[l];
            ranking.unit[l] = centres.unit / scales[l];
            ranking.slack[l] =
                centres.fixed + centres.per_residual * residuals[l] + centres.per_scale * scales[l];
        }
        let width = A::TILE_VECTORS * A::I32::N;
        for lane in (0..LANES).step_by(width) {
            // The condition is a constant of the level.
            if A::TILE_VECTORS == 4 {
                block::<A, 4>(panel, lane, centres, ranking);
            } else {
                block::<A, 2>(panel, lane, centres, ranking);
            }
        }
    }
}

/// Centres in whole numbers, all to one scale.
#[derive(Clone, Debug)]
pub struct QuantisedCentres {
    pairs: Vec<[i16; 2]>,
    half: usize,
    /// `-|c|^2 / 2`, scaled once.
    offsets: Vec<f32>,
    /// What a score is worth, times the scale of the row.
    unit: f32,
    // How wrong a difference of two scores may be: always, per residual of the row, and per
    // its scale.
    fixed: f32,
    per_residual: f32,
    per_scale: f32,
}

impl QuantisedCentres {
    /// Whole numbers next to `centres`.
    pub fn new<T: Real>(centres: &Centres<T>) -> Self {
        // For the rounding of the bounds themselves.
        const UP: f64 = 1.001;
        let (k, dim) = (centres.len(), centres.dim());
        let half = dim.div_ceil(2);
        let square = |c: usize| centres.row(c).iter().map(|x| x.wide().powi(2)).sum::<f64>();
        let squares: Vec<f64> = (0..k).map(square).collect();
        let longest = squares.iter().copied().fold(0.0, f64::max);
        let values = (0..k).flat_map(|c| centres.row(c));
        let largest = values.map(|x| x.wide().abs()).fold(0.0, f64::max);
        let scale = scale(longest.sqrt(), largest);
        let mut pairs = vec![[0; 2]; k * half];
        let mut residual = 0.0_f64;
        for (c, pairs) in pairs.chunks_exact_mut(half.max(1)).enumerate() {
            let mut sum = 0.0;
            for (x, whole) in centres.row(c).iter().zip(pairs.as_flattened_mut()) {
                let scaled = x.wide() * scale;
                *whole = scaled.round() as i16;
                sum += (scaled - f64::from(*whole)).powi(2);
            }
            residual = residual.max(sum.sqrt());
        }
        // Chains of `dim` roundings in either score of the search this one stands for, and
        // as much again; those of this one, which are in single precision.
        let chain = 4.0 * T::ROUNDOFF * (dim as f64 + 8.0);
        let own = 8.0 * <f32 as Real>::ROUNDOFF;
        let length = longest.sqrt() * scale;
        let rounded = LENGTH * (2.0 * residual + length * (chain + own));
        Self {
            pairs,
            half,
            offsets: squares.iter().map(|s| (-0.5 * s * scale) as f32).collect(),
            unit: (1.0 / scale) as f32,
            fixed: (UP * rounded) as f32,
            per_residual: (UP * 2.0 * (length + residual)) as f32,
            per_scale: (UP * longest * scale * (chain / 2.0 + own)) as f32,
        }
    }
}

/// What whole numbers know of the rows of one panel.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// The centre with the best score.
    pub index: [u32; LANES],
    /// The best score, scaled as its row and the centres are.
    pub best: [f32; LANES],
    /// The second best.
    pub second: [f32; LANES],
    /// How wrong the difference of two scores may be.
    pub slack: [f32; LANES],
    /// Worth of a score of each row.
    pub unit: [f32; LANES],
    scale: [f32; LANES],
}

impl Default for Ranking {
    fn default() -> Self {
        let zeros = [0.0; LANES];
        Self {
            index: [0; LANES],
            best: zeros,
            second: zeros,
            slack: zeros,
            unit: zeros,
            scale: zeros,
        }
    }
}

impl Ranking {
    /// Whether no rounding puts another centre before the best one of the row in `lane`.
    #[inline(always)]
    pub fn decides(&self, lane: usize) -> bool {
        self.best[lane] - self.second[lane] > self.slack[lane] && self.scale[lane] > 0.0
    }
}

#[inline(always)]
fn block<A: Arithmetic, const V: usize>(
    panel: &[[i16; 2]],
    lane: usize,
    centres: &QuantisedCentres,
    ranking: &mut Ranking,
) {
    let n = A::I32::N;
    let mut scale = [A::F32::splat(0.0); V];
    for v in 0..V {
        // SAFETY: `LANES` is a multiple of `V * n`.
        scale[v] = unsafe { A::F32::load(ranking.scale[lane + v * n..].as_ptr()) };
    }
    let mut found = Found::<f32, A, V>::none();
    let half = centres.half;
    let mut first = 0;
    while first < centres.offsets.len() {
        let rows = (centres.offsets.len() - first).min(ROWS);
        with_rows!(rows, C => {
            let pairs = &centres.pairs[first * half..(first + C) * half];
            let here = &panel[lane.min(panel.len())..];
            // The memory has all of this panel's work to bring the next.
            let sums = if first == 0 {
                tile::<A, C, V, true>(pairs, here, half)
            } else {
                tile::<A, C, V, false>(pairs, here, half)
            };
            for c in 0..C {
                let offset = A::F32::splat(centres.offsets[first + c]);
                let mut scores = scale;
                for v in 0..V {
                    scores[v] = offset.mul_add(scale[v], sums[c][v].to_f32());
                }
                found.consider::<true>(scores, first + c);
            }
        });
        first += rows;
    }
    let mut numbers = [0.0_f32; 16];
    for v in 0..V {
        let at = lane + v * n;
        // SAFETY: as above, and a register holds at most 16 numbers.
        unsafe {
            found.index[v].store(numbers.as_mut_ptr());
            found.best[v].store(ranking.best[at..at + n].as_mut_ptr());
            found.second[v].store(ranking.second[at..at + n].as_mut_ptr());
        }
        for (index, number) in ranking.index[at..at + n].iter_mut().zip(numbers) {
            // The mantissa of the sum is the whole number.
            *index = (number + 8_388_608.0).to_bits() & 0x007f_ffff;
        }
    }
}

/// `sum over p of centre(c, p) * lanes(p)`, a pair of dimensions at a time.
#[inline(always)]
fn tile<A: Arithmetic, const C: usize, const V: usize, const NEXT: bool>(
    centres: &[[i16; 2]],
    panel: &[[i16; 2]],
    half: usize,
) -> [[A::I32; V]; C] {
    let n = A::I32::N;
    let mut sums = [[A::I32::splat([0; 2]); V]; C];
    if half == 0 {
        return sums;
    }
    assert!(centres.len() == C * half && (half - 1) * LANES + V * n <= panel.len());
    let (centres, panel) = (centres.as_ptr(), panel.as_ptr());
    for p in 0..half {
        let mut lanes = [A::I32::splat([0; 2]); V];
        for v in 0..V {
            // SAFETY: asserted above.
            lanes[v] = unsafe { A::I32::load(panel.add(p * LANES + v * n)) };
            if NEXT {
                prefetch(panel.wrapping_add((half + p) * LANES + v * n));
            }
        }
        for c in 0..C {
            // SAFETY: asserted above.
            let centre = A::I32::splat(unsafe { *centres.add(c * half + p) });
            for v in 0..V {
                sums[c][v] = sums[c][v].add_products(lanes[v], centre);
            }
        }
    }
    sums
}
