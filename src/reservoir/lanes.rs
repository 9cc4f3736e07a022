/// A unit's value in each series of a block, side by side: the vector dimension of every
/// kernel here. Aligned, because a 64-byte load across two cache lines costs double.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Lanes<T, const L: usize>(pub [T; L]);

impl<T: Copy + Default, const L: usize> Lanes<T, L> {
    /// The same value in every series.
    pub fn splat(value: T) -> Self {
        Self([value; L])
    }

    /// `units` rows of zeros.
    pub fn zeros(units: usize) -> Vec<Self> {
        vec![Self::splat(T::default()); units]
    }
}
