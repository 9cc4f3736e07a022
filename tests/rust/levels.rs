//! Every instruction set against the portable one, and against definitions.

use holdfast::cluster::Subspace;
use holdfast::cluster::kmeans::KMeans;
use holdfast::linalg::real::Real;
use holdfast::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use holdfast::random::Random;
use holdfast::reservoir::{Driven, EchoState, Lanes, Liquid, Pool, Statistic, Statistics};
use holdfast::series::Series;
use holdfast::spiking::{Competition, Dictionary, Layers};
use holdfast::task::Task;
use ndarray::Array2;

const STEPS: usize = 70;
const UNITS: usize = 5;

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.available())
}

/// Smooth enough for runs, random enough for all kinds of them: `[step][unit][lane]`.
fn states<T: Real, const L: usize>() -> Vec<Vec<Lanes<T, L>>> {
    let mut random = Random::new(3, 0);
    let mut now = [[0.0; L]; UNITS];
    let mut step = || {
        let unit = |x: &mut [f64; L]| {
            for x in x.iter_mut() {
                *x = 0.8 * *x + random.between(-0.5, 0.5);
            }
            Lanes(x.map(T::rounded))
        };
        now.iter_mut().map(unit).collect()
    };
    (0..STEPS).map(|_| step()).collect()
}

struct Pooled<'a, T, const L: usize> {
    states: &'a [Vec<Lanes<T, L>>],
    thresholds: &'a [T],
    lengths: &'a [usize],
}

impl<T: Real, const L: usize> Kernel for Pooled<'_, T, L> {
    type Output = Vec<Vec<T>>;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Self::Output {
        let mut out = vec![vec![T::default(); Statistic::ALL.len() * UNITS]; L];
        let slices = out.iter_mut().map(Vec::as_mut_slice).collect();
        let mut pool = Statistics::<T, L>::new(&Statistic::ALL, self.thresholds, slices);
        for (step, states) in self.states.iter().enumerate() {
            pool.observe::<A>(step, states);
            for lane in (0..L).filter(|lane| self.lengths[*lane] == step + 1) {
                pool.finish(lane, step + 1, states);
            }
        }
        drop(pool);
        out
    }
}

/// The statistics of one unit in one series, word by word.
fn defined(x: &[f64], threshold: f64) -> [f64; 10] {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let changes: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let above: Vec<bool> = x.iter().map(|x| *x > threshold).collect();
    let runs: Vec<usize> = above.split(|is| !is).map(<[bool]>::len).collect();
    let onsets = (0..above.len()).filter(|i| above[*i] && (*i == 0 || !above[i - 1])).count();
    [
        mean,
        variance.sqrt(),
        x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        x.iter().copied().fold(f64::INFINITY, f64::min),
        x[x.len() - 1],
        changes.last().copied().unwrap_or(0.0),
        changes.iter().map(|change| change.abs()).sum::<f64>() / changes.len().max(1) as f64,
        above.iter().filter(|is| **is).count() as f64 / n,
        runs.iter().copied().max().unwrap_or(0) as f64 / n,
        onsets as f64 / n,
    ]
}

fn statistics_are_those_of_the_definition<T: Real, const L: usize>(within: f64) {
    let states = states::<T, L>();
    let thresholds = [-0.4, -0.1, 0.0, 0.2, 0.5].map(T::rounded);
    let lengths: Vec<usize> = (0..L).map(|lane| STEPS - (7 * lane) % (STEPS - 1)).collect();
    for level in levels() {
        let (states, thresholds, lengths) = (&states[..], &thresholds, &lengths);
        let found = dispatch(level, Pooled { states, thresholds, lengths });
        for (lane, unit) in (0..L).flat_map(|lane| (0..UNITS).map(move |unit| (lane, unit))) {
            let x: Vec<f64> =
                (0..lengths[lane]).map(|step| states[step][unit].0[lane].wide()).collect();
            for (s, expected) in defined(&x, thresholds[unit].wide()).into_iter().enumerate() {
                let got = found[lane][s * UNITS + unit].wide();
                let name = Statistic::ALL[s].name();
                assert!((got - expected).abs() < within, "{level:?} {name}: {got} {expected}");
            }
        }
    }
}

#[test]
fn pooled_statistics_are_those_of_their_definitions_on_every_level() {
    statistics_are_those_of_the_definition::<f32, 64>(1e-5);
    statistics_are_those_of_the_definition::<f32, 16>(1e-5);
    statistics_are_those_of_the_definition::<f64, 32>(1e-12);
    statistics_are_those_of_the_definition::<f64, 8>(1e-12);
}

