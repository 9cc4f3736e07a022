//! Why a command failed.

/// What went wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u8);

macro_rules! error_codes {
    ($($name:ident = $code:literal, $word:literal;)*) => {
        #[allow(missing_docs)] // the words are in docs/protocol.md
        impl ErrorCode {
            $(pub const $name: Self = Self($code);)*

            /// A short word for it.
            pub fn word(self) -> &'static str {
                match self.0 {
                    $($code => $word,)*
                    _ => "unknown",
                }
            }
        }
    };
}

error_codes! {
    MALFORMED = 1, "malformed";
    VERSION = 2, "version";
    UNKNOWN_COMMAND = 3, "unknown_command";
    BUSY = 4, "busy";
    NO_MODEL = 5, "no_model";
    BAD_MODEL = 6, "bad_model";
    OUT_OF_MEMORY = 7, "out_of_memory";
    BAD_PROMPT = 8, "bad_prompt";
    RING_LOST = 9, "ring_lost";
    UNKNOWN_REQUEST = 10, "unknown_request";
    UNSUPPORTED = 11, "unsupported";
    TOO_LARGE = 12, "too_large";
    HASH_MISMATCH = 13, "hash_mismatch";
    WRITE_FAILED = 14, "write_failed";
}
