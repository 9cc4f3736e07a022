//! What comes in at one step.

use crate::linalg::packed::Strips;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// Share of sources that are not zero from which the dense product is quicker.
const DENSE_FROM: f64 = 0.4;

/// For each sequence the sources that are not zero, or, where
/// those are many, all of them.
#[derive(Default)]
pub(super) struct Sources<T> {
    indices: Vec<u32>,
    values: Vec<T>,
    /// Where each sequence's end.
    ends: Vec<usize>,
    /// `(sequences, sources)`, if `dense`.
    all: Vec<T>,
    dense: bool,
}

impl<T: Real> Sources<T> {
    fn clear(&mut self) {
        self.indices.clear();
        self.values.clear();
        self.ends.clear();
        self.all.clear();
    }

    fn is_dense(&self, sources: usize) -> bool {
        self.indices.len() as f64 >= DENSE_FROM * (sources * self.ends.len()) as f64
    }

    #[inline(always)]
    pub(super) fn take<'a>(&mut self, sources: usize, rows: impl Iterator<Item = &'a [T]> + Clone) {
        self.clear();
        for row in rows.clone() {
            for (i, value) in row.iter().enumerate() {
                if *value != T::default() {
                    self.indices.push(i as u32);
                    self.values.push(*value);
                }
            }
            self.ends.push(self.indices.len());
        }
        self.dense = self.is_dense(sources);
        if self.dense {
            rows.for_each(|row| self.all.extend_from_slice(row));
        }
    }

    #[inline(always)]
    pub(super) fn take_spikes<'a>(
        &mut self,
        sources: usize,
        rows: impl Iterator<Item = &'a [i8]> + Clone,
    ) {
        self.clear();
        for row in rows.clone() {
            let (eights, rest) = row.as_chunks::<8>();
            for (i, eight) in eights.iter().enumerate() {
                // A spike is the lowest bit of its byte; most groups have none.
                let mut bits = u64::from_le_bytes(eight.map(|spike| spike as u8));
                while bits != 0 {
                    self.indices.push(i as u32 * 8 + bits.trailing_zeros() / 8);
                    bits &= bits - 1;
                }
            }
            let last = (row.len() - rest.len()..row.len()).filter(|i| row[*i] != 0);
            self.indices.extend(last.map(|i| i as u32));
            self.ends.push(self.indices.len());
        }
        self.values.resize(self.indices.len(), T::ONE);
        self.dense = self.is_dense(sources);
        if self.dense {
            let value = |spike: &i8| if *spike == 0 { T::default() } else { T::ONE };
            rows.for_each(|row| self.all.extend(row.iter().map(value)));
        }
    }

    #[inline(always)]
    pub(super) fn add<A: Arithmetic>(&self, weights: &Strips<T>, strip: usize, sums: &mut [T]) {
        if self.dense {
            weights.add_all::<A>(strip, &self.all, sums);
            return;
        }
        let mut begin = 0;
        for (end, sums) in self.ends.iter().zip(sums.chunks_exact_mut(Strips::<T>::WIDTH)) {
            let (indices, values) = (&self.indices[begin..*end], &self.values[begin..*end]);
            weights.add_some::<A>(strip, indices, values, sums);
            begin = *end;
        }
    }
}
