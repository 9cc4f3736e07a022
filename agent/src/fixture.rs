//! GGUF files for tests, written by hand.

/// Builds a file entry by entry.
#[derive(Default)]
pub struct Builder {
    metadata: Vec<u8>,
    metadata_count: u64,
    tensors: Vec<(String, Vec<u64>, u32, Vec<u8>)>,
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

impl Builder {
    fn key(&mut self, key: &str, code: u32) -> &mut Vec<u8> {
        self.metadata_count += 1;
        string(&mut self.metadata, key);
        self.metadata.extend(code.to_le_bytes());
        &mut self.metadata
    }

    /// A string value.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        string(self.key(key, 8), value);
        self
    }

    /// A `uint32` value.
    pub fn count(&mut self, key: &str, value: u32) -> &mut Self {
        self.key(key, 4).extend(value.to_le_bytes());
        self
    }

    /// An array of strings, of `float32` scores and of token types, as vocabularies have.
    pub fn vocabulary(&mut self, tokens: &[(&str, f32, i32)]) -> &mut Self {
        let length = (tokens.len() as u64).to_le_bytes();
        let out = self.key("tokenizer.ggml.tokens", 9);
        out.extend(8_u32.to_le_bytes());
        out.extend(length);
        for token in tokens {
            string(out, token.0);
        }
        let out = self.key("tokenizer.ggml.scores", 9);
        out.extend(6_u32.to_le_bytes());
        out.extend(length);
        out.extend(tokens.iter().flat_map(|token| token.1.to_le_bytes()));
        let out = self.key("tokenizer.ggml.token_type", 9);
        out.extend(5_u32.to_le_bytes());
        out.extend(length);
        out.extend(tokens.iter().flat_map(|token| token.2.to_le_bytes()));
        self
    }

    /// A tensor with its bytes.
    pub fn tensor(&mut self, name: &str, sizes: &[u64], code: u32, bytes: Vec<u8>) -> &mut Self {
        self.tensors.push((name.to_owned(), sizes.to_vec(), code, bytes));
        self
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend(self.metadata_count.to_le_bytes());
        out.extend(&self.metadata);
        let mut offset = 0_u64;
        for (name, sizes, code, bytes) in &self.tensors {
            string(&mut out, name);
            out.extend((sizes.len() as u32).to_le_bytes());
            out.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
            out.extend(code.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += bytes.len().next_multiple_of(32) as u64;
        }
        for (.., bytes) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(bytes);
        }
        out
    }
}

/// Deterministic bytes, spread like small weights.
pub struct Noise(pub u64);

#[allow(clippy::should_implement_trait)] // endless
impl Noise {
    /// The next value, uniform in -1 to 1.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 40) as f32 / 8_388_608.0) - 1.0
    }

    fn matrix(&mut self, count: usize, code: u32, scale: f32) -> Vec<u8> {
        let mut out = Vec::new();
        match code {
            8 | 2 => {
                for _ in 0..count / 32 {
                    // 0.0123 as binary16, near what `scale` / 127 asks for in these tests.
                    let bits: u16 = if code == 8 { 0x1400 } else { 0x2400 };
                    out.extend(bits.to_le_bytes());
                    for _ in 0..if code == 8 { 32 } else { 16 } {
                        let value = (self.next() * 127.0) as i8;
                        out.push(value as u8);
                    }
                }
            }
            _ => (0..count).for_each(|_| out.extend((self.next() * scale).to_le_bytes())),
        }
        out
    }
}

/// A complete small llama: 64 wide, two layers, 4 heads over 2, tied output.
pub fn tiny(code: u32, seed: u64) -> Vec<u8> {
    let (dimension, hidden, kv, layers) = (64, 96, 32, 2);
    let mut tokens =
        vec![("<unk>".to_owned(), 0.0, 2), ("<s>".into(), 0.0, 3), ("</s>".into(), 0.0, 3)];
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    for (rank, piece) in
        ["\u{2581}", "t", "h", "e", "th", "the", "\u{2581}the", "a"].iter().enumerate()
    {
        tokens.push(((*piece).into(), -(rank as f32), 1));
    }
    let borrowed: Vec<_> =
        tokens.iter().map(|(text, score, kind)| (&**text, *score, *kind)).collect();
    let vocabulary = borrowed.len();
    let mut noise = Noise(seed);
    let mut file = Builder::default();
    file.text("general.architecture", "llama")
        .text("general.name", "tiny")
        .count("llama.embedding_length", dimension as u32)
        .count("llama.feed_forward_length", hidden as u32)
        .count("llama.block_count", layers)
        .count("llama.attention.head_count", 4)
        .count("llama.attention.head_count_kv", 2)
        .count("llama.context_length", 48)
        .text("tokenizer.ggml.model", "llama")
        .count("tokenizer.ggml.bos_token_id", 1)
        .count("tokenizer.ggml.eos_token_id", 2)
        .count("tokenizer.ggml.unknown_token_id", 0)
        .vocabulary(&borrowed);
    let mut matrix = |file: &mut Builder, name: &str, columns: usize, rows: usize| {
        let bytes = noise.matrix(columns * rows, code, 0.125);
        file.tensor(name, &[columns as u64, rows as u64], code, bytes);
    };
    let norm = |file: &mut Builder, name: &str| {
        let ones = (0..dimension).flat_map(|_| 1_f32.to_le_bytes()).collect();
        file.tensor(name, &[dimension as u64], 0, ones);
    };
    matrix(&mut file, "token_embd.weight", dimension, vocabulary);
    norm(&mut file, "output_norm.weight");
    for layer in 0..layers {
        norm(&mut file, &format!("blk.{layer}.attn_norm.weight"));
        norm(&mut file, &format!("blk.{layer}.ffn_norm.weight"));
        for (part, columns, rows) in [
            ("attn_q", dimension, dimension),
            ("attn_k", dimension, kv),
            ("attn_v", dimension, kv),
            ("attn_output", dimension, dimension),
            ("ffn_gate", dimension, hidden),
            ("ffn_up", dimension, hidden),
            ("ffn_down", hidden, dimension),
        ] {
            matrix(&mut file, &format!("blk.{layer}.{part}.weight"), columns, rows);
        }
    }
    file.build()
}
