use proptest::prelude::*;

use super::*;
use crate::fixture::tiny;

fn loaded(model: &[u8]) -> (Engine, Vec<u32>) {
    let layout = Engine::plan(model, None).unwrap();
    let mut arena = vec![0; layout.words()];
    let engine = Engine::load(model, None, &mut arena).unwrap();
    (engine, arena)
}

fn encode(text: &str, add_bos: bool) -> Vec<u32> {
    let model = tiny(8, 1);
    let (engine, mut arena) = loaded(&model);
    let count = engine.tokenize(&model, &mut arena, text.as_bytes(), add_bos).unwrap();
    engine.prompt(&mut arena)[..count].to_vec()
}

#[test]
fn best_scores_merge_first() {
    // Scores fall with the rank: "th" before "the" before " the".
    assert_eq!(encode("the", true), [1, 265]);
    assert_eq!(encode("thea the", false), [265, 266, 265]);
}

#[test]
fn unknown_characters_become_bytes() {
    assert_eq!(encode("\u{e9}", false), [259, 3 + 0xc3, 3 + 0xa9]);
}

#[test]
fn text_cannot_spell_control_tokens() {
    assert!(!encode("<s></s>", false).iter().any(|id| [1, 2].contains(id)));
}

#[test]
fn pieces_give_the_text_back() {
    let model = tiny(8, 1);
    let (engine, mut arena) = loaded(&model);
    let text = "the the\u{e9} a\n";
    let count = engine.tokenize(&model, &mut arena, text.as_bytes(), true).unwrap();
    let ids = engine.prompt(&mut arena)[..count].to_vec();
    let mut out: Vec<u8> = Vec::new();
    for id in ids {
        let mut piece = [0; 16];
        let length = engine.piece(&model, &mut arena, id, &mut piece);
        out.extend(&piece[..length]);
    }
    assert_eq!(out, format!(" {text}").as_bytes());
}

#[test]
fn every_element_type_gives_finite_logits_that_depend_on_the_token() {
    for code in [0, 2, 8] {
        let model = tiny(code, 7);
        let (engine, mut arena) = loaded(&model);
        let mut previous = Vec::new();
        for token in [5, 9] {
            engine.forward(Plain, &model, &mut arena, token, 0, true);
            let logits = engine.logits(&mut arena).to_vec();
            assert!(logits.iter().all(|logit| logit.is_finite()));
            assert!(logits.iter().any(|logit| logit.abs() > 1e-3), "{code}");
            assert_ne!(logits, previous);
            previous = logits;
        }
    }
}

#[test]
fn a_working_set_one_word_too_large_is_refused_by_its_size() {
    let model = tiny(8, 1);
    let needed = Engine::plan(&model, None).unwrap().words();
    let mut arena = vec![0; needed - 1];
    let available = 4 * (needed as u64 - 1);
    let error = Engine::load(&model, None, &mut arena).unwrap_err();
    assert_eq!(error, FileError::OutOfMemory { needed: available + 4, available });
}

#[test]
fn usage_adds_up_to_the_working_set() {
    let layout = Engine::plan(&tiny(8, 1), Some(16)).unwrap();
    let usage = layout.usage();
    let sum = usage.tensor_table
        + usage.vocabulary_index
        + usage.prompt
        + usage.activations
        + usage.logits
        + usage.key_value_cache;
    assert_eq!(sum, 4 * layout.words());
}

#[test]
fn the_sampler_repeats_itself_and_reaches_every_likely_token() {
    let logits = [0.0, 1.0, 0.5, -20.0];
    let draw = |seed| {
        let mut sampler = Sampler::new(1000, seed);
        (0..2000).map(|_| sampler.pick(&logits)).collect::<Vec<_>>()
    };
    assert_eq!(draw(3), draw(3));
    let share = |id| draw(4).iter().filter(|drawn| **drawn == id).count() as f64 / 2000.0;
    let sum = 1.0 + 1_f64.exp() + 0.5_f64.exp();
    assert!((share(1) - 1_f64.exp() / sum).abs() < 0.04);
    assert!((share(0) - 1.0 / sum).abs() < 0.04);
    assert!(!draw(4).contains(&3));
    assert_eq!(Sampler::new(0, 1).pick(&logits), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_give_an_error_or_a_working_engine(
        at in 0_usize..9000, value: u8, cut in 0_usize..90_000, seed in 0_u64..4,
    ) {
        let mut model = tiny(8, seed);
        let at = at % model.len();
        model[at] = value;
        model.truncate(cut.max(at + 1));
        if let Ok(layout) = Engine::plan(&model, Some(8)) {
            prop_assert!(layout.words() < 1 << 28);
            let mut arena = vec![0; layout.words()];
            if let Ok(engine) = Engine::load(&model, Some(8), &mut arena) {
                engine.forward(Plain, &model, &mut arena, 0, 0, true);
                let _ = engine.tokenize(&model, &mut arena, b"the \xff the", true);
            }
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut model = b"GGUF\x03\0\0\0".to_vec();
        model.extend(bytes);
        prop_assert!(Engine::plan(&model, None).is_err());
    }

    #[test]
    fn any_text_becomes_tokens(text in prop::collection::vec(any::<u8>(), 0..40)) {
        let model = tiny(8, 1);
        let (engine, mut arena) = loaded(&model);
        let count = engine.tokenize(&model, &mut arena, &text, true);
        if let Ok(count) = count {
            let ids = engine.prompt(&mut arena)[..count].to_vec();
            prop_assert!(ids.iter().all(|id| (*id as usize) < engine.config().vocabulary));
        } else {
            prop_assert_eq!(count, Err(PromptError::TooLong));
        }
    }
}
