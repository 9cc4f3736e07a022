use proptest::prelude::*;

use super::*;

const A: u32 = 5;
const B: u32 = 6;
const RESULT: u32 = 7;
const UART: u32 = 8;

fn register(f7: u32, f3: u32) -> u32 {
    f7 << 25 | B << 20 | A << 15 | f3 << 12 | RESULT << 7 | 0x33
}

fn constant(to: u32, value: u32) -> [u32; 2] {
    let low = value << 20;
    let high = value.wrapping_add(0x800) & 0xffff_f000;
    [high | to << 7 | 0x37, low | to << 15 | to << 7 | 0x13]
}

fn store_byte(from: u32, at: u32) -> u32 {
    from << 20 | at << 15 | 0x23
}

const WFI: u32 = 0x1050_0073;
const EBREAK: u32 = 0x0010_0073;

/// An executable of these instructions.
fn executable(code: &[u32]) -> Vec<u8> {
    let mut elf = b"\x7fELF\x01\x01\x01".to_vec();
    elf.resize(84, 0);
    let mut put = |at: usize, value: u32| elf[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(16, 243 << 16 | 2);
    put(24, 0x0800_0000);
    put(28, 52);
    put(44, 1);
    let size = 4 * code.len() as u32;
    for (index, value) in [1, 84, 0x0800_0000, 0x0800_0000, size, size, 5, 4].iter().enumerate() {
        put(52 + 4 * index, *value);
    }
    elf.extend(code.iter().flat_map(|word| word.to_le_bytes()));
    elf
}

fn board(code: &[u32]) -> Machine {
    Machine::new(&executable(code), None, PROFILES[0], 1).unwrap()
}

/// Runs one instruction on two registers and reads the result off the wire.
fn compute(instruction: u32, a: u32, b: u32) -> u32 {
    let mut code = vec![];
    code.extend(constant(A, a));
    code.extend(constant(B, b));
    code.extend(constant(UART, 0x4000_0000));
    code.push(instruction);
    for _ in 0..4 {
        code.push(store_byte(RESULT, UART));
        code.push(8 << 20 | RESULT << 15 | 5 << 12 | RESULT << 7 | 0x13);
    }
    code.push(WFI);
    let mut board = board(&code);
    assert_eq!(board.run(1000), Pause::Idle);
    u32::from_le_bytes(board.read().try_into().unwrap())
}

/// The unprivileged manual, chapters RV32I and M, in arithmetic that cannot overflow.
fn manual(f7: u32, f3: u32, a: u32, b: u32) -> u32 {
    let (sa, sb) = (i128::from(a as i32), i128::from(b as i32));
    let (ua, ub) = (i128::from(a), i128::from(b));
    let shift = b % 32;
    let wide = match (f7, f3) {
        (0, 0) => ua + ub,
        (0x20, 0) => ua - ub,
        (0, 1) => ua << shift,
        (0, 2) => i128::from(sa < sb),
        (0, 3) => i128::from(ua < ub),
        (0, 4) => ua ^ ub,
        (0, 5) => ua >> shift,
        (0x20, 5) => sa >> shift,
        (0, 6) => ua | ub,
        (0, 7) => ua & ub,
        (1, 0) => sa * sb,
        (1, 1) => (sa * sb) >> 32,
        (1, 2) => (sa * ub) >> 32,
        (1, 3) => (ua * ub) >> 32,
        (1, 4) => {
            if sb == 0 {
                -1
            } else {
                sa / sb
            }
        }
        (1, 5) => {
            if ub == 0 {
                -1
            } else {
                ua / ub
            }
        }
        (1, 6) => {
            if sb == 0 {
                sa
            } else {
                sa % sb
            }
        }
        _ => {
            if ub == 0 {
                ua
            } else {
                ua % ub
            }
        }
    };
    wide as u32
}

const REGISTER_OPERATIONS: [(u32, u32); 18] = [
    (0, 0),
    (0x20, 0),
    (0, 1),
    (0, 2),
    (0, 3),
    (0, 4),
    (0, 5),
    (0x20, 5),
    (0, 6),
    (0, 7),
    (1, 0),
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
];

#[test]
fn division_follows_the_manual_at_its_corners() {
    for (a, b) in [(7, 0), (0x8000_0000, u32::MAX), (0x8000_0000, 0), (0, 5), (u32::MAX, 2)] {
        for f3 in 4..8 {
            assert_eq!(compute(register(1, f3), a, b), manual(1, f3, a, b), "{f3} {a} {b}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn arithmetic_follows_the_manual(a: u32, b: u32) {
        for (f7, f3) in REGISTER_OPERATIONS {
            prop_assert_eq!(compute(register(f7, f3), a, b), manual(f7, f3, a, b), "{} {}", f7, f3);
        }
    }

    #[test]
    fn branches_are_taken_as_the_manual_says(a: u32, b: u32) {
        for f3 in [0, 1, 4, 5, 6, 7] {
            // Over the instruction that sets the result to one.
            let branch = B << 20 | A << 15 | f3 << 12 | 8 << 7 | 0x63;
            let one = 1 << 20 | RESULT << 7 | 0x13;
            let mut code = vec![];
            code.extend(constant(A, a));
            code.extend(constant(B, b));
            code.extend(constant(UART, 0x4000_0000));
            code.extend([branch, one, store_byte(RESULT, UART), WFI]);
            let mut board = board(&code);
            board.run(100);
            let (sa, sb) = (a as i32, b as i32);
            let taken = [a == b, a != b, false, false, sa < sb, sa >= sb, a < b, a >= b];
            prop_assert_eq!(board.read(), [u8::from(!taken[f3 as usize])]);
        }
    }

    #[test]
    fn no_program_stops_the_simulator(code in prop::collection::vec(any::<u32>(), 1..200)) {
        let mut board = board(&code);
        board.run(20_000);
        let report = board.report();
        prop_assert_eq!(report.classes.iter().sum::<u64>(), report.instructions);
    }

    #[test]
    fn no_file_stops_the_loader(
        at in 0_usize..84, value: u8, tail in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut elf = executable(&[WFI]);
        elf[at] = value;
        elf.extend(tail);
        if let Ok(mut board) = Machine::new(&elf, None, PROFILES[0], 1) {
            board.run(100);
        }
    }
}

#[test]
fn every_way_to_fail_is_told_apart() {
    let load = |at: u32| A << 15 | 2 << 12 | RESULT << 7 | 3 | at << 20;
    for (address, kind) in [
        (0x1000_0000, FaultKind::Load),
        (0x1fff_fff0, FaultKind::StackOverflow),
        (0x2000_0002, FaultKind::Misaligned),
    ] {
        let mut code = constant(A, address).to_vec();
        code.push(load(0));
        let mut board = board(&code);
        assert_eq!(board.run(100), Pause::Fault);
        assert_eq!(board.fault(), Some(Fault { kind, pc: 0x0800_0008, address }));
    }
    let store_to_flash = {
        let mut code = constant(A, 0x0800_0000).to_vec();
        code.push(A << 15 | 2 << 12 | 0x23);
        code
    };
    for (code, kind) in [
        (vec![EBREAK], FaultKind::Panic),
        (vec![0xffff_ffff], FaultKind::Illegal),
        (vec![0x67], FaultKind::Fetch),
        (store_to_flash, FaultKind::Store),
    ] {
        let mut board = board(&code);
        assert_eq!(board.run(100), Pause::Fault);
        assert_eq!(board.fault().unwrap().kind, kind);
    }
}

#[test]
fn cycles_are_the_table_times_the_counts() {
    let mut code = constant(A, 3).to_vec();
    // Counts A down to zero: two branches taken, one not.
    code.push(0xfff0_0000 | A << 15 | A << 7 | 0x13);
    code.push(0xfe00_0ee3 | A << 15 | 1 << 12);
    code.push(WFI);
    let mut board = board(&code);
    assert_eq!(board.run(100), Pause::Idle);
    let report = board.report();
    assert_eq!((report.instructions, report.classes[5]), (9, 3));
    assert_eq!(report.cycles, 9 + 2 * u64::from(PROFILES[0].cycles.taken));
}

#[test]
fn a_reset_gives_a_new_boot_and_clean_counters() {
    let mut code = constant(UART, 0x4000_0000).to_vec();
    // Low byte of the boot id to the wire.
    code.push(0x1c << 20 | UART << 15 | 2 << 12 | RESULT << 7 | 3);
    code.extend([store_byte(RESULT, UART), WFI]);
    let mut board = board(&code);
    board.run(100);
    let (first, counted) = (board.read(), board.report().instructions);
    board.reset();
    board.run(100);
    assert_ne!(board.read(), first);
    assert_eq!(board.report().instructions, counted);
}

#[test]
fn what_does_not_fit_is_refused_by_how_much() {
    let mut part = PROFILES[0];
    part.flash_bytes = 4096;
    let error = Machine::new(&executable(&[WFI]), Some(&[0; 5000]), part, 1).err().unwrap();
    assert!(error.to_string().ends_with("936 too many"), "{error}");
    assert!(Machine::new(b"#!/bin/sh", None, PROFILES[0], 1).is_err());
}
