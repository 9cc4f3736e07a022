//! Many sequences of different lengths in one block of memory.

use ndarray::ArrayView2;
use thiserror::Error;

/// The lengths and the values do not fit together.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("lengths sum to {summed} time steps, values hold {held}")]
pub struct LengthMismatch {
    /// Sum of the lengths.
    pub summed: usize,
    /// Rows of the values.
    pub held: usize,
}

/// A set of `(time, channels)` sequences, one after the other.
///
/// Sequence `i` is rows `offsets[i]..offsets[i + 1]`, row-major and contiguous. There is
/// no padding, so nothing can leak from one sequence into another.
#[derive(Clone, Debug)]
pub struct Series<'a, T> {
    values: &'a [T],
    offsets: Vec<usize>,
    channels: usize,
}

impl<'a, T: Copy> Series<'a, T> {
    /// Sequences of `lengths[i]` rows each, from `values` of shape `(sum of lengths, channels)`.
    ///
    /// # Panics
    /// If `values` is not in standard (row-major, contiguous) layout.
    pub fn new(values: ArrayView2<'a, T>, lengths: &[usize]) -> Result<Self, LengthMismatch> {
        let mut offsets = Vec::with_capacity(lengths.len() + 1);
        let mut end = 0;
        offsets.push(end);
        for length in lengths {
            end += length;
            offsets.push(end);
        }
        if end != values.nrows() {
            return Err(LengthMismatch { summed: end, held: values.nrows() });
        }
        let channels = values.ncols();
        let values = values.to_slice().expect("values are in standard layout");
        Ok(Self { values, offsets, channels })
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no sequence.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values per time step.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Time steps of sequence `i`.
    pub fn length(&self, i: usize) -> usize {
        self.offsets[i + 1] - self.offsets[i]
    }

    /// Time steps of the longest sequence.
    pub fn longest(&self) -> usize {
        (0..self.len()).map(|i| self.length(i)).max().unwrap_or(0)
    }

    /// Values of sequence `i`, `length * channels` of them, row-major.
    pub fn get(&self, i: usize) -> &'a [T] {
        &self.values[self.offsets[i] * self.channels..self.offsets[i + 1] * self.channels]
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn sequences_keep_their_own_rows() {
        let values = array![[1, 2], [3, 4], [5, 6]];
        let series = Series::new(values.view(), &[1, 0, 2]).unwrap();
        assert_eq!((series.len(), series.channels(), series.longest()), (3, 2, 2));
        assert_eq!(series.get(0), [1, 2]);
        assert!(series.get(1).is_empty());
        assert_eq!(series.get(2), [3, 4, 5, 6]);
    }

    #[test]
    fn lengths_must_use_up_the_values() {
        let error = Series::new(array![[1], [2]].view(), &[1]).unwrap_err();
        assert_eq!(error, LengthMismatch { summed: 1, held: 2 });
    }
}
