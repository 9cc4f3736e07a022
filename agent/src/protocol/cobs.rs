//! Consistent overhead byte stuffing (Cheshire and Baker 1999): no zero inside a frame.

/// Writes `input` without zeros to `out`; `None` if it does not fit.
pub(super) fn encode(input: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut code_at, mut at, mut code) = (0, 1, 1_u8);
    for (index, byte) in input.iter().enumerate() {
        if *byte != 0 {
            *out.get_mut(at)? = *byte;
            at += 1;
            code += 1;
        }
        if *byte == 0 || code == 0xff && index + 1 < input.len() {
            *out.get_mut(code_at)? = code;
            (code_at, code) = (at, 1);
            at += 1;
        }
    }
    *out.get_mut(code_at)? = code;
    Some(at)
}

/// Replaces `bytes` by what they stand for; returns its length, `None` if none.
pub(super) fn decode(bytes: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let code = usize::from(bytes[from]);
        let end = from + code;
        if code == 0 || end > bytes.len() {
            return None;
        }
        bytes.copy_within(from + 1..end, to);
        to += code - 1;
        from = end;
        if code < 0xff && from < bytes.len() {
            bytes[to] = 0;
            to += 1;
        }
    }
    Some(to)
}
