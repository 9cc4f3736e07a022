//! Each board has its linker script.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-search={here}");
    // Segments need no pages here.
    println!("cargo:rustc-link-arg=--nmagic");
    for board in ["sim-rv32", "mps2-an386", "netduinoplus2"] {
        println!("cargo:rustc-link-arg-bin={board}=-T{board}.x");
        println!("cargo:rerun-if-changed={board}.x");
    }
}
