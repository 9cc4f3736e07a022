#![allow(unsafe_code)] // loads and stores of registers

use crate::linalg::lanes::Lanes as Register;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

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

impl<T: Real, const L: usize> Lanes<T, L> {
    /// The `v`-th register of the series; there are `L` over the size of one.
    #[inline(always)]
    pub(super) fn register<A: Arithmetic>(&self, v: usize) -> T::Vector<A> {
        let n = <T::Vector<A> as Register<T>>::N;
        let numbers = &self.0[v * n..(v + 1) * n];
        // SAFETY: the slice holds a register.
        unsafe { T::Vector::<A>::load(numbers.as_ptr()) }
    }

    /// Overwrites the `v`-th register.
    #[inline(always)]
    pub(super) fn set_register<A: Arithmetic>(&mut self, v: usize, register: T::Vector<A>) {
        let n = <T::Vector<A> as Register<T>>::N;
        let numbers = &mut self.0[v * n..(v + 1) * n];
        // SAFETY: the slice holds a register.
        unsafe { register.store(numbers.as_mut_ptr()) };
    }
}
