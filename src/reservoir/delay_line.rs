use super::block::Drive;
use super::lanes::Lanes;
use crate::linalg::simd::Arithmetic;
use crate::random::Random;

/// Taps of a kernel.
const TAPS: usize = 9;
/// Series of a block that one register holds.
const W: usize = 16;
/// The longest dilation spans this share, on a logarithmic scale, of the median length.
const SHARE: f64 = 0.9;

/// `count` dilations or fewer, log-spaced from 1, of kernels with [`TAPS`] taps for series
/// of `length` steps.
pub fn dilations(length: usize, count: usize) -> Vec<usize> {
    let reach = (TAPS - 1) as f64;
    let longest = ((length.max(1) - 1) as f64).max(reach) / reach;
    let exponent = |i: usize| SHARE * longest.log2() * i as f64 / (count.max(2) - 1) as f64;
    let mut found: Vec<usize> = (0..count).map(|i| exponent(i).exp2() as usize).collect();
    found.dedup();
    found
}

/// The tap of each unit: one channel through one dilated kernel of nine weights that sum
/// to zero, -1 and at three places 2 (the kernels of Dempster et al., 2021, `MiniRocket`).
#[derive(Clone, Debug)]
pub struct DelayLine {
    channels: usize,
    /// Combinations of dilation and channel in use.
    lines: Vec<(usize, usize)>,
    units: Vec<Unit>,
}

#[derive(Clone, Debug)]
struct Unit {
    line: usize,
    peaks: [usize; 3],
    scale: f32,
}

impl DelayLine {
    /// Random taps for `units` units; all scales are one.
    pub fn new(units: usize, channels: usize, median_length: usize, random: &mut Random) -> Self {
        let steps = dilations(median_length, 5);
        let taps: Vec<[u32; 5]> = (0..units)
            .map(|_| {
                let (dilation, channel) =
                    (steps[random.index(steps.len())], random.index(channels));
                let mut peaks = random.distinct(TAPS, 3);
                peaks.sort_unstable();
                [dilation, channel, peaks[0], peaks[1], peaks[2]].map(|v| v as u32)
            })
            .collect();
        Self::from_taps(channels, &taps, &vec![1.0; units])
    }

    /// Taps given as dilation, channel and three peaks per unit, with their scales.
    pub fn from_taps(channels: usize, taps: &[[u32; 5]], scales: &[f32]) -> Self {
        let mut lines: Vec<(usize, usize)> = Vec::new();
        let units = taps.iter().zip(scales).map(|(tap, scale)| {
            let [dilation, channel, a, b, c] = tap.map(|v| v as usize);
            let wanted = (dilation, channel);
            let line = lines.iter().position(|line| *line == wanted).unwrap_or_else(|| {
                lines.push(wanted);
                lines.len() - 1
            });
            Unit { line, peaks: [a, b, c], scale: *scale }
        });
        let units = units.collect();
        Self { channels, lines, units }
    }

    /// Dilation, channel and three peaks of every unit.
    pub fn taps(&self) -> Vec<[u32; 5]> {
        let tap = |unit: &Unit| {
            let (dilation, channel) = self.lines[unit.line];
            let [a, b, c] = unit.peaks;
            [dilation, channel, a, b, c].map(|v| v as u32)
        };
        self.units.iter().map(tap).collect()
    }

    /// What the current of every unit is multiplied by.
    pub fn scales(&self) -> Vec<f32> {
        self.units.iter().map(|unit| unit.scale).collect()
    }

    /// Multiply the current of each unit by its own factor.
    pub fn rescale(&mut self, factors: impl IntoIterator<Item = f64>) {
        for (unit, factor) in self.units.iter_mut().zip(factors) {
            unit.scale *= factor as f32;
        }
    }

    /// Number of units.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Numbers per time step of the series it reads.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Steps a tap may look back or ahead.
    fn reach(&self) -> usize {
        self.lines.iter().map(|(dilation, _)| dilation * (TAPS / 2)).max().unwrap_or(0)
    }

