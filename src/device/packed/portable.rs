//! Products of packed rows in plain loops over sixteen lanes.

use holdfast_agent::engine::{Plain, Products, add_lanes, half, half_fixed};
use holdfast_agent::gguf::ElementType;

use super::{ROWS, unpack_row};

/// Sixteen rows at once, of which an array holds the sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

/// The halves at the front of a packed block or column.
fn halves(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().take(ROWS).map(|half| u16::from_le_bytes(*half))
}

fn write(sums: [i64; ROWS], scale: f32, out: &mut [f32]) {
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = sum as f32 * scale;
    }
}

fn add(sums: &mut [i64; ROWS], parts: [i32; ROWS], block: &[u8]) {
    for ((sum, part), scale) in sums.iter_mut().zip(parts).zip(halves(block)) {
        *sum += i64::from(part) * i64::from(half_fixed(scale));
    }
}

/// Sums of a group of columns, lane by lane.
fn floats<const BYTES: usize>(
    rows: &[u8],
    input: &[f32],
    out: &mut [f32],
    decode: impl Fn([u8; BYTES]) -> f32,
) {
    let mut lanes = [[0.0; 8]; ROWS];
    for (column, (numbers, input)) in rows.chunks_exact(BYTES * ROWS).zip(input).enumerate() {
        for (lanes, number) in lanes.iter_mut().zip(numbers.as_chunks::<BYTES>().0) {
            lanes[column % 8] += decode(*number) * input;
        }
    }
    for (out, lanes) in out.iter_mut().zip(lanes) {
        *out = add_lanes(lanes);
    }
}

impl Products for Portable {
    fn row(self, element: ElementType, rows: &[u8], row: usize, out: &mut [f32]) {
        unpack_row(element, rows, row, out);
    }

    fn q8_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let (mut groups, bytes) = (out.chunks_exact_mut(ROWS), input.len() / 32 * 34 * ROWS);
        let done = groups.len() * bytes;
        for (out, rows) in groups.by_ref().zip(rows.chunks_exact(bytes)) {
            let mut sums = [0; ROWS];
            for (block, input) in rows.chunks_exact(34 * ROWS).zip(input.as_chunks::<32>().0) {
                let mut parts = [0_i32; ROWS];
                let pairs = block[2 * ROWS..].as_chunks::<{ 2 * ROWS }>().0;
                for (weights, [a, b]) in pairs.iter().zip(input.as_chunks::<2>().0) {
                    for (part, [v, w]) in parts.iter_mut().zip(weights.as_chunks::<2>().0) {
                        *part += i32::from(*v as i8) * i32::from(*a);
                        *part += i32::from(*w as i8) * i32::from(*b);
                    }
                }
                add(&mut sums, parts, block);
            }
            write(sums, scale, out);
        }
        Plain.q8_0(&rows[done..], input, scale, groups.into_remainder());
    }

    fn q4_0(self, rows: &[u8], input: &[i16], scale: f32, out: &mut [f32]) {
        let (mut groups, bytes) = (out.chunks_exact_mut(ROWS), input.len() / 32 * 18 * ROWS);
        let done = groups.len() * bytes;
        for (out, rows) in groups.by_ref().zip(rows.chunks_exact(bytes)) {
            let mut sums = [0; ROWS];
            for (block, input) in rows.chunks_exact(18 * ROWS).zip(input.as_chunks::<32>().0) {
                let mut parts = [0_i32; ROWS];
                let eights = block[2 * ROWS..].as_chunks::<{ 4 * ROWS }>().0;
                for (weights, input) in eights.iter().zip(input.as_chunks::<8>().0) {
                    for (part, [a, b, c, d]) in parts.iter_mut().zip(weights.as_chunks::<4>().0) {
                        for (even, odd, pair) in [(a, c, &input[..4]), (b, d, &input[4..])] {
                            *part += (i32::from(even & 15) - 8) * i32::from(pair[0]);
                            *part += (i32::from(odd & 15) - 8) * i32::from(pair[1]);
                            *part += (i32::from(even >> 4) - 8) * i32::from(pair[2]);
                            *part += (i32::from(odd >> 4) - 8) * i32::from(pair[3]);
                        }
                    }
                }
                add(&mut sums, parts, block);
            }
            write(sums, scale, out);
        }
        Plain.q4_0(&rows[done..], input, scale, groups.into_remainder());
    }

    fn f32(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        let (mut groups, bytes) = (out.chunks_exact_mut(ROWS), 4 * input.len() * ROWS);
        let done = groups.len() * bytes;
        for (out, rows) in groups.by_ref().zip(rows.chunks_exact(bytes)) {
            floats(rows, input, out, f32::from_le_bytes);
        }
        Plain.f32(&rows[done..], input, groups.into_remainder());
    }

    fn f16(self, rows: &[u8], input: &[f32], out: &mut [f32]) {
        let (mut groups, bytes) = (out.chunks_exact_mut(ROWS), 2 * input.len() * ROWS);
        let done = groups.len() * bytes;
        for (out, rows) in groups.by_ref().zip(rows.chunks_exact(bytes)) {
            floats(rows, input, out, |bytes| half(u16::from_le_bytes(bytes)));
        }
        Plain.f16(&rows[done..], input, groups.into_remainder());
    }
}
