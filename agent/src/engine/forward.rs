//! One token through the network.

use super::Engine;
use super::attention::{CACHE, Cache, Work};
use super::exponential::silu;
use super::layout::{Part, Slot, Table};
use super::matrix::{Input, Matrix, Products, add_lanes, quantise};

/// Activations use 16 bits: `Q8_0` sums of a block then fit 32.
const ACTIVATION: f32 = 32_767.0;
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
    pub fn forward<P: Products>(
        &self,
        products: P,
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
        let embedding = weights.matrix(Slot::Embedding, dimension).expect("as in `layer`");
        embedding.row(products, config.vocabulary, token as usize, b.residual);
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
            let (heads, first) = (config.kv_heads, layer * config.context * config.kv_heads);
            let cell = first + position * heads;
            let (keys, values) = (Part::Key, Part::Value);
            for (part, cache, scales) in [
                (keys, &mut *b.keys, &mut *b.key_scales),
                (values, &mut *b.values, &mut *b.value_scales),
            ] {
                // Rotated keys and values go to the cache before the query needs the room.
                let fresh = &mut b.query[..config.kv_dimension()];
                weights.layer(layer, part, dimension).multiply(products, &input, fresh);
                let rows = cache[cell * head..].chunks_exact_mut(head);
                let heads = fresh.chunks_exact_mut(head).zip(&mut scales[cell..]);
                for (row, (fresh, scale)) in rows.zip(heads) {
                    if matches!(part, Part::Key) {
                        rotate(fresh, b.rotation);
                    }
                    *scale = quantise(fresh, CACHE, row);
                }
            }
            weights.layer(layer, Part::Query, dimension).multiply(products, &input, b.query);
            let cache = Cache {
                keys: &b.keys[first * head..],
                values: &b.values[first * head..],
                key_scales: &b.key_scales[first..],
                value_scales: &b.value_scales[first..],
                heads,
            };
            let queries = b.query.chunks_exact_mut(head);
            for (index, (query, out)) in queries.zip(b.normed.chunks_exact_mut(head)).enumerate() {
                rotate(query, b.rotation);
                let kv = index / (config.heads / heads);
                let (integers, scores, sums) = (&mut *b.integers, &mut *b.scores, &mut *b.sums);
                cache.attend(kv, position + 1, query, &mut Work { integers, scores, sums }, out);
            }
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            weights
                .layer(layer, Part::AttentionOutput, dimension)
                .multiply(products, &input, b.query);
            add(b.residual, b.query);

            let norm = Slot::Layer(layer, Part::FeedForwardNorm);
            weights.norm(norm, config.epsilon, b.residual, b.normed);
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            weights.layer(layer, Part::Gate, dimension).multiply(products, &input, b.gate);
            weights.layer(layer, Part::Up, dimension).multiply(products, &input, b.up);
            for (gate, up) in b.gate.iter_mut().zip(b.up.iter()) {
                *gate = silu(*gate) * up;
            }
            let scale = quantise(b.gate, ACTIVATION, &mut b.integers[..hidden]);
            let input = Input { floats: b.gate, integers: &b.integers[..hidden], scale };
            weights.layer(layer, Part::Down, hidden).multiply(products, &input, b.query);
            add(b.residual, b.query);
        }
        if logits {
            weights.norm(Slot::OutputNorm, config.epsilon, b.residual, b.normed);
            let scale = quantise(b.normed, ACTIVATION, &mut b.integers[..dimension]);
            let input = Input { floats: b.normed, integers: &b.integers[..dimension], scale };
            // Without a matrix of its own the output shares the embedding.
            let output = weights.matrix(Slot::Output, dimension).unwrap_or(embedding);
            output.multiply(products, &input, b.logits);
        }
    }
}
