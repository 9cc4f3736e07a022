//! At most so many calls in so much time.
//!
//! * [`Gcra`]: evenly, with bursts; one number per key
//! * [`Sliding`]: exactly so many in any window; one number per call in the window

mod gcra;
mod rate;
mod sliding;

pub use gcra::Gcra;
pub use rate::Rate;
pub use sliding::Sliding;
