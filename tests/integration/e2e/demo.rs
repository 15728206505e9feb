//! `make demo`, and on its cluster everything that README and docs/ show of
//! one.

use std::process::Command;
use std::time::Instant;

use super::cluster;
use super::figure;
use super::kdiy;
use super::lab::cache;
use crate::documents::{How, Shell, blocks, root};

/// The demo, removed at the end.
struct Demo;

impl Drop for Demo {
    fn drop(&mut self) {
        if std::env::var_os("KDIY_KEEP_LAB").is_none() {
            // Nothing more can be done about a failure here.
            let _ = Command::new(root().join("tests/demo")).arg("down").output();
        }
    }
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_demo_is_what_the_documents_say() {
    let kdiy = kdiy::binary();
    let _demo = Demo;
    let began = Instant::now();
    let own_home = std::env::var("HOME").expect("HOME");
    let repository = Shell::new(&kdiy)
        .within(root())
        .with("HOME", &own_home)
        .with("KDIY_BIN", &kdiy.display().to_string());
    for block in blocks(How::Demo) {
        repository.run(&block);
    }
    figure("the demo", began.elapsed());

    let folder = root().join("demo");
    let shell = Shell::new(&kdiy)
        .within(&folder)
        .with("KDIY_LAB_CACHE", &cache().display().to_string());
    shell.program("kubectl", &cluster::binary());
    let blocks = blocks(How::Cluster);
    for block in &blocks {
        let said = shell.run(block);
        assert!(!said.contains("panicked"), "{said}");
    }
    figure("blocks of documents on its cluster", began.elapsed());
}
