//! Changing the baud rate, and going back when nobody follows.

use super::BAUD_FALLBACK_MS;
use super::agent::Agent;
use super::board::Board;
use super::error_code::ErrorCode;
use super::reply::Reply;

#[derive(Clone, Copy, Debug)]
pub(super) struct BaudTrial {
    pub(super) rate: u32,
    pub(super) token: u32,
    pub(super) previous: u32,
    pub(super) deadline: u64,
}

impl Agent {
    pub(super) fn set_baud(&mut self, board: &mut impl Board, to: u16, rate: u32, token: u32) {
        if !board.identity().baud_rates.contains(&rate) {
            let text = "not among the rates of the hello";
            return self.fail(board, to, ErrorCode::UNSUPPORTED, rate, &text);
        }
        self.send(board, to, &Reply::BaudOffer { rate, token });
        let previous = self.trial.map_or(self.baud, |trial| trial.previous);
        if board.set_baud(rate) {
            let wait = u64::from(board.identity().clock_hz) * BAUD_FALLBACK_MS / 1000;
            let deadline = board.ticks().saturating_add(wait);
            self.trial = Some(BaudTrial { rate, token, previous, deadline });
        }
    }

    pub(super) fn confirm_baud(&mut self, board: &mut impl Board, to: u16, token: u32) {
        if let Some(trial) = self.trial.filter(|trial| trial.token == token) {
            self.trial = None;
            self.baud = trial.rate;
            self.kept = Some((trial.rate, token));
        }
        match self.kept.filter(|kept| kept.1 == token) {
            Some((rate, token)) => self.send(board, to, &Reply::BaudKept { rate, token }),
            None => {
                self.fail(board, to, ErrorCode::UNKNOWN_REQUEST, token, &"no such baud change");
            }
        }
    }
}
