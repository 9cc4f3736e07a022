//! Tells the linker where the scripts are.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-search={here}");
    println!("cargo:rerun-if-changed=sim-rv32.x");
    println!("cargo:rerun-if-changed=mps2-an386.x");
}
