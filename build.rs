//! Tells cargo that the templates are part of the program.

fn main() {
    println!("cargo::rerun-if-changed=templates");
}
