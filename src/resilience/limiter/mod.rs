//! At most so many calls in so much time.
//!
//! Whatever the algorithm, no window of the period holds more than the limit.
//!
//! * [`Sliding`]: the whole limit in every window; remembers when the calls were made
//! * [`Gcra`]: one number, and no lock; pays for bursts with the rate that follows them
//! * [`Table`]: either of them for each of many keys, in bounded memory

mod gcra;
mod rate;
mod sliding;
mod table;

pub use gcra::Gcra;
pub use rate::Rate;
pub use sliding::Sliding;
pub use table::{Denied, List, Lockout, Table};
