//! What the arithmetic sees of the numbers that were given.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use crate::linalg::packed::Centres;
use crate::linalg::real::Real;

/// Where rows and centres are compared: at `2^-exponent` times their values, less `shift`.
///
/// The exponent is zero unless squares could leave the range of `T`; a power of two changes
/// no digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<T> {
    /// Subtracted after the scaling, one number per column.
    pub shift: Vec<T>,
    /// Of two.
    pub exponent: i32,
}

impl<T: Real> Frame<T> {
    /// Sums of squares of numbers up to the first stay far from the largest of single
    /// precision; where the largest number reaches the second, squares of differences in its
    /// last digits are far from the least.
    const SAFE: [f64; 2] = [(1_u64 << 40) as f64, 1.0 / (1_u64 << 20) as f64];

    /// The exponent that brings numbers of which `largest` is the largest into a safe range.
    pub(super) fn exponent_for(largest: f64) -> i32 {
        let [most, least] = Self::SAFE;
        if largest == 0.0 || (least..=most).contains(&largest) { 0 } else { exponent(largest) }
    }

    /// Centres as given, ready for a search.
    pub(super) fn centres(&self, centres: ArrayView2<'_, T>) -> Centres<T> {
        let mut centres = centres.to_owned();
        for mut centre in centres.axis_iter_mut(Axis(0)) {
            for (value, shift) in centre.iter_mut().zip(&self.shift) {
                *value = self.scaled(value.wide()) - *shift;
            }
        }
        Centres::new(centres.view())
    }

    /// `value` at the scale of the frame, rounded.
    pub(super) fn scaled(&self, value: f64) -> T {
        T::rounded(times_power(value, -self.exponent))
    }

    /// A number of the frame as it would have been given.
    pub(super) fn unscaled(&self, value: T) -> T {
        T::rounded(times_power(value.wide(), self.exponent))
    }

    /// The same of a square; infinite where it is too large.
    pub(super) fn unscaled_square(&self, square: f64) -> f64 {
        times_power(times_power(square, self.exponent), self.exponent)
    }
}

/// The whole number `e` with `|value|` in `[2^(e - 1), 2^e)`; that of the least normal
/// number for what is smaller.
pub(super) fn exponent(value: f64) -> i32 {
    const BIAS: i32 = 1022;
    let bits = (value.abs().to_bits() >> 52) as i32;
    bits.max(1) - BIAS
}

/// `value * 2^exponent`, rounded once unless it loses digits on its way below the least
/// normal number.
pub(super) fn times_power(value: f64, exponent: i32) -> f64 {
    // No single factor could hold the ratio of the largest number to the least.
    let half = exponent / 2;
    value * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half)
}

/// `values * 2^exponent`.
pub(super) fn scaled<T: Real>(values: &[T], exponent: i32) -> Vec<T> {
    values.par_iter().map(|x| T::rounded(times_power(x.wide(), exponent))).collect()
}
