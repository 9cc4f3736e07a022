//! The token records of one request.

use holdfast_agent::engine::Digest;

#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Index of the next record to deliver.
    pub(super) next: u16,
    /// Whether the device is known to have the request.
    pub(super) accepted: bool,
    pub(super) started: bool,
    pub(super) digest: Digest,
    /// When something of it last arrived.
    pub(super) heard: u64,
}

impl Stream {
    pub(super) fn new(now: u64) -> Self {
        let digest = Digest::default();
        Self { next: 0, accepted: false, started: false, digest, heard: now }
    }
}