    /// The input of a block of series.
    pub fn drive<'a, const L: usize>(&'a self, series: &[&[f32]]) -> Delayed<'a, L> {
        let reach = self.reach();
        let longest = series.iter().map(|s| s.len() / self.channels).max().unwrap_or(0);
        let mut values = Lanes::zeros((longest + 2 * reach) * self.channels);
        for (l, series) in series.iter().enumerate() {
            let own = &mut values[reach * self.channels..];
            for (slot, value) in own.iter_mut().zip(*series) {
                slot.0[l] = *value;
            }
        }
        Delayed { line: self, reach, values, totals: Lanes::zeros(self.lines.len()) }
    }
}

/// [`DelayLine`] over one block; outside a series there are zeros.
#[derive(Debug)]
pub struct Delayed<'a, const L: usize> {
    line: &'a DelayLine,
    reach: usize,
    values: Vec<Lanes<f32, L>>,
    totals: Vec<Lanes<f32, L>>,
}

impl<const L: usize> Delayed<'_, L> {
    #[inline(always)]
    fn tap(&self, step: usize, line: usize, tap: usize) -> &[f32; L] {
        let (dilation, channel) = self.line.lines[line];
        let at = step + self.reach + tap * dilation - TAPS / 2 * dilation;
        &self.values[at * self.line.channels + channel].0
    }
}

impl<const L: usize> Drive<f32, L> for Delayed<'_, L> {
    #[inline(always)]
    fn fill<A: Arithmetic>(&mut self, step: usize, current: &mut [Lanes<f32, L>]) {
        for line in 0..self.line.lines.len() {
            let mut total = [0.0; L];
            for tap in 0..TAPS {
                let value = self.tap(step, line, tap);
                for l in 0..L {
                    total[l] += value[l];
                }
            }
            self.totals[line].0 = total;
        }
        for (unit, current) in self.line.units.iter().zip(current) {
            let [a, b, c] = unit.peaks.map(|tap| self.tap(step, unit.line, tap));
            let total = self.totals[unit.line].0.as_chunks::<W>().0;
            let [a, b, c] = [a, b, c].map(|tap| tap.as_chunks::<W>().0);
            let lanes = a.iter().zip(b).zip(c).zip(total);
            for ((((a, b), c), total), out) in lanes.zip(current.0.as_chunks_mut::<W>().0) {
                // By way of a local array: `out` might be one of the others, for all LLVM knows.
                let mut lanes = [0.0; W];
                for l in 0..W {
                    let peaks = (a[l] + b[l]) + c[l];
                    lanes[l] = unit.scale * A::mul_add32(3.0, peaks, -total[l]);
                }
                *out = lanes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::simd::{Kernel, Level, dispatch};

    struct Currents<'a>(&'a DelayLine, &'a [f32]);

    impl Kernel for Currents<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Vec<f32> {
            let mut drive = self.0.drive::<16>(&[self.1]);
            let mut current = Lanes::zeros(self.0.len());
            (0..self.1.len() / self.0.channels)
                .flat_map(|step| {
                    drive.fill::<A>(step, &mut current);
                    current.iter().map(|c| c.0[0]).collect::<Vec<_>>()
                })
                .collect()
        }
    }

    #[test]
    fn dilations_start_at_one_and_fit_the_length() {
        assert_eq!(dilations(5, 4), [1]);
        let long = dilations(500, 4);
        assert_eq!(long[0], 1);
        assert!(long.is_sorted() && long[long.len() - 1] * 8 < 500, "{long:?}");
    }

    #[test]
    fn each_unit_is_the_convolution_of_its_channel() {
        let line = DelayLine::new(30, 2, 60, &mut Random::new(0, 0));
        let series: Vec<f32> = (0..120).map(|i| (i as f32 * 0.37).sin()).collect();
        let found = dispatch(Level::current(), Currents(&line, &series));
        for (i, value) in found.iter().enumerate() {
            let (step, unit) = (i / 30, &line.units[i % 30]);
            let (dilation, channel) = line.lines[unit.line];
            let expected: f32 = (0..TAPS)
                .map(|tap| {
                    let at = (step + tap * dilation) as isize - (4 * dilation) as isize;
                    let inside = usize::try_from(at).ok().filter(|at| *at < 60);
                    let weight = if unit.peaks.contains(&tap) { 2.0 } else { -1.0 };
                    inside.map_or(0.0, |at| weight * series[at * 2 + channel])
                })
                .sum();
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
        }
    }
}
