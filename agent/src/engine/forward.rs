//! One token through the network.

use super::Engine;
use super::exponential::{LOG2_E, exp2_negative, silu};
use super::layout::{Part, Slot, Table};
use super::matrix::{Input, Matrix, add_lanes, quantise};

/// Activations use 16 bits: Q8_0 sums of a block then fit 32.
const ACTIVATION: f32 = 32_767.0;
/// Keys, queries and values use 12 bits: sums over 256 of them then fit 32.
const CACHE: f32 = 2_047.0;
/// Attention weights of one head add up to this in size.
const WEIGHT_SUM: f32 = 524_288.0;

struct Weights<'a> {
    model: &'a [u8],
    table: Table<'a>,
}

impl<'a> Weights<'a> {
    fn matrix(&self, slot: Slot, columns: usize) -> Option<Matrix<'a>> {
        let (at, element) = self.table.get(slot)?;
        Some(Matrix { bytes: &self.model[at..], element, columns })
    }

    fn layer(&self, layer: usize, part: Part, columns: usize) -> Matrix<'a> {
        let found = self.matrix(Slot::Layer(layer, part), columns);
        found.expect("the table was filled completely when the model was loaded")
    }

    /// Root-mean-square norm of `x`, times the norm's weights.
    #[inline(always)]
    fn norm(&self, slot: Slot, epsilon: f32, x: &[f32], out: &mut [f32]) {
        let (at, _) = self.table.get(slot).expect("as in `layer`");
        let mut lanes = [0.0; 8];
        for group in x.chunks(8) {
            for (lane, value) in lanes.iter_mut().zip(group) {
                *lane += value * value;
            }
        }
        let scale = 1.0 / libm::sqrtf(add_lanes(lanes) / x.len() as f32 + epsilon);
        let weights = self.model[at..].as_chunks::<4>().0;
        for ((out, value), weight) in out.iter_mut().zip(x).zip(weights) {
            *out = f32::from_le_bytes(*weight) * (value * scale);
        }
    }
}

#[inline(always)]
fn rotate(head: &mut [f32], rotation: &[f32]) {
    let pairs = head.as_chunks_mut::<2>().0;
    for ([a, b], [cosine, sine]) in pairs.iter_mut().zip(rotation.as_chunks::<2>().0) {
        (*a, *b) = (*a * cosine - *b * sine, *a * sine + *b * cosine);
    }
}

