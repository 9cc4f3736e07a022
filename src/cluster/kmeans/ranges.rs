use std::ops::Range;

use crate::linalg::packed::LANES;

/// Most ranges the rows are split into. Sums are kept per range and added up in order, so
/// this number, unlike that of the threads, is part of the result.
const RANGES: usize = 32;
const ROWS_PER_RANGE: usize = 2048;

/// Neighbouring rows that are worked on together.
pub(super) fn ranges(n: usize) -> Vec<Range<usize>> {
    let count = (n / ROWS_PER_RANGE).clamp(1, RANGES);
    let length = n.div_ceil(count).next_multiple_of(LANES);
    (0..n).step_by(length).map(|first| first..(first + length).min(n)).collect()
}
