//! The exponential function without branches, so that a loop over it vectorises.

use super::simd::Arithmetic;

/// `exp(x)` for `x` up to 700; errors stay below two units in the last place, and below -708
/// the result is zero.
#[inline(always)]
pub fn exp<A: Arithmetic>(x: f64) -> f64 {
    const FLOOR: f64 = -708.0;
    let (power, p) = factors::<A>(if x > FLOOR { x } else { FLOOR });
    let value = A::mul_add64(power, p, power);
    if x > FLOOR { value } else { 0.0 }
}

/// A power of two and the `p` for which `exp(y)` is `power * (1 + p)`, for `y` of
/// `-708..=700`.
#[inline(always)]
pub(super) fn factors<A: Arithmetic>(y: f64) -> (f64, f64) {
    // ln 2 in two parts; the first has trailing zeros, so that its multiples are exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Adding and subtracting it rounds to an integer, which is left in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let f = A::mul_add64;
    let shifted = f(y, std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = f(n, -LN2_LOW, f(n, -LN2_HIGH, y));
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    // The series of exp(r) for |r| <= ln(2) / 2: its next term is below rounding.
    let p = f(r, 1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0);
    let p = f(r, p, 1.0 / 39_916_800.0);
    let p = f(r, p, 1.0 / 3_628_800.0);
    let p = f(r, p, 1.0 / 362_880.0);
    let p = f(r, p, 1.0 / 40_320.0);
    let p = f(r, p, 1.0 / 5_040.0);
    let p = f(r, p, 1.0 / 720.0);
    let p = f(r, p, 1.0 / 120.0);
    let p = f(r, p, 1.0 / 24.0);
    let p = f(r, p, 1.0 / 6.0);
    let p = f(r, p, 0.5);
    (power, f(r * r, p, r))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::simd::{Kernel, Level, dispatch};

    struct All<'a>(&'a [f64]);

    impl Kernel for All<'_> {
        type Output = Vec<f64>;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Vec<f64> {
            self.0.iter().map(|x| exp::<A>(*x)).collect()
        }
    }

    #[test]
    fn it_is_the_exponential_function_on_every_level() {
        let x: Vec<f64> = (0..100_000).map(|i| f64::from(i).mul_add(0.013, -700.0)).collect();
        for level in Level::ALL.into_iter().filter(|level| level.available()) {
            for (x, y) in x.iter().zip(dispatch(level, All(&x))) {
                let error = (y / x.exp() - 1.0).abs() / f64::EPSILON;
                assert!(error < 2.0 || *x > 700.0, "exp({x}) is off by {error} units");
            }
            let ends = dispatch(level, All(&[f64::NEG_INFINITY, -709.0, 0.0]));
            assert!(ends == [0.0, 0.0, 1.0]);
        }
    }
}
