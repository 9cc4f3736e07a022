//! A model that comes over the wire.

use sha2::{Digest as _, Sha256};

use super::agent::Agent;
use super::board::Board;
use super::error_code::ErrorCode;
use super::reply::Reply;

#[derive(Clone, Copy, Debug)]
pub(super) struct Upload {
    pub(super) length: usize,
    pub(super) sha256: [u8; 32],
    pub(super) next: usize,
}

impl Agent {
    pub(super) fn begin(&mut self, board: &mut impl Board, to: u16, length: u32, sha256: [u8; 32]) {
        if self.busy() {
            return self.fail(board, to, ErrorCode::BUSY, 0, &"a request runs");
        }
        let length = length as usize;
        let same = |upload: &Upload| upload.length == length && upload.sha256 == sha256;
        if let Some(upload) = self.upload.filter(same) {
            return self.send(board, to, &Reply::Acknowledge { value: upload.next as u32 });
        }
        (self.engine, self.load_error, self.generation, self.upload) = (None, None, None, None);
        if !board.begin_model(length) {
            let text = "no room for a model of this size";
            return self.fail(board, to, ErrorCode::TOO_LARGE, length as u32, &text);
        }
        self.upload = Some(Upload { length, sha256, next: 0 });
        self.send(board, to, &Reply::Acknowledge { value: 0 });
    }

    pub(super) fn chunk(&mut self, board: &mut impl Board, to: u16, offset: usize, data: &[u8]) {
        let Some(mut upload) = self.upload else {
            return self.fail(board, to, ErrorCode::UNKNOWN_REQUEST, 0, &"no upload has begun");
        };
        let end = offset.saturating_add(data.len());
        if end > upload.length {
            let text = "the chunk ends behind the announced length";
            return self.fail(board, to, ErrorCode::TOO_LARGE, end as u32, &text);
        }
        // Anything but the next chunk is answered by where to go on.
        if offset == upload.next {
            if !board.write_model(offset, data) {
                self.upload = None;
                let text = "the model store failed";
                return self.fail(board, to, ErrorCode::WRITE_FAILED, offset as u32, &text);
            }
            upload.next = end;
            self.upload = Some(upload);
        }
        self.send(board, to, &Reply::Acknowledge { value: upload.next as u32 });
    }

    pub(super) fn finish(&mut self, board: &mut impl Board, to: u16) {
        if let Some(upload) = self.upload {
            if upload.next != upload.length {
                let next = upload.next as u32;
                return self.fail(board, to, ErrorCode::MALFORMED, next, &"chunks are missing");
            }
            self.upload = None;
            // Of what was stored, not of what was received: bad flash shows too.
            let stored: [u8; 32] = Sha256::digest(board.workspace().0).into();
            if stored != upload.sha256 {
                board.begin_model(0);
                let text = "the stored model differs from the announced hash";
                return self.fail(board, to, ErrorCode::HASH_MISMATCH, 0, &text);
            }
            self.load(board);
        }
        self.model(board, to);
    }
}
