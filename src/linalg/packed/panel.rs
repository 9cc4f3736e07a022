use super::pages::zeros;
use crate::linalg::real::Real;

/// Rows and dimensions copied at a time, so that the lines written to stay in the cache.
const BLOCK: usize = 16;

/// Fills `panel` (`dim x PANEL`, dimension-major) with up to `PANEL` rows, less `shift`;
/// the lanes that are left over hold zeros.
///
/// # Panics
/// If a row or `shift` is not `dim` long.
pub fn pack<'a, T: Real>(
    rows: impl ExactSizeIterator<Item = &'a [T]>,
    shift: &[T],
    panel: &mut [T],
) {
    let dim = shift.len();
    assert!(rows.len() <= T::PANEL && panel.len() == dim * T::PANEL);
    if rows.len() < T::PANEL {
        panel.fill(T::default());
    }
    let rows: Vec<&[T]> = rows.collect();
    assert!(rows.iter().all(|row| row.len() == dim));
    for start in (0..dim).step_by(BLOCK) {
        let end = (start + BLOCK).min(dim);
        let target = &mut panel[start * T::PANEL..end * T::PANEL];
        for (group, rows) in rows.chunks(BLOCK).enumerate() {
            let lane = group * BLOCK;
            if rows.len() == BLOCK && end - start == BLOCK {
                transpose(rows, start, shift, &mut target[lane..]);
            } else {
                for (l, row) in rows.iter().enumerate() {
                    for j in start..end {
                        target[(j - start) * T::PANEL + lane + l] = row[j] - shift[j];
                    }
                }
            }
        }
    }
}

/// A square of values, by way of a copy whose size the compiler knows.
#[inline(always)]
fn transpose<T: Real>(rows: &[&[T]], start: usize, shift: &[T], target: &mut [T]) {
    let shift = &shift[start..start + BLOCK];
    let mut block = [[T::default(); BLOCK]; BLOCK];
    for (block, row) in block.iter_mut().zip(rows) {
        let row = &row[start..start + BLOCK];
        for j in 0..BLOCK {
            block[j] = row[j] - shift[j];
        }
    }
    for j in 0..BLOCK {
        let out = &mut target[j * T::PANEL..j * T::PANEL + BLOCK];
        for l in 0..BLOCK {
            out[l] = block[l][j];
        }
    }
}

/// Panels of all rows of a row-major matrix, less `shift`, one after the other.
pub fn pack_rows<T: Real>(rows: &[T], shift: &[T]) -> Vec<T> {
    use rayon::prelude::*;

    let dim = shift.len();
    let n = rows.len().checked_div(dim).unwrap_or(0);
    let mut panels = zeros(n.div_ceil(T::PANEL) * T::PANEL * dim);
    panels.par_chunks_exact_mut((dim * T::PANEL).max(1)).enumerate().for_each(|(i, panel)| {
        let first = i * T::PANEL * dim;
        let last = (first + T::PANEL * dim).min(rows.len());
        pack(rows[first..last].chunks_exact(dim), shift, panel);
    });
    panels
}
