use super::block::Pool;
use super::lanes::Lanes;
use crate::linalg::lanes::Lanes as _;
use crate::linalg::real::Real;
use crate::linalg::simd::Arithmetic;

/// One number per unit and series, taken from the unit's states over time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Standard deviation (divisor: number of steps).
    Std,
    /// Largest state.
    Max,
    /// Smallest state.
    Min,
    /// State after the last step.
    Last,
    /// Last change, `x[T-1] - x[T-2]`.
    Trend,
    /// Mean absolute change.
    Stability,
    /// Share of steps above the threshold.
    Ppv,
    /// Longest run of steps above the threshold, as a share of all steps.
    Lspv,
    /// Upward crossings of the threshold, as a share of all steps.
    Crossings,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Mean,
        Self::Std,
        Self::Max,
        Self::Min,
        Self::Last,
        Self::Trend,
        Self::Stability,
        Self::Ppv,
        Self::Lspv,
        Self::Crossings,
    ];

    /// As callers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Std => "std",
            Self::Max => "max",
            Self::Min => "min",
            Self::Last => "last",
            Self::Trend => "trend",
            Self::Stability => "stability",
            Self::Ppv => "ppv",
            Self::Lspv => "lspv",
            Self::Crossings => "crossings",
        }
    }
}

/// Some [`Statistic`]s of all units, in the order they were asked for.
#[derive(Debug)]
pub struct Statistics<'a, T, const L: usize> {
    wanted: &'a [Statistic],
    thresholds: &'a [T],
    /// One `wanted.len() * units` slice per lane in use.
    out: Vec<&'a mut [T]>,
    moments: Option<Moments<T, L>>,
    max: Option<Vec<Lanes<T, L>>>,
    min: Option<Vec<Lanes<T, L>>>,
    changes: Option<Changes<T, L>>,
    runs: Option<Vec<Runs<T, L>>>,
}

/// Running mean and sum of squared deviations (Welford, 1962): with plain sums of
/// squares, single precision would lose a small spread around a large mean.
#[derive(Debug)]
struct Moments<T, const L: usize>(Vec<[Lanes<T, L>; 2]>);

/// Previous state, last change, sum of absolute changes.
#[derive(Debug)]
struct Changes<T, const L: usize>(Vec<[Lanes<T, L>; 3]>);

/// Steps above the threshold.
#[derive(Clone, Copy, Debug)]
struct Runs<T, const L: usize> {
    above: Lanes<T, L>,
    current: Lanes<T, L>,
    longest: Lanes<T, L>,
    onsets: Lanes<T, L>,
}

impl<'a, T: Real, const L: usize> Statistics<'a, T, L> {
    /// `thresholds` holds one per unit, for [`Statistic::Ppv`] and its kin.
    pub fn new(wanted: &'a [Statistic], thresholds: &'a [T], out: Vec<&'a mut [T]>) -> Self {
        use Statistic::{Crossings, Lspv, Max, Mean, Min, Ppv, Stability, Std, Trend};
        let units = thresholds.len();
        let any = |group: &[Statistic]| wanted.iter().any(|s| group.contains(s));
        let zero = Lanes::splat(T::default());
        let none = Runs { above: zero, current: zero, longest: zero, onsets: zero };
        Self {
            wanted,
            thresholds,
            out,
            moments: any(&[Mean, Std]).then(|| Moments(vec![[zero; 2]; units])),
            max: any(&[Max]).then(|| vec![Lanes::splat(T::LOWEST); units]),
            min: any(&[Min]).then(|| vec![Lanes::splat(T::HIGHEST); units]),
            changes: any(&[Trend, Stability]).then(|| Changes(vec![[zero; 3]; units])),
            runs: any(&[Ppv, Lspv, Crossings]).then(|| vec![none; units]),
        }
    }

    fn value(&self, statistic: Statistic, unit: usize, lane: usize, length: usize) -> T {
        let share = |count: f64| T::rounded(count / length as f64);
        let moments = || self.moments.as_ref().map(|m| m.0[unit].map(|row| row.0[lane]));
        let edge = |rows: &Option<Vec<Lanes<T, L>>>| rows.as_ref().map(|r| r[unit].0[lane]);
        let changes = || self.changes.as_ref().map(|c| c.0[unit].map(|row| row.0[lane]));
        let runs = || self.runs.as_ref().map(|r| &r[unit]);
        let value = match statistic {
            Statistic::Mean => moments().map(|[mean, _]| mean),
            Statistic::Std => {
                moments().map(|[_, m2]| T::rounded((m2.wide() / length as f64).sqrt()))
            }
            Statistic::Max => edge(&self.max),
            Statistic::Min => edge(&self.min),
            Statistic::Trend => changes().map(|[_, last, _]| last),
            Statistic::Stability => changes()
                .map(|[_, _, sum]| T::rounded(sum.wide() / length.saturating_sub(1).max(1) as f64)),
            Statistic::Ppv => runs().map(|r| share(r.above.0[lane].wide())),
            Statistic::Lspv => runs().map(|r| share(r.longest.0[lane].wide())),
            Statistic::Crossings => runs().map(|r| share(r.onsets.0[lane].wide())),
            Statistic::Last => None,
        };
        value.unwrap_or_default()
    }
}

