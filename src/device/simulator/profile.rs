//! Parts: how much memory, which clock, how many cycles.

/// Kinds of instructions, as counted and as timed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
#[allow(missing_docs)] // the names say it
pub enum Class {
    Alu = 0,
    Multiply = 1,
    Divide = 2,
    Load = 3,
    Store = 4,
    Branch = 5,
    Jump = 6,
    System = 7,
}

/// Their names, in order.
pub const CLASSES: [&str; 8] =
    ["alu", "multiply", "divide", "load", "store", "branch", "jump", "system"];

/// Cycles an instruction takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cycles {
    /// By class; a branch not taken.
    pub base: [u32; 8],
    /// More for a branch taken.
    pub taken: u32,
}

/// A part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Its name here.
    pub name: &'static str,
    /// The part as its maker calls it.
    pub part: &'static str,
    /// Bytes of memory a program can use.
    pub ram_bytes: usize,
    /// Bytes of flash.
    pub flash_bytes: usize,
    /// Cycles per second.
    pub clock_hz: u32,
    /// Cycles per instruction.
    pub cycles: Cycles,
    /// Power while the core runs, where its maker states it.
    pub active_milliwatts: Option<f64>,
    /// Where the numbers come from.
    pub source: &'static str,
}

const SINGLE_ISSUE: Cycles = Cycles { base: [1, 1, 18, 2, 1, 1, 3, 1], taken: 2 };

/// The parts there are. No table was measured on silicon.
pub const PROFILES: [Profile; 4] = [
    Profile {
        name: "generic-rv32",
        part: "none",
        ram_bytes: 256 << 10,
        flash_bytes: 2 << 20,
        clock_hz: 160_000_000,
        cycles: SINGLE_ISSUE,
        active_milliwatts: None,
        source: "a single-issue in-order core with a branch not predicted; no part",
    },
    Profile {
        name: "esp32-c3",
        part: "Espressif ESP32-C3 (ESP32-C3FH4)",
        ram_bytes: 384 << 10,
        flash_bytes: 4 << 20,
        clock_hz: 160_000_000,
        cycles: SINGLE_ISSUE,
        active_milliwatts: Some(75.9),
        source: "datasheet: 400 KB of which 16 KB are cache, 4 MB flash, 160 MHz, 23 mA at \
                 3.3 V in modem-sleep with the core running; cycles: generic table",
    },
    Profile {
        name: "rp2350-hazard3",
        part: "Raspberry Pi RP2350, one Hazard3 core (Pico 2)",
        ram_bytes: 520 << 10,
        flash_bytes: 4 << 20,
        clock_hz: 150_000_000,
        cycles: Cycles { base: [1, 1, 18, 1, 1, 1, 2, 1], taken: 1 },
        active_milliwatts: None,
        source: "datasheet: 520 KB, 150 MHz; Hazard3: three stages, multiplication in one \
                 cycle, division in 18; load-use stalls are not modelled",
    },
    Profile {
        name: "bl602",
        part: "Bouffalo Lab BL602",
        ram_bytes: 276 << 10,
        flash_bytes: 2 << 20,
        clock_hz: 192_000_000,
        cycles: SINGLE_ISSUE,
        active_milliwatts: None,
        source: "datasheet: 276 KB, 192 MHz; cycles: generic table",
    },
];

impl Profile {
    /// The part called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}
