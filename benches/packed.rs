//! Packed kernels as a share of this machine's peak of fused multiply-adds, one thread.

#![allow(clippy::print_stdout)] // its output is the result

use std::hint::black_box;
use std::time::Instant;

use holdfast::linalg::lanes::Lanes;
use holdfast::linalg::packed::{Centres, gram, nearest_in_panel, pack_rows, products};
use holdfast::linalg::real::Real;
use holdfast::linalg::simd::{Arithmetic, Kernel, Level, dispatch};
use holdfast::random::Random;
use holdfast::task::Task;
use ndarray::Array2;

/// Sixteen independent chains in registers; returns multiply-adds done.
struct Peak<T>(std::marker::PhantomData<T>);

impl<T: Real> Kernel for Peak<T> {
    type Output = f64;
    #[inline(always)]
    fn run<A: Arithmetic>(self) -> f64 {
        const ROUNDS: usize = 4_000_000;
        let factor = T::Vector::<A>::splat(black_box(T::rounded(0.999)));
        let mut sums = [factor; 12];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        black_box(sums);
        (ROUNDS * 12 * <T::Vector<A> as Lanes<T>>::N) as f64
    }
}

struct Search<'a, T>(&'a [T], &'a Centres<T>, &'a mut [u32]);

impl<T: Real> Kernel for Search<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        for panel in self.0.chunks_exact(T::PANEL * self.1.dim()) {
            nearest_in_panel::<T, A>(panel, self.1, self.2);
        }
    }
}

/// Billions of multiply-adds a second, the best of five runs.
fn rate(mut run: impl FnMut() -> f64) -> f64 {
    let once = |run: &mut dyn FnMut() -> f64| {
        let start = Instant::now();
        let done = run();
        done / start.elapsed().as_secs_f64() / 1e9
    };
    (0..5).map(|_| once(&mut run)).fold(0.0, f64::max)
}

fn normal<T: Real>(rows: usize, columns: usize) -> Array2<T> {
    let mut random = Random::new(0, 0);
    Array2::from_shape_simple_fn((rows, columns), || T::rounded(random.normal()))
}

fn measure<T: Real>(name: &str) {
    let task = Task::new();
    for level in Level::ALL.into_iter().filter(|level| level.available()) {
        let peak = rate(|| dispatch(level, Peak::<T>(std::marker::PhantomData)));
        println!("{name} {level:?}: peak {:.1} GFLOP/s", 2.0 * peak);
        let show = |work: String, rate: f64| {
            println!("  {work:34} {:6.1} GFLOP/s {:5.1} %", 2.0 * rate, 100.0 * rate / peak);
        };
        for (d, k) in
            [(9_usize, 40), (54, 256), (64, 16), (64, 256), (512, 16), (512, 50), (512, 256)]
        {
            let n = (100_000_000 / (d * k)).next_multiple_of(T::PANEL).min(32_768);
            let (x, centres) = (normal::<T>(n, d), normal::<T>(k, d));
            let panels = pack_rows(x.as_slice().expect("standard"), &vec![T::default(); d]);
            let centres = Centres::new(centres.view());
            let mut index = vec![0; T::PANEL];
            let speed = rate(|| {
                dispatch(level, Search(&panels, &centres, &mut index));
                (n * d * k) as f64
            });
            show(format!("nearest d={d} k={k}"), speed);
        }
        let x = normal::<T>(2000, 64);
        let speed = rate(|| {
            black_box(products(x.view(), x.view(), level, &task).is_ok());
            (2000 * 2000 * 64) as f64
        });
        show("products 2000 x 2000, d=64".into(), speed);
        let x = normal::<T>(4000, 500);
        let speed = rate(|| {
            black_box(gram(x.view(), level, &task).is_ok());
            (4000 * 500 * 501 / 2) as f64
        });
        show("gram 4000 x 500 (upper half)".into(), speed);
    }
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(|| {
        measure::<f32>("float32");
        measure::<f64>("float64");
    });
}
