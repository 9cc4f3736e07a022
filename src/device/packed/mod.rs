//! Matrices for vector units: sixteen rows side by side, so that each lane of a vector sums
//! up a row of its own and nothing is added across lanes.
//!
//! Sixteen rows take the bytes they took one after the other. A column holds, for each row
//! in turn,
//!
//! - of `F32` and `F16`, one number;
//! - of `Q8_0`, after the scales of the sixteen blocks, the weights of two columns;
//! - of `Q4_0`, after the scales, 16 bits twice, whose four digits are the weights of the
//!   columns 0, 2, 4, 6 and 1, 3, 5, 7 of eight.
//!
//! Rows that do not fill sixteen stay at the end as they were.

mod layout;
mod pages;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use holdfast_agent::engine::{Engine, Plain, Products};

use crate::linalg::simd::Level;
use layout::{pack, unpack_row};
use portable::Portable;

/// Rows side by side.
const ROWS: usize = 16;

/// Something that multiplies rows.
trait Work {
    /// The work. Implementations are `#[inline(always)]`, all the way down.
    fn run<P: Products>(self, products: P);
}

/// Does `work` with products of packed rows on `level`, or on what this machine has of it.
fn dispatch(level: Level, work: impl Work) {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if x86::avx2_available() => x86::avx2(work),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if x86::avx512_available() => x86::avx512(work),
        _ => work.run(Portable),
    }
}

/// A model file whose matrices were packed in their places.
#[derive(Clone, Debug)]
pub(super) struct PackedModel {
    bytes: Vec<u8>,
    /// Where the file begins: matrices then do so at a cache line.
    start: usize,
    packed: bool,
}

impl PackedModel {
    /// `model` as `engine`, which was loaded with it and `arena`, multiplies it fastest.
    pub(super) fn new(engine: &Engine, model: &[u8], arena: &mut [u32]) -> Self {
        let mut places: Vec<_> = engine.matrices(arena).collect();
        places.sort_by_key(|place| place.at);
        let mut bytes = pages::zeros(model.len() + LINE);
        let first = places.first().map_or(0, |place| place.at);
        let start = bytes.as_ptr().align_offset(LINE).wrapping_sub(first) % LINE;
        let image = &mut bytes[start..][..model.len()];
        image.copy_from_slice(model);
        // A file may say that two matrices share bytes; what is packed has one reading.
        let packed = places.windows(2).all(|pair| pair[0].bytes().end <= pair[1].bytes().start);
        if packed {
            for place in &places {
                pack(place, &model[place.bytes()], &mut image[place.bytes()]);
            }
        }
        Self { bytes, start, packed }
    }

    /// The file: everything but the matrices is in it as it was.
    pub(super) fn file(&self) -> &[u8] {
        let length = self.bytes.len() - LINE;
        &self.bytes[self.start..][..length]
    }

    /// One token through the network, on the vector units there are: the engine's results
    /// do not depend on them.
    pub(super) fn forward(
        &self,
        engine: &Engine,
        arena: &mut [u32],
        token: u32,
        position: usize,
        logits: bool,
    ) {
        self.on(Level::current(), engine, arena, token, position, logits);
    }

    fn on(
        &self,
        level: Level,
        engine: &Engine,
        arena: &mut [u32],
        token: u32,
        position: usize,
        logits: bool,
    ) {
        let model = self.file();
        if self.packed {
            dispatch(level, Forward { engine, model, arena, token, position, logits });
        } else {
            engine.forward(Plain, model, arena, token, position, logits);
        }
    }
}

const LINE: usize = 64;

struct Forward<'a> {
    engine: &'a Engine,
    model: &'a [u8],
    arena: &'a mut [u32],
    token: u32,
    position: usize,
    logits: bool,
}

impl Work for Forward<'_> {
    #[inline(always)]
    fn run<P: Products>(self, products: P) {
        let Self { engine, model, arena, token, position, logits } = self;
        engine.forward(products, model, arena, token, position, logits);
    }
}