/// Sixty series of two channels, enough for wide blocks on one thread.
fn values() -> (Array2<f32>, Vec<usize>) {
    let lengths: Vec<usize> = (0..60).map(|i| 40 + i % 7).collect();
    let mut random = Random::new(1, 0);
    let rows = lengths.iter().sum();
    let values = Array2::from_shape_fn((rows, 2), |(i, j)| {
        ((i as f32) * (0.2 + 0.1 * j as f32)).sin() + 0.3 * random.normal() as f32
    });
    (values, lengths)
}

fn driven(reservoir: &Driven, series: &Series<f32>, level: Level) -> Vec<f32> {
    let mut out = vec![0.0; series.len() * reservoir.width()];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| reservoir.features(series, &mut out, level, &Task::new())).unwrap();
    out
}

#[test]
fn driven_reservoirs_count_the_same_on_every_level_but_for_states_at_the_threshold() {
    let (values, lengths) = values();
    let series = Series::new(values.view(), &lengths).unwrap();
    let (level, task) = (Level::Portable, Task::new());
    let echo = EchoState {
        units: 50,
        spectral_radius: 0.9,
        degree: 10,
        input_scaling: 0.5,
        leak: (0.1, 1.0),
    };
    let liquid = Liquid { units: 50, degree: 8, strength: 0.3, excitatory: 0.8 };
    for reservoir in [
        Driven::echo_state(&echo, &series, 0, level, &task).unwrap(),
        Driven::liquid(&liquid, &series, 0, level, &task).unwrap(),
    ] {
        let portable = driven(&reservoir, &series, level);
        for level in levels() {
            let found = driven(&reservoir, &series, level);
            let apart = found.iter().zip(&portable).map(|(a, b)| f64::from((a - b).abs()));
            let mean = apart.sum::<f64>() / found.len() as f64;
            assert!(mean < 1e-3, "{level:?}: {mean}");
        }
    }
}

#[test]
fn a_dictionary_learns_and_fires_the_same_on_every_level_but_for_ties() {
    let (values, lengths) = values();
    let series = Series::new(values.view(), &lengths).unwrap();
    let task = Task::new();
    let rule = Competition { units: 32, sample: 500, epsilon: 0.1, seed: 0 };
    let weights = rule.learn(&series, &[0, 1], 2, Level::Portable, &task).unwrap();
    let layers = Layers(vec![Dictionary::new(vec![0, 1], 2, 0.1, weights.view())]);
    let rates = |level| {
        let mut out = vec![0.0; series.len() * layers.width()];
        layers.features(&series, &mut out, level, &task).unwrap();
        out
    };
    let portable = rates(Level::Portable);
    for level in levels() {
        let apart =
            rates(level).iter().zip(&portable).filter(|(a, b)| a.total_cmp(b).is_ne()).count();
        assert!(apart * 200 < portable.len(), "{level:?}: {apart} of {}", portable.len());
    }
}

#[test]
fn a_subspace_places_rows_the_same_on_every_level() {
    let mut random = Random::new(2, 0);
    let x = Array2::from_shape_fn((300, 90), |(_, j)| {
        (random.normal() * 0.9_f64.powi(j as i32)) as f32
    });
    let task = Task::new();
    let subspace = Subspace::fit(x.view(), false, 0, Level::Portable, &task).unwrap();
    let portable = subspace.project(x.view(), Level::Portable, &task).unwrap();
    for level in levels() {
        let found = subspace.project(x.view(), level, &task).unwrap();
        assert!((&found - &portable).iter().all(|apart| apart.abs() < 1e-5), "{level:?}");
    }
}

#[test]
fn k_means_ends_in_the_same_clusters_on_every_level() {
    let mut random = Random::new(4, 0);
    let x = Array2::from_shape_fn((600, 7), |(i, j)| {
        (random.normal() + if i % 5 == j { 6.0 } else { 0.0 }) as f32
    });
    let kmeans = KMeans { n_clusters: 5, n_init: 3, ..KMeans::default() };
    let fit = |level| kmeans.fit(x.view(), None, level, &Task::new()).unwrap();
    let portable = fit(Level::Portable);
    for level in levels() {
        let found = fit(level);
        assert_eq!(found.labels, portable.labels, "{level:?}");
        assert!((found.inertia / portable.inertia - 1.0).abs() < 1e-6, "{level:?}");
    }
}
