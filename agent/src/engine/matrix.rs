//! Matrix times vector, straight from the file's blocks.

use crate::gguf::ElementType;

/// Rows of weights in the file.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) element: ElementType,
    pub(super) columns: usize,
}

/// A vector as floats and as integers: `floats[i]` is near `integers[i] * scale`.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) floats: &'a [f32],
    pub(super) integers: &'a [i16],
    pub(super) scale: f32,
}

/// Rounds `values` to integers up to `largest`, halves away from zero; returns the scale.
#[inline(always)]
pub(super) fn quantise(values: &[f32], largest: f32, integers: &mut [i16]) -> f32 {
    let peak = values.iter().fold(0.0_f32, |peak, value| {
        let size = value.abs();
        if size > peak { size } else { peak }
    });
    if peak == 0.0 {
        integers.fill(0);
        return 0.0;
    }
    let inverse = largest / peak;
    for (integer, value) in integers.iter_mut().zip(values) {
        *integer = (value * inverse + 0.5_f32.copysign(*value)) as i16;
    }
    peak / largest
}

/// binary16 in units of `2^-24`, exactly; beyond 128 it saturates. Scales are far below.
#[inline(always)]
pub fn half_fixed(bits: u16) -> i32 {
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = i64::from(bits & 0x3ff);
    let size = match exponent {
        0 => fraction,
        _ => (fraction | 0x400) << (exponent - 1),
    };
    let size = size.min(i64::from(i32::MAX)) as i32;
    if bits & 0x8000 == 0 { size } else { -size }
}

/// binary16 to binary32, exactly.
#[inline(always)]
pub fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = u32::from(bits & 0x3ff);
    match exponent {
        0 => f32::from_bits((fraction as f32 * (1.0 / 16_777_216.0)).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

const LANES: usize = 8;

/// Eight partial sums, added in pairs: one order for all targets.
#[inline(always)]
pub fn add_lanes(lanes: [f32; LANES]) -> f32 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Rows of weights times a vector. Sums over quantised rows are exact, so that they have one
/// result however a machine orders them; sums over floating-point rows go through eight
/// lanes, value `i` to lane `i % 8`, which [`add_lanes`] adds up.
///
/// The methods here take rows as the file has them, one after the other.
pub trait Products: Copy {
    /// Row `row` of the matrix `rows` as floats, as many as `out` takes.
    #[inline(always)]
    fn row(self, element: ElementType, rows: &[u8], row: usize, out: &mut [f32]) {
        let row_bytes = element.row_bytes(out.len()).unwrap_or(1);
        decode(element, &rows[row * row_bytes..][..row_bytes], out);
    }

    /// Rows of `Q8_0` blocks; a sum is in units of `2^-24` times the input's, which `scale` has.
    #[inline(always)]
    fn q8_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(input.len() / 32 * 34)) {
            *out = dot_q8(row, input) as f32 * scale;
        }
    }

    /// Rows of `Q4_0` blocks.
    #[inline(always)]
    fn q4_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(input.len() / 32 * 18)) {
            *out = dot_q4(row, input) as f32 * scale;
        }
    }

    /// Rows of binary32.
    #[inline(always)]
    fn f32(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(4 * input.len())) {
            *out = dot_floats(row, input, |b| f32::from_le_bytes(*b));
        }
    }

    /// Rows of binary16.
    #[inline(always)]
    fn f16(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(2 * input.len())) {
            *out = dot_floats(row, input, |b| half(u16::from_le_bytes(*b)));
        }
    }
}

/// One product after the other.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Products for Plain {}

#[inline(always)]
fn dot_q8(row: &[u8], input: &[i16]) -> i64 {
    let (blocks, _) = row.as_chunks::<34>();
    let (inputs, _) = input.as_chunks::<32>();
    let mut sum = 0_i64;
    for (block, input) in blocks.iter().zip(inputs) {
        let mut part = 0_i32;
        for i in 0..32 {
            part += i32::from(block[2 + i] as i8) * i32::from(input[i]);
        }
        sum += i64::from(part) * i64::from(half_fixed(u16::from_le_bytes([block[0], block[1]])));
    }
    sum
}

#[inline(always)]
fn dot_q4(row: &[u8], input: &[i16]) -> i64 {
    let (blocks, _) = row.as_chunks::<18>();
    let (inputs, _) = input.as_chunks::<32>();
    let mut sum = 0_i64;
    for (block, input) in blocks.iter().zip(inputs) {
        let mut part = 0_i32;
        for i in 0..16 {
            let pair = block[2 + i];
            part += (i32::from(pair & 15) - 8) * i32::from(input[i]);
            part += (i32::from(pair >> 4) - 8) * i32::from(input[16 + i]);
        }
        sum += i64::from(part) * i64::from(half_fixed(u16::from_le_bytes([block[0], block[1]])));
    }
    sum
}

