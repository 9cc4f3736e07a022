use holdfast_agent::engine::Place;
use holdfast_agent::fixture::tiny;
use holdfast_agent::gguf::ElementType;
use proptest::prelude::*;

use super::*;

const TYPES: [ElementType; 4] =
    [ElementType::F32, ElementType::F16, ElementType::Q8_0, ElementType::Q4_0];

/// Rows and what they are multiplied with.
#[derive(Debug)]
struct Case {
    place: Place,
    rows: Vec<u8>,
    floats: Vec<f32>,
    integers: Vec<i16>,
}

impl Case {
    fn multiply<P: Products>(&self, products: P, rows: &[u8]) -> Vec<u32> {
        let mut out = vec![0.0; self.place.rows];
        match self.place.element {
            ElementType::F32 => products.f32(rows, &self.floats, &mut out),
            ElementType::F16 => products.f16(rows, &self.floats, &mut out),
            ElementType::Q8_0 => products.q8_0(rows, &self.integers, 0.37, &mut out),
            ElementType::Q4_0 => products.q4_0(rows, &self.integers, 0.37, &mut out),
        }
        out.into_iter().map(f32::to_bits).collect()
    }

    fn packed(&self) -> Vec<u8> {
        // What was there before must not show.
        let mut packed = self.rows.clone();
        pack(&self.place, &self.rows, &mut packed);
        packed
    }
}

struct Multiply<'a> {
    case: &'a Case,
    rows: &'a [u8],
    found: &'a mut Vec<u32>,
}

impl Work for Multiply<'_> {
    #[inline(always)]
    fn run<P: Products>(self, products: P) {
        *self.found = self.case.multiply(products, self.rows);
    }
}

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.available())
}

/// Bytes of quantised rows are arbitrary, scales that are infinite or no number included;
/// floating-point weights are finite, as not-a-number has several encodings.
fn case() -> impl Strategy<Value = Case> {
    (0..4_usize, 1..70_usize, 1..5_usize, 0..32_usize, any::<u64>()).prop_map(
        |(element, rows, blocks, more, seed)| {
            let element = TYPES[element];
            let quantised = matches!(element, ElementType::Q8_0 | ElementType::Q4_0);
            let columns = 32 * blocks + if quantised { 0 } else { more };
            let place = Place { at: 0, element, rows, columns };
            let mut state = seed;
            let mut draw = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 33
            };
            let mut bytes = vec![0; place.bytes().len()];
            let float = |bits: u64| (bits as f32 / (1 << 30) as f32 - 1.0) * 3.0;
            match element {
                ElementType::F32 => bytes
                    .as_chunks_mut::<4>()
                    .0
                    .iter_mut()
                    .for_each(|number| *number = float(draw()).to_le_bytes()),
                ElementType::F16 => bytes
                    .as_chunks_mut::<2>()
                    .0
                    .iter_mut()
                    .for_each(|number| *number = (draw() as u16 & 0xbbff).to_le_bytes()),
                _ => bytes.iter_mut().for_each(|byte| *byte = draw() as u8),
            }
            let floats = (0..columns).map(|_| float(draw())).collect();
            let integers = (0..columns).map(|_| (draw() as i16).max(-32_767)).collect();
            Case { place, rows: bytes, floats, integers }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn packed_rows_give_the_bits_of_rows_one_after_the_other(case in case()) {
        let (expected, packed) = (case.multiply(Plain, &case.rows), case.packed());
        for level in levels() {
            let mut found = Vec::new();
            dispatch(level, Multiply { case: &case, rows: &packed, found: &mut found });
            prop_assert_eq!(&found, &expected, "{:?}", level);
        }
    }

    #[test]
    fn rows_come_back_from_where_they_were_packed(case in case()) {
        let (packed, columns) = (case.packed(), case.place.columns);
        for row in 0..case.place.rows {
            let (mut found, mut expected) = (vec![0.0; columns], vec![0.0; columns]);
            unpack_row(case.place.element, &packed, row, &mut found);
            Plain.row(case.place.element, &case.rows, row, &mut expected);
            let bits = |row: Vec<f32>| row.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(found), bits(expected));
        }
    }
}

#[test]
fn scales_out_of_range_saturate_everywhere() {
    for (element, block) in [(ElementType::Q8_0, 34), (ElementType::Q4_0, 18)] {
        let place = Place { at: 0, element, rows: 16, columns: 32 };
        let mut rows = vec![0x17; 16 * block];
        // 127.9, 128 and more of either sign, infinities, not-a-number, the smallest number.
        let scales = [
            0x57ff, 0x5800, 0xd800, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x0001, 0x8001,
        ];
        for (row, scale) in rows.chunks_exact_mut(block).zip(scales.into_iter().cycle()) {
            row[..2].copy_from_slice(&u16::to_le_bytes(scale));
        }
        let integers = (0..32).map(|at| 1000 * (at - 9)).collect();
        let case = Case { place, rows, floats: vec![], integers };
        let (expected, packed) = (case.multiply(Plain, &case.rows), case.packed());
        for level in levels() {
            let mut found = Vec::new();
            dispatch(level, Multiply { case: &case, rows: &packed, found: &mut found });
            assert_eq!(found, expected, "{level:?} {element:?}");
        }
    }
}

/// Logits after a few tokens from the file as it is and from the packed one, on all levels.
fn compare(model: &[u8]) {
    let mut arena = vec![0; Engine::plan(model, None).unwrap().words()];
    let engine = Engine::load(model, None, &mut arena).unwrap();
    let logits = |arena: &mut [u32]| {
        engine.logits(arena).iter().map(|logit| logit.to_bits()).collect::<Vec<_>>()
    };
    for (position, token) in [5, 9, 3].into_iter().enumerate() {
        engine.forward(Plain, model, &mut arena, token, position, true);
    }
    let expected = logits(&mut arena);
    let packed = PackedModel::new(&engine, model, &mut arena);
    for level in levels() {
        for (position, token) in [5, 9, 3].into_iter().enumerate() {
            packed.on(level, &engine, &mut arena, token, position, true);
        }
        assert_eq!(logits(&mut arena), expected, "{level:?}");
    }
}

#[test]
fn a_packed_model_gives_the_bits_of_the_file() {
    for code in [0, 2, 8] {
        compare(&tiny(code, 7));
    }
}

#[test]
fn matrices_that_share_bytes_are_left_as_they_are() {
    let mut model = tiny(8, 7);
    // The offset of the first layer's gate becomes that of its up: one table entry ends in
    // name, two sizes, type and offset.
    let entry = |model: &[u8], name: &[u8]| {
        let at = model.windows(name.len()).position(|window| window == name).unwrap();
        at + name.len() + 4 + 16 + 4
    };
    let gate = entry(&model, b"blk.0.ffn_gate.weight");
    let up = entry(&model, b"blk.0.ffn_up.weight");
    model.copy_within(up..up + 8, gate);
    let mut arena = vec![0; Engine::plan(&model, None).unwrap().words()];
    let engine = Engine::load(&model, None, &mut arena).unwrap();
    let packed = PackedModel::new(&engine, &model, &mut arena);
    assert_eq!(packed.file(), model);
    compare(&model);
}
