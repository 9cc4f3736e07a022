//! Exchanges the locks and atomics of the guards (`src/resilience/sync.rs`).

fn main() {
    println!("cargo:rustc-check-cfg=cfg(shuttle)");
    println!("cargo:rustc-cfg=shuttle");
    println!("cargo:rerun-if-changed=build.rs");
}
