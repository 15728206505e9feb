//! README and docs/: what they show in `sh` blocks is run. A comment before
//! each block says how:
//!
//! - `<!-- run: offline -->`: here and now, without hosts; the blocks of one
//!   document one after the other in one folder, which has `inventories/`.
//! - `<!-- run: hosts -->`: on the lab, from bare hosts to a cluster: the life
//!   of a cluster begins with it (e2e/life).
//! - `<!-- run: demo -->`: in the repository's folder, with root (e2e/demo).
//! - `<!-- run: cluster -->`: on the demo's cluster, beside its `kdiy.yaml`
//!   (e2e/demo).
//! - `<!-- run: vagrant -->`: beside the Vagrantfile (e2e/vagrant).
//! - `<!-- not run: REASON -->`.

mod run;

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

pub use run::Shell;

/// How a block is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Offline,
    Hosts,
    Demo,
    Cluster,
    Vagrant,
    Not,
}

/// One `sh` block of a document.
#[derive(Debug, Clone)]
pub struct Block {
    /// The document, from the repository's folder.
    pub file: PathBuf,
    /// Where it begins.
    pub line: usize,
    pub how: How,
    pub text: String,
}

/// README and everything in docs/.
fn documents() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).into_iter().flatten();
    let docs = docs.map(|entry| entry.expect("an entry").file_name());
    let mut docs: Vec<_> = docs.map(|name| Path::new("docs").join(name)).collect();
    docs.retain(|path| path.extension().is_some_and(|end| end == "md"));
    docs.sort();
    docs.insert(0, PathBuf::from("README.md"));
    docs
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Blocks of all documents that are run in one way, in order.
pub fn blocks(how: How) -> Vec<Block> {
    let all = documents().into_iter().flat_map(|file| read(&file));
    all.filter(|block| block.how == how).collect()
}

fn read(file: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(root().join(file)).expect("a document");
    of(file, &text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The blocks of a text, each with what the comment before it says.
fn of(file: &Path, text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let (mut comment, mut open) = (None, None::<Block>);
    for (event, place) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Html(html) if html.trim().starts_with("<!--") => {
                comment = Some(html.trim().to_owned());
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                let line = text[..place.start].lines().count() + 1;
                let at = format!("{}:{line}", file.display());
                match &*language {
                    "sh" => {
                        let how = how(comment.take().as_deref())
                            .ok_or_else(|| format!("{at}: no comment says how this is run"))?;
                        open = Some(Block {
                            file: file.to_owned(),
                            line,
                            how,
                            text: String::new(),
                        });
                    }
                    "bash" | "shell" | "console" => {
                        return Err(format!("{at}: write `sh`, and how it is run"));
                    }
                    _ => {}
                }
            }
            Event::Text(text) => {
                if let Some(block) = &mut open {
                    block.text.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => comment = None,
        }
    }
    Ok(blocks)
}

fn how(comment: Option<&str>) -> Option<How> {
    let said = comment?.strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    Some(match said {
        "run: offline" => How::Offline,
        "run: hosts" => How::Hosts,
        "run: demo" => How::Demo,
        "run: cluster" => How::Cluster,
        "run: vagrant" => How::Vagrant,
        _ => {
            let reason = said.strip_prefix("not run:")?.trim();
            return (!reason.is_empty()).then_some(How::Not);
        }
    })
}

#[test]
fn every_block_says_how_it_is_run() {
    let all: Vec<_> = documents().iter().flat_map(|file| read(file)).collect();
    let ways = [How::Offline, How::Hosts, How::Demo, How::Cluster];
    for way in ways {
        assert!(all.iter().any(|block| block.how == way), "none of {way:?}");
    }
    let reading = of(Path::new("x.md"), "text\n\n```sh\nls\n```\n").unwrap_err();
    assert_eq!(reading, "x.md:3: no comment says how this is run");
    let reading = of(Path::new("x.md"), "<!-- not run: -->\n```sh\nls\n```\n");
    assert!(reading.is_err(), "a reason is asked for");
    let reading = of(Path::new("x.md"), "<!-- run: demo -->\n\n```sh\nls\n```\n");
    assert_eq!(reading.unwrap()[0].how, How::Demo);
}

#[test]
fn what_needs_no_hosts_is_run() {
    for file in documents() {
        let blocks = read(&file);
        let offline = blocks.iter().filter(|block| block.how == How::Offline);
        let kdiy = assert_cmd::cargo::cargo_bin("kdiy");
        let shell = Shell::new(&kdiy);
        std::os::unix::fs::symlink(
            root().join("inventories"),
            shell.folder().join("inventories"),
        )
        .expect("a link");
        for block in offline {
            shell.run(block);
        }
    }
}

#[test]
fn inventories_in_documents_are_valid() {
    let mut seen = 0;
    for file in documents() {
        let text = std::fs::read_to_string(root().join(&file)).expect("a document");
        for part in text.split("```yaml\n").skip(1) {
            let yaml = part.split("```").next().unwrap_or_default();
            if yaml.starts_with("apiVersion: kdiy/") {
                let read = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
                let loaded = kdiy::inventory::load(yaml, &read);
                assert!(loaded.cluster.is_some(), "{file:?}: {:?}", loaded.findings);
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "README has one");
}

#[test]
fn the_table_of_exit_codes_is_the_programs() {
    let text = std::fs::read_to_string(root().join("docs/scripting.md")).expect("it is there");
    for exit in kdiy::cli::Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(text.replace('`', "").contains(&row), "no row {row}");
    }
}