/// One step of Welford's recurrence; `rate` is one over the number of steps so far.
#[inline(always)]
fn welford<A: Arithmetic, T: Real, const L: usize>(
    [mean, m2]: &mut [Lanes<T, L>; 2],
    state: &Lanes<T, L>,
    rate: T,
) {
    let less = |a: T::Vector<A>, b: T::Vector<A>| b.mul_add(T::Vector::<A>::splat(-T::ONE), a);
    let rate = T::Vector::<A>::splat(rate);
    for v in 0..L / T::Vector::<A>::N {
        let (x, old) = (state.register::<A>(v), mean.register::<A>(v));
        let before = less(x, old);
        let new = before.mul_add(rate, old);
        mean.set_register::<A>(v, new);
        m2.set_register::<A>(v, before.mul_add(less(x, new), m2.register::<A>(v)));
    }
}

/// The largest states so far; else the smallest.
#[inline(always)]
fn extreme<A: Arithmetic, T: Real, const L: usize, const LARGER: bool>(
    most: &mut Lanes<T, L>,
    state: &Lanes<T, L>,
) {
    for v in 0..L / T::Vector::<A>::N {
        let (x, old) = (state.register::<A>(v), most.register::<A>(v));
        let (a, b) = if LARGER { (x, old) } else { (old, x) };
        most.set_register::<A>(v, a.where_above(b, x, old));
    }
}

impl<T: Real, const L: usize> Pool<T, L> for Statistics<'_, T, L> {
    #[inline(always)]
    fn observe<A: Arithmetic>(&mut self, step: usize, states: &[Lanes<T, L>]) {
        if let Some(Moments(rows)) = &mut self.moments {
            let rate = T::rounded(1.0 / (step + 1) as f64);
            for (moments, state) in rows.iter_mut().zip(states) {
                welford::<A, T, L>(moments, state, rate);
            }
        }
        if let Some(rows) = &mut self.max {
            for (max, state) in rows.iter_mut().zip(states) {
                extreme::<A, T, L, true>(max, state);
            }
        }
        if let Some(rows) = &mut self.min {
            for (min, state) in rows.iter_mut().zip(states) {
                extreme::<A, T, L, false>(min, state);
            }
        }
        if let Some(Changes(rows)) = &mut self.changes {
            for ([previous, last, sum], state) in rows.iter_mut().zip(states) {
                if step > 0 {
                    for l in 0..L {
                        last.0[l] = state.0[l] - previous.0[l];
                        sum.0[l] += last.0[l].abs();
                    }
                }
                *previous = *state;
            }
        }
        if let Some(rows) = &mut self.runs {
            for ((row, threshold), state) in rows.iter_mut().zip(self.thresholds).zip(states) {
                for l in 0..L {
                    let above = if state.0[l] > *threshold { T::ONE } else { T::default() };
                    // The run before was zero exactly when the state was not above.
                    let began = if row.current.0[l] > T::default() { T::default() } else { above };
                    let run = (row.current.0[l] + T::ONE) * above;
                    row.above.0[l] += above;
                    row.onsets.0[l] += began;
                    row.current.0[l] = run;
                    let longest = row.longest.0[l];
                    row.longest.0[l] = longest.larger(run);
                }
            }
        }
    }

    fn finish(&mut self, lane: usize, length: usize, states: &[Lanes<T, L>]) {
        let units = self.thresholds.len();
        let out = std::mem::take(&mut self.out[lane]);
        if length == 0 {
            out.fill(T::default());
            return;
        }
        for (statistic, out) in self.wanted.iter().zip(out.chunks_exact_mut(units)) {
            for (unit, out) in out.iter_mut().enumerate() {
                *out = match statistic {
                    Statistic::Last => states[unit].0[lane],
                    other => self.value(*other, unit, lane, length),
                };
            }
        }
    }
}