#[inline(always)]
fn dot_floats<const BYTES: usize>(
    row: &[u8],
    input: &[f32],
    decode: impl Fn(&[u8; BYTES]) -> f32,
) -> f32 {
    let (weights, _) = row.as_chunks::<BYTES>();
    let (weight_groups, weight_rest) = weights.as_chunks::<LANES>();
    let (input_groups, input_rest) = input.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (weights, inputs) in weight_groups.iter().zip(input_groups) {
        for lane in 0..LANES {
            lanes[lane] += decode(&weights[lane]) * inputs[lane];
        }
    }
    for (lane, (weight, input)) in weight_rest.iter().zip(input_rest).enumerate() {
        lanes[lane] += decode(weight) * input;
    }
    add_lanes(lanes)
}

impl Matrix<'_> {
    /// `out[r]` = row `r` times `input`.
    // On x86 this is compiled again for each instruction set; elsewhere one copy is enough.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    #[cfg_attr(not(target_arch = "x86_64"), inline(never))]
    pub(super) fn multiply<P: Products>(&self, products: P, input: &Input<'_>, out: &mut [f32]) {
        let scale = input.scale * (1.0 / 16_777_216.0);
        match self.element {
            ElementType::Q8_0 => products.q8_0(self.bytes, input.integers, scale, out),
            ElementType::Q4_0 => products.q4_0(self.bytes, input.integers, scale, out),
            ElementType::F32 => products.f32(self.bytes, input.floats, out),
            ElementType::F16 => products.f16(self.bytes, input.floats, out),
        }
    }

    /// Row `row` of `rows` as floats.
    pub(super) fn row<P: Products>(&self, products: P, rows: usize, row: usize, out: &mut [f32]) {
        let row_bytes = self.element.row_bytes(self.columns).unwrap_or(1);
        products.row(self.element, &self.bytes[..rows * row_bytes], row, out);
    }
}

/// The row of blocks or numbers `bytes` as floats.
fn decode(element: ElementType, bytes: &[u8], out: &mut [f32]) {
    let scale = |block: &[u8]| half(u16::from_le_bytes([block[0], block[1]]));
    match element {
        ElementType::Q8_0 => {
            for (out, block) in out.chunks_exact_mut(32).zip(bytes.chunks_exact(34)) {
                for (out, weight) in out.iter_mut().zip(&block[2..]) {
                    *out = f32::from(*weight as i8) * scale(block);
                }
            }
        }
        ElementType::Q4_0 => {
            for (out, block) in out.chunks_exact_mut(32).zip(bytes.chunks_exact(18)) {
                let (low, high) = out.split_at_mut(16);
                for ((low, high), pair) in low.iter_mut().zip(high).zip(&block[2..]) {
                    *low = (f32::from(pair & 15) - 8.0) * scale(block);
                    *high = (f32::from(pair >> 4) - 8.0) * scale(block);
                }
            }
        }
        ElementType::F32 => {
            for (out, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *out = f32::from_le_bytes(*b);
            }
        }
        ElementType::F16 => {
            for (out, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *out = half(u16::from_le_bytes(*b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_has_its_value_in_both_forms() {
        for bits in 0..=u16::MAX {
            let exponent = i32::from(bits >> 10 & 31);
            let fraction = f64::from(bits & 0x3ff);
            let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
            let exact = match exponent {
                31 => continue,
                0 => sign * fraction * 2_f64.powi(-24),
                _ => sign * (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
            };
            assert!((f64::from(half(bits)) - exact).abs() < f64::MIN_POSITIVE);
            let fixed = f64::from(half_fixed(bits)) * 2_f64.powi(-24);
            let edge = 128.0 - 2_f64.powi(-24);
            assert!((fixed - exact.clamp(-edge, edge)).abs() < f64::MIN_POSITIVE);
        }
    }

    #[test]
    fn quantised_integers_stand_for_their_floats() {
        let values = [0.5, -1.0, 0.25, 0.0, 1e-9];
        let mut integers = [0; 5];
        let scale = quantise(&values, 32_767.0, &mut integers);
        assert_eq!(integers[1], -32_767);
        for (value, integer) in values.iter().zip(integers) {
            assert!((value - f32::from(integer) * scale).abs() <= scale * 0.51);
        }
        assert!(quantise(&[0.0; 4], 32_767.0, &mut integers).abs() < f32::MIN_POSITIVE);
    }
}
