use crate::linalg::real::Real;

/// Dimensions copied at a time, so that the lines written to stay in the cache.
const BLOCK: usize = 16;

/// Fills `panel` (`dim x PANEL`, dimension-major) with up to `PANEL` rows, less `shift`;
/// the lanes that are left over hold zeros.
///
/// # Panics
/// If a row or `shift` is not `dim` long.
pub fn pack<'a, T: Real>(
    rows: impl ExactSizeIterator<Item = &'a [T]> + Clone,
    shift: &[T],
    panel: &mut [T],
) {
    let dim = shift.len();
    assert!(rows.len() <= T::PANEL && panel.len() == dim * T::PANEL);
    if rows.len() < T::PANEL {
        panel.fill(T::default());
    }
    for start in (0..dim).step_by(BLOCK) {
        let end = (start + BLOCK).min(dim);
        let target = &mut panel[start * T::PANEL..end * T::PANEL];
        let shift = &shift[start..end];
        for (lane, row) in rows.clone().enumerate() {
            let row = &row[start..end];
            for ((target, x), shift) in
                target[lane..].iter_mut().step_by(T::PANEL).zip(row).zip(shift)
            {
                *target = *x - *shift;
            }
        }
    }
}

/// Panels of all rows of a row-major matrix, less `shift`, one after the other.
pub fn pack_rows<T: Real>(rows: &[T], shift: &[T]) -> Vec<T> {
    use rayon::prelude::*;

    let dim = shift.len();
    let n = rows.len().checked_div(dim).unwrap_or(0);
    let mut panels = vec![T::default(); n.div_ceil(T::PANEL) * T::PANEL * dim];
    panels.par_chunks_exact_mut((dim * T::PANEL).max(1)).enumerate().for_each(|(i, panel)| {
        let first = i * T::PANEL * dim;
        let last = (first + T::PANEL * dim).min(rows.len());
        pack(rows[first..last].chunks_exact(dim), shift, panel);
    });
    panels
}
