//! Exponentials in integers: the same on every target, and short without a float unit.

/// log2 of e.
pub(super) const LOG2_E: f32 = core::f32::consts::LOG2_E;

/// `2^-(t / 65536)` in units of `2^-30`; absolute error below `7e-9`.
///
/// Polynomial of degree 6 through the Chebyshev points of [0, 1].
#[inline(always)]
pub(super) fn exp2_negative(t: u32) -> u32 {
    const COEFFICIENTS: [i32; 6] =
        [-1_369_601, 10_286_296, -59_582_935, 257_938_912, -744_260_973, 1_073_741_823];
    let whole = t >> 16;
    if whole > 30 {
        return 0;
    }
    let fraction = i64::from(t & 0xffff);
    let mut sum = 117_391_i32;
    for coefficient in COEFFICIENTS {
        sum = coefficient + ((i64::from(sum) * fraction) >> 16) as i32;
    }
    (sum as u32) >> whole
}

/// `x / (1 + e^-x)`, the activation called `SiLU` or swish.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    let e = exp2_negative((x.abs() * (LOG2_E * 65_536.0)) as u32);
    // 1 / (1 + e): sixteen bits by division, the rest by one step of Newton's method.
    let d = (1 << 30) + e;
    let guess = ((1_u32 << 31) / (d >> 15)) << 14;
    let product = ((u64::from(d) * u64::from(guess)) >> 30) as u32;
    let inverse = (u64::from(guess) * u64::from((1_u32 << 31).wrapping_sub(product))) >> 30;
    let sigmoid = if x < 0.0 { (u64::from(e) * inverse) >> 30 } else { inverse };
    x * (sigmoid as u32 as f32 * (1.0 / (1_u32 << 30) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_within_its_stated_error() {
        for t in (0..20 << 16).step_by(37) {
            let exact = (-f64::from(t) / 65_536.0).exp2();
            let ours = f64::from(exp2_negative(t)) / f64::from(1 << 30);
            assert!((ours - exact).abs() < 7e-9, "{t}: {ours} {exact}");
        }
        assert_eq!(exp2_negative(u32::MAX), 0);
    }

    #[test]
    fn silu_follows_its_definition() {
        for i in -4000..4000 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x) / (1.0 + (-f64::from(x)).exp());
            let error = (f64::from(silu(x)) - exact).abs();
            assert!(
                error < 2e-5 * (0.01 + exact.abs()) + 1e-7 * f64::from(x.abs()),
                "{x}: {error}"
            );
        }
    }
}
