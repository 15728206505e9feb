//! Large files and small ones that stand for large ones, given to the program
//! itself with little memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Address space of the program, in KiB: about three times what it takes
/// without reading anything.
const MEMORY: u32 = 512 << 10;

/// Runs kdiy with little memory; what it wrote to standard error.
#[expect(clippy::print_stdout, reason = "for --nocapture")]
fn kdiy(folder: &Path, arguments: &[&str], most: u64) -> (Option<i32>, String) {
    let begun = Instant::now();
    let out = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_kdiy"))
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("MALLOC_ARENA_MAX", "1")
        .env("TOKIO_WORKER_THREADS", "2")
        .env_remove("KDIY_INVENTORY")
        .stdin(fs::File::open("/dev/zero").unwrap())
        .output()
        .unwrap();
    let took = begun.elapsed();
    println!(
        "{arguments:?}: {:?} after {:.1} s",
        out.status.code(),
        took.as_secs_f64()
    );
    assert!(took.as_secs() < most, "{arguments:?} took {took:?}");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !said.contains("panicked") && !said.contains("memory allocation"),
        "{arguments:?}: {said}"
    );
    (out.status.code(), said)
}

/// Refused with a word about the size, or about what is wrong.
fn refused(folder: &Path, arguments: &[&str], why: &str) {
    let (code, said) = kdiy(folder, arguments, 60);
    assert!(
        matches!(code, Some(1 | 3)),
        "{arguments:?}: {code:?} {said}"
    );
    assert!(said.contains(why), "{arguments:?}: {said}");
    assert!(
        said.len() < 60_000,
        "{arguments:?}: {} bytes of errors",
        said.len()
    );
}

fn bomb(levels: usize) -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..levels {
        let item = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [item.as_str(); 9].join(", "));
    }
    text
}

#[test]
fn inventories_of_any_size_are_read_with_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("bomb.yaml", &bomb(30));
    write("deep.yaml", &("a: ".to_owned() + &"[".repeat(500_000)));
    write(
        "block.yaml",
        &(0..1400)
            .map(|n| " ".repeat(n) + "a:\n")
            .collect::<String>(),
    );
    write(
        "scalar.yaml",
        &format!("name: \"{}\"\n", "x".repeat(900_000)),
    );
    write(
        "keys.yaml",
        &(0..60_000)
            .map(|n| format!("k{n}: 1\n"))
            .collect::<String>(),
    );
    write("twice.yaml", &"name: x\n".repeat(20_000));
    write(
        "list.yaml",
        &format!("nodes: [{}]\n", "{name: x}, ".repeat(60_000)),
    );
    write(
        "number.yaml",
        &format!("endpoint: {{port: {}}}\n", "9".repeat(900_000)),
    );
    write("large.yaml", &"x".repeat(2 << 20));
    fs::File::create(folder.join("sparse.yaml"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let validate = |name: &str, why: &str| refused(folder, &["validate", "-i", name], why);
    validate("bomb.yaml", "too-large");
    validate("deep.yaml", "recursion");
    validate("block.yaml", "nested");
    write("pairs.yaml", &format!("a: [x{}", ": ".repeat(500_000)));
    validate("pairs.yaml", "nested");
    validate("scalar.yaml", "name");
    validate("keys.yaml", "");
    validate("twice.yaml", "duplicate-key");
    validate("list.yaml", "");
    validate("number.yaml", "port");
    validate("large.yaml", "too-large");
    validate("sparse.yaml", "64 MiB");
    validate("/dev/zero", "64 MiB");
    refused(folder, &["init", "--out", "x"], "64 MiB");
}

#[test]
fn files_beside_inventories_are_read_with_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(
        repository.join("inventories/single.yaml"),
        folder.join("kdiy.yaml"),
    )
    .unwrap();
    write("bomb.yaml", &bomb(30));
    write("outputs.json", &"[".repeat(1_000_000));
    write(
        "hosts.ini",
        "[kube_control_plane]\nh[1:99999999].example.com\n",
    );
    refused(
        folder,
        &[
            "inventory",
            "import",
            "terraform",
            "/dev/zero",
            "--out",
            "x",
        ],
        "64 MiB",
    );
    refused(
        folder,
        &[
            "inventory",
            "import",
            "terraform",
            "outputs.json",
            "--out",
            "x",
        ],
        "",
    );
    refused(
        folder,
        &["inventory", "import", "ansible", "bomb.yaml", "--out", "x"],
        "too-large",
    );
    refused(
        folder,
        &["inventory", "import", "ansible", "hosts.ini", "--out", "x"],
        "",
    );
    refused(
        folder,
        &["inventory", "import", "vagrant", "/dev/zero", "--out", "x"],
        "64 MiB",
    );
    refused(folder, &["apply", "--yes", "/dev/zero"], "64 MiB");

    let wide = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x,".repeat(20_000),
        "*a,".repeat(20_000)
    );
    write("wide.yaml", &wide);
    let text = fs::read_to_string(folder.join("kdiy.yaml")).unwrap();
    write(
        "audit.yaml",
        &(text + "\ncontrolPlane: {apiServer: {audit: {policy: wide.yaml}}}\n"),
    );
    refused(
        folder,
        &["validate", "-i", "audit.yaml"],
        "stand for too much",
    );

    fs::create_dir(folder.join(".ssh")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join(".ssh/config")).unwrap();
    refused(folder, &["plan"], "64 MiB");
}
