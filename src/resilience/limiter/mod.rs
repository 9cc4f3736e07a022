//! At most so many calls in so much time.
//!
//! * [`Gcra`]: evenly, with bursts; one number per key
//! * [`Sliding`]: exactly so many in any window; one number per call in the window
//! * [`Table`]: either of them for each of many keys, in bounded memory

mod gcra;
mod rate;
mod sliding;
mod table;

pub use gcra::Gcra;
pub use rate::Rate;
pub use sliding::Sliding;
pub use table::{Denied, List, Lockout, Table};