#[inline(always)]
fn add(sum: &mut [f32], more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

impl Engine {
    /// Evaluates `token` at `position`; positions must come in order from zero. The
    /// logits are computed only if asked for: within a prompt nobody reads them.
    ///
    /// # Panics
    /// If `token` or `position` lies outside the model, or `arena` is not the engine's.
    #[inline(always)]
    pub fn forward(
        &self,
        model: &[u8],
        arena: &mut [u32],
        token: u32,
        position: usize,
        logits: bool,
    ) {
        let config = &self.config;
        assert!((token as usize) < config.vocabulary && position < config.context);
        let b = self.layout.split(arena);
        let weights = Weights { model, table: Table(b.table) };
        let (dimension, hidden, head) = (config.dimension, config.hidden, config.head);
        let kv_dimension = config.kv_dimension();
        let embedding = weights.matrix(Slot::Embedding, dimension).expect("as in `layer`");
        embedding.row(token as usize, b.residual);
        let pairs = b.rotation.as_chunks_mut::<2>().0;
        for (pair, frequency) in pairs.iter_mut().zip(b.frequencies.iter()) {
            let angle = position as f32 * frequency;
            *pair = [libm::cosf(angle), libm::sinf(angle)];
        }
        for layer in 0..config.layers {
            let norm = Slot::Layer(layer, Part::AttentionNorm);
            weights.norm(norm, config.epsilon, b.residual, b.normed);
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            weights.layer(layer, Part::Query, dimension).multiply(&input, b.query);
            let cell = layer * config.context + position;
            let (keys, values) = (Part::Key, Part::Value);
            for (part, cache, scales) in [
                (keys, &mut *b.keys, &mut *b.key_scales),
                (values, &mut *b.values, &mut *b.value_scales),
            ] {
                let matrix = weights.layer(layer, part, dimension);
                for kv in 0..config.kv_heads {
                    let fresh = &mut b.fresh[..];
                    matrix.skip_rows(kv * head).multiply(&input, fresh);
                    if matches!(part, Part::Key) {
                        rotate(fresh, b.rotation);
                    }
                    let row = &mut cache[cell * kv_dimension + kv * head..][..head];
                    scales[cell * config.kv_heads + kv] = quantise(fresh, CACHE, row);
                }
            }
            for query in b.query.chunks_exact_mut(head) {
                rotate(query, b.rotation);
            }
            let group = config.heads / config.kv_heads;
            for (index, (query, out)) in
                b.query.chunks_exact(head).zip(b.normed.chunks_exact_mut(head)).enumerate()
            {
                let kv = index / group;
                let first = layer * config.context;
                let rows = |cache: &'_ [i16], at: usize| {
                    let start = (first + at) * kv_dimension + kv * head;
                    start..(start + head).min(cache.len())
                };
                let query_scale = quantise(query, CACHE, &mut b.integers[..head]);
                let factor = query_scale * (LOG2_E * 65_536.0) / libm::sqrtf(head as f32);
                let mut peak = i32::MIN;
                for at in 0..=position {
                    let key = &b.keys[rows(b.keys, at)];
                    let mut dot = 0_i32;
                    for (q, k) in b.integers[..head].iter().zip(key) {
                        dot += i32::from(*q) * i32::from(*k);
                    }
                    let scale = b.key_scales[(first + at) * config.kv_heads + kv];
                    let score = (dot as f32 * (factor * scale)) as i32;
                    b.scores[at] = score;
                    peak = peak.max(score);
                }
                // The sum of the exponentials divides; the size of the scaled weights only
                // chooses how many bits they are rounded to.
                let (mut sum, mut size) = (0_u64, 0.0_f32);
                for at in 0..=position {
                    let e = exp2_negative(peak.wrapping_sub(b.scores[at]) as u32);
                    b.scores[at] = e as i32;
                    sum += u64::from(e);
                    size += e as f32 * b.value_scales[(first + at) * config.kv_heads + kv];
                }
                let inverse = if size > 0.0 { WEIGHT_SUM / size } else { 0.0 };
                b.sums.fill(0);
                for at in 0..=position {
                    let scale = b.value_scales[(first + at) * config.kv_heads + kv];
                    let weight = (b.scores[at] as f32 * scale * inverse) as i32;
                    let value = &b.values[rows(b.values, at)];
                    for (sum, value) in b.sums.iter_mut().zip(value) {
                        *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*value)));
                    }
                }
                let unit = size / WEIGHT_SUM / sum as f32;
                for (out, sum) in out.iter_mut().zip(b.sums.iter()) {
                    *out = *sum as f32 * unit;
                }
            }
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            weights.layer(layer, Part::AttentionOutput, dimension).multiply(&input, b.query);
            add(b.residual, b.query);

            let norm = Slot::Layer(layer, Part::FeedForwardNorm);
            weights.norm(norm, config.epsilon, b.residual, b.normed);
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            weights.layer(layer, Part::Gate, dimension).multiply(&input, b.gate);
            weights.layer(layer, Part::Up, dimension).multiply(&input, b.up);
            for (gate, up) in b.gate.iter_mut().zip(b.up.iter()) {
                *gate = silu(*gate) * up;
            }
            let scale = quantise(b.gate, ACTIVATION, &mut b.integers[..hidden]);
            let input = Input { floats: b.gate, integers: &b.integers[..hidden], scale };
            weights.layer(layer, Part::Down, hidden).multiply(&input, b.query);
            add(b.residual, b.query);
        }
        if logits {
            weights.norm(Slot::OutputNorm, config.epsilon, b.residual, b.normed);
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            // Without a matrix of its own the output shares the embedding.
            let output = weights.matrix(Slot::Output, dimension).unwrap_or(embedding);
            output.multiply(&input, b.logits);
        }
    }
}
