/// How many steps to do without something that did not pay, doubled each time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    left: u32,
    last: u32,
}

impl Pause {
    const LONGEST: u32 = 16;

    /// Whether to go without in this step.
    pub(super) fn holds(&mut self) -> bool {
        let holds = self.left > 0;
        self.left = self.left.saturating_sub(1);
        holds
    }

    /// Whether a step with it was worth it.
    pub(super) fn judge(&mut self, paid: bool) {
        self.last = if paid { 0 } else { (2 * self.last).clamp(1, Self::LONGEST) };
        self.left = self.last;
    }
}
