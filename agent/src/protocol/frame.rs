//! Frames: header, payload and CRC-32, stuffed, with zeros around them.

use super::cobs;
use super::crc::crc32;
use super::wire::Writer;

/// The protocol's version, first byte of every frame.
pub const VERSION: u8 = 1;
/// Longest payload.
pub const MAX_PAYLOAD: usize = 1024;
const HEADER: usize = 6;
const MAX_BODY: usize = HEADER + MAX_PAYLOAD + 4;
/// Longest frame on the wire, without the zeros around it.
pub const MAX_ENCODED: usize = MAX_BODY + MAX_BODY.div_ceil(254);

/// What stands before the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub kind: u8,
    /// Counts the sender's frames, wrapping; a repeated command keeps its number.
    pub sequence: u16,
    /// The command this answers; 0 if none.
    pub reply_to: u16,
}

/// Why bytes between two zeros were not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Longer than any frame.
    TooLong,
    /// Not byte-stuffed, or shorter than header and checksum.
    Shape,
    /// The checksum does not match.
    Checksum,
    /// A sound frame of another protocol version.
    Version(u8),
}

/// Writes a frame with its leading and trailing zero to `out`; `None` if it does not fit.
pub fn encode(header: Header, payload: &[u8], out: &mut [u8]) -> Option<usize> {
    if payload.len() > MAX_PAYLOAD {
        return None;
    }
    let mut body = [0; MAX_BODY];
    let mut writer = Writer::new(&mut body);
    writer.u8(VERSION).u8(header.kind).u16(header.sequence).u16(header.reply_to).bytes(payload);
    let length = writer.used();
    let crc = crc32(&body[..length]);
    body[length..length + 4].copy_from_slice(&crc.to_le_bytes());
    let (first, rest) = out.split_first_mut()?;
    *first = 0;
    let used = cobs::encode(&body[..length + 4], rest)?;
    *rest.get_mut(used)? = 0;
    Some(used + 2)
}

/// Finds frames in a stream of bytes. `N` is at least [`MAX_ENCODED`].
#[derive(Clone, Debug)]
pub struct Decoder<const N: usize> {
    buffer: [u8; N],
    used: usize,
    overlong: bool,
}

impl<const N: usize> Default for Decoder<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Decoder<N> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { buffer: [0; N], used: 0, overlong: false }
    }

    /// Bytes since the last zero.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[..self.used]
    }

    /// Forgets the bytes since the last zero.
    pub fn clear(&mut self) {
        self.used = 0;
        self.overlong = false;
    }

    /// Takes one byte; a zero after something else completes a frame.
    pub fn push(&mut self, byte: u8) -> Option<Result<(Header, &[u8]), FrameError>> {
        if byte != 0 {
            match self.buffer.get_mut(self.used) {
                Some(slot) => {
                    *slot = byte;
                    self.used += 1;
                }
                None => self.overlong = true,
            }
            return None;
        }
        let used = core::mem::take(&mut self.used);
        if core::mem::take(&mut self.overlong) {
            return Some(Err(FrameError::TooLong));
        }
        (used > 0).then(|| open(&mut self.buffer[..used]))
    }
}

fn open(bytes: &mut [u8]) -> Result<(Header, &[u8]), FrameError> {
    let length = cobs::decode(bytes).ok_or(FrameError::Shape)?;
    let body = &bytes[..length];
    let (body, crc) = body.split_last_chunk::<4>().ok_or(FrameError::Shape)?;
    if crc32(body) != u32::from_le_bytes(*crc) {
        return Err(FrameError::Checksum);
    }
    let (head, payload) = body.split_first_chunk::<HEADER>().ok_or(FrameError::Shape)?;
    let [version, kind, s0, s1, r0, r1] = *head;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let sequence = u16::from_le_bytes([s0, s1]);
    Ok((Header { kind, sequence, reply_to: u16::from_le_bytes([r0, r1]) }, payload))
}
