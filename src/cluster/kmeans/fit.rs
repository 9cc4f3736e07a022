use ndarray::ArrayView2;

use super::error::KMeansError;
use super::fitted::Fitted;
use super::frame::{Frame, scaled};
use super::init::seed;
use super::lloyd::lloyd;
use super::moments::Moments;
use super::parameters::{Init, KMeans};
use super::table::{Forms, Table};
use crate::linalg::real::Real;
use crate::linalg::simd::Level;
use crate::random::Random;
use crate::task::Task;

impl KMeans {
    /// Clusters the rows of `x`, which are finite; `weights` default to 1.
    ///
    /// The start is drawn from the rows ordered by a hash of their values, so rows in
    /// another order, or repeated instead of weighted, give the same clusters up to
    /// rounding. The bits do not depend on the number of threads.
    pub fn fit<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        weights: Option<&[f64]>,
        level: Level,
        task: &Task,
    ) -> Result<Fitted<T>, KMeansError> {
        self.check(x, weights)?;
        let x = x.as_standard_layout();
        let rows = x.as_slice().unwrap_or(&[]);
        let moments = Moments::of(rows, x.ncols(), weights, level);
        task.check()?;
        let largest = moments.largest;
        let exponent = Frame::<T>::exponent_for(largest);
        let fitted = if exponent == 0 {
            self.fit_scaled(rows, moments, 0, weights, level, task)
        } else {
            let rows = scaled(rows, -exponent);
            let moments = Moments::of(&rows, x.ncols(), weights, level);
            self.fit_scaled(&rows, moments, exponent, weights, level, task)
        }?;
        if fitted.inertia.is_finite() { Ok(fitted) } else { Err(KMeansError::TooLarge { largest }) }
    }

    /// Clusters rows that are `2^-exponent` times what was given.
    fn fit_scaled<T: Real>(
        &self,
        rows: &[T],
        moments: Moments,
        exponent: i32,
        weights: Option<&[f64]>,
        level: Level,
        task: &Task,
    ) -> Result<Fitted<T>, KMeansError> {
        let plus_plus = matches!(self.init, Init::PlusPlus | Init::GreedyPlusPlus);
        let forms = Forms { panels: plus_plus, quantised: self.bounds };
        let table = Table::new(rows, moments, exponent, weights, forms, level, task)?;
        let mut best: Option<Fitted<T>> = None;
        task.expect(self.n_init * self.max_iter);
        for start in 0..self.n_init {
            let mut random = Random::new(self.seed, start as u64);
            let centres = seed(&table, self.n_clusters, &self.init, &mut random, level, task)?;
            let fitted = lloyd(&table, centres, self, level, task)?;
            task.advance(self.max_iter - fitted.n_iter);
            if best.as_ref().is_none_or(|best| fitted.inertia < best.inertia) {
                best = Some(fitted);
            }
        }
        let mut best = best.ok_or(KMeansError::BadParameter {
            name: "n_init",
            expected: "at least 1",
            value: self.n_init.to_string(),
        })?;
        best.inertia = table.frame.unscaled_square(best.inertia);
        Ok(best)
    }
}
