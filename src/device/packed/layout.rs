//! Where the bytes of sixteen rows go.

use holdfast_agent::engine::{Place, Plain, Products};
use holdfast_agent::gguf::ElementType;

use super::ROWS;

/// Lays the rows of `place` side by side.
pub(super) fn pack(place: &Place, rows: &[u8], out: &mut [u8]) {
    let row_bytes = rows.len() / place.rows.max(1);
    let groups = rows.chunks_exact(ROWS * row_bytes).zip(out.chunks_exact_mut(ROWS * row_bytes));
    for (rows, out) in groups {
        out.fill(0);
        for row in 0..ROWS {
            let from = &rows[row * row_bytes..][..row_bytes];
            each_byte(place.element, row_bytes, row, |at, packed, digits| match digits {
                None => out[packed] = from[at],
                Some(half) => out[packed] |= (from[at] >> (4 * half.from) & 15) << (4 * half.to),
            });
        }
    }
}

/// A row of a packed matrix as floats.
pub(super) fn unpack_row(element: ElementType, rows: &[u8], row: usize, out: &mut [f32]) {
    let row_bytes = element.row_bytes(out.len()).unwrap_or(1);
    let group = &rows[row / ROWS * ROWS * row_bytes..];
    let Some(group) = group.get(..ROWS * row_bytes) else {
        return Plain.row(element, rows, row, out);
    };
    let mut found = vec![0; row_bytes];
    each_byte(element, row_bytes, row % ROWS, |at, packed, digits| match digits {
        None => found[at] = group[packed],
        Some(half) => found[at] |= (group[packed] >> (4 * half.to) & 15) << (4 * half.from),
    });
    Plain.row(element, &found, 0, out);
}

/// Which half of a byte goes to which.
#[derive(Clone, Copy)]
struct Half {
    from: usize,
    to: usize,
}

/// Calls `copy` with each byte's place in a row and among sixteen packed ones; where halves
/// go apart, with these too.
#[inline(always)]
fn each_byte(
    element: ElementType,
    row_bytes: usize,
    row: usize,
    mut copy: impl FnMut(usize, usize, Option<Half>),
) {
    // Numbers of `size` bytes that lie `stride` apart.
    let mut numbers = |count: usize, size: usize, from: usize, to: usize| {
        for number in 0..count {
            for byte in 0..size {
                let packed = to + (number * ROWS + row) * size + byte;
                copy(from + number * size + byte, packed, None);
            }
        }
    };
    match element {
        ElementType::F32 => numbers(row_bytes / 4, 4, 0, 0),
        ElementType::F16 => numbers(row_bytes / 2, 2, 0, 0),
        ElementType::Q8_0 => {
            for block in 0..row_bytes / 34 {
                let (from, to) = (block * 34, block * 34 * ROWS);
                numbers(1, 2, from, to);
                numbers(16, 2, from + 2, to + 2 * ROWS);
            }
        }
        ElementType::Q4_0 => {
            for block in 0..row_bytes / 18 {
                let (from, to) = (block * 18, block * 18 * ROWS);
                for byte in 0..2 {
                    copy(from + byte, to + 2 * row + byte, None);
                }
                for column in 0..32 {
                    // Eight columns fill 16 bits twice: even ones the first, odd ones the second.
                    let digit = column % 8 / 2;
                    let word = column / 8 * ROWS * 2 + row * 2 + column % 2;
                    let packed = to + 2 * ROWS + 2 * word + digit / 2;
                    let half = Half { from: column / 16, to: digit % 2 };
                    copy(from + 2 + column % 16, packed, Some(half));
                }
            }
        }
    }
}
