//! Hyperbolic tangent without branches, so that a loop over it vectorises.
//!
//! NaN stays NaN, zero keeps its sign, and no result leaves `-1..=1`. Errors stay below 6
//! units in the last place in single, 4 in double precision.

use super::exp::factors;
use super::simd::Arithmetic;

/// `x P(x^2) / Q(x^2)`, whose coefficients make the largest relative error least over
/// `0..=9.1` (2.4e-8; Lawson's iteration); both series begin with one, so that what is near
/// zero is exact.
#[inline(always)]
pub(super) fn single<A: Arithmetic>(x: f32) -> f32 {
    // From here on the result rounds to one.
    const FLAT: f32 = 9.02;
    let f = A::mul_add32;
    let y = x.abs().clamp(0.0, FLAT);
    let u = y * y;
    let p = f(u, 1.324_289_9e-8, 2.053_411_6e-5);
    let p = f(u, p, 3.491_291_7e-3);
    let p = f(u, p, 0.133_775);
    let p = f(u, p, 1.0);
    let q = f(u, 7.732_479e-7, 3.278_423e-4);
    let q = f(u, q, 2.586_092e-2);
    let q = f(u, q, 0.467_108_2);
    let q = f(u, q, 1.0);
    let t = y * p / q;
    // Not `min`, which would lose a NaN.
    let t = if t > 1.0 { 1.0 } else { t };
    t.copysign(x)
}

/// `tanh |x| = e / (e + 2)` with `e = exp(2 |x|) - 1`, which keeps its accuracy near zero.
#[inline(always)]
pub(super) fn double<A: Arithmetic>(x: f64) -> f64 {
    const FLAT: f64 = 19.1;
    let (power, p) = factors::<A>(2.0 * x.abs().clamp(0.0, FLAT));
    let e = A::mul_add64(power, p, power - 1.0);
    (e / (e + 2.0)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::simd::{Kernel, Level, dispatch};

    struct Each<'a, T>(&'a [T]);

    impl Kernel for Each<'_, f32> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Vec<f32> {
            self.0.iter().map(|x| single::<A>(*x)).collect()
        }
    }

    impl Kernel for Each<'_, f64> {
        type Output = Vec<f64>;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Vec<f64> {
            self.0.iter().map(|x| double::<A>(*x)).collect()
        }
    }

    fn levels() -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(|level| level.available())
    }

    #[test]
    fn single_precision_is_within_six_units_over_the_whole_range() {
        let x: Vec<f32> = (0..u32::MAX >> 9).map(|i| f32::from_bits(i << 8)).collect();
        for level in levels() {
            for (x, t) in x.iter().zip(dispatch(level, Each(&x))).filter(|(x, _)| !x.is_nan()) {
                let exact = f64::from(*x).tanh();
                let unit = f64::from((exact as f32).next_up() - exact as f32);
                let error = (f64::from(t) - exact).abs() / unit;
                assert!(error <= 6.0 && t.abs() <= 1.0, "{level:?} {x:e}: {t} off by {error}");
            }
        }
    }

    #[test]
    fn double_precision_is_within_four_units_over_the_whole_range() {
        let x: Vec<f64> = (0..2_u64.pow(21) - 512).map(|i| f64::from_bits(i << 42)).collect();
        let near = (1..400_000).map(|i| f64::from(i) * 5e-5);
        let x: Vec<f64> = x.into_iter().chain(near).collect();
        for level in levels() {
            for (x, t) in x.iter().zip(dispatch(level, Each(&x))).filter(|(x, _)| !x.is_nan()) {
                let exact = x.tanh();
                let error = (t - exact).abs() / (exact.next_up() - exact);
                assert!(error <= 4.0 && t.abs() <= 1.0, "{level:?} {x:e}: {t} off by {error}");
            }
        }
    }

    #[test]
    fn edges_are_exact_and_the_function_is_odd() {
        for level in levels() {
            let x = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e-310, 700.0];
            let t = dispatch(level, Each(&x));
            assert_eq!(t, [0.0, 0.0, 1.0, -1.0, 1e-310, 1.0]);
            assert!(t[1].is_sign_negative());
            assert!(dispatch(level, Each(&[f64::NAN]))[0].is_nan());
            let x = [0.0_f32, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-40, 700.0];
            let t = dispatch(level, Each(&x));
            assert_eq!(t, [0.0, 0.0, 1.0, -1.0, 1e-40, 1.0]);
            assert!(t[1].is_sign_negative());
            assert!(dispatch(level, Each(&[f32::NAN]))[0].is_nan());
            let x: Vec<f64> = (0..2000).map(|i| f64::from(i) * 0.01).collect();
            let minus: Vec<f64> = x.iter().map(|x| -x).collect();
            let t = dispatch(level, Each(&x));
            let minus = dispatch(level, Each(&minus)).into_iter().map(|t| -t);
            assert_eq!(t, minus.collect::<Vec<_>>());
        }
    }
}
