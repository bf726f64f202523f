//! The rules for words and type names in CONTRIBUTING.md, counted over the sources. It judges no sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Words that stand for a participant without naming it, and archaic words.
const WORDS: [&str; 7] = ["nobody", "somebody", "anybody", "everybody", "whoever", "anew", "befell"];
/// The maximum number of lines that contain one.
const MAX_WORDS: usize = 20;

/// Type names that stand in several files, as CONTRIBUTING.md lists them.
const SHARED_TYPE_NAMES: [&str; 4] = ["Breakdown", "Format", "Sink", "Window"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files in a folder and its folders.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The name of the type that a line declares, if it stands at the beginning of the line: those in functions, in macros and
/// of traits are not counted.
fn declared_type(line: &str) -> Option<&str> {
    let mut words = line.split([' ', '<', '(', '{', ';', ':', '=']).filter(|word| !word.is_empty());
    let mut word = words.next().filter(|_| !line.starts_with(' '))?;
    if word == "pub" {
        word = words.next()?;
        while word.ends_with(')') || word == "in" || word == "crate" || word == "super" {
            word = words.next()?;
        }
    }
    matches!(word, "struct" | "enum" | "trait" | "type" | "union").then(|| words.next())?
}

#[test]
fn comments_name_the_participant() {
    let mut files = sources(&root().join("src"));
    files.extend(sources(&root().join("crates")));
    files.push(root().join("README.md"));
    assert!(files.len() > 150, "{}", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let found = |line: &str| words(line).any(|word| WORDS.contains(&&*word.to_lowercase()));
            let lines: Vec<String> = text.lines().filter(|line| found(line)).map(str::to_owned).collect();
            lines.into_iter().map(|line| format!("{}: {}", path.display(), line.trim()))
        })
        .collect();
    assert!(found.len() <= MAX_WORDS, "{} lines\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_type_name_stands_in_one_file() {
    let mut files: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for folder in ["src", "crates"] {
        for path in sources(&root().join(folder))
            .into_iter()
            .filter(|path| !path.components().any(|part| part.as_os_str() == "tests"))
        {
            for name in fs::read_to_string(&path).unwrap().lines().filter_map(declared_type) {
                files.entry(name.to_owned()).or_default().insert(path.clone());
            }
        }
    }
    assert!(files.len() > 350, "{}", files.len());
    let shared = files.iter().filter(|(_, files)| files.len() > 1);
    let unlisted: Vec<_> = shared.clone().filter(|(name, _)| !SHARED_TYPE_NAMES.contains(&&***name)).collect();
    assert!(unlisted.is_empty(), "{unlisted:#?}");
    for name in SHARED_TYPE_NAMES {
        assert!(shared.clone().any(|(shared, _)| shared == name), "{name} is listed and not shared");
    }
    assert!(SHARED_TYPE_NAMES.len() * 100 <= files.len() * 3, "{} of {}", SHARED_TYPE_NAMES.len(), files.len());
    let rules = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let list = rules.split("## Type names that exist in two modules").nth(1).unwrap().split("\n## ").next().unwrap();
    for name in SHARED_TYPE_NAMES {
        assert!(list.contains(&format!("`{name}`")), "{name} is not in CONTRIBUTING.md");
    }
}

/// The declarations that the count relies on are recognised.
#[test]
fn type_declarations_are_recognised() {
    for (line, name) in [
        ("pub struct Report {", Some("Report")),
        ("pub(in crate::ingest) struct Lines {", Some("Lines")),
        ("pub(crate) enum Raise<'a> {", Some("Raise")),
        ("pub type Each<'a> = dyn FnMut();", Some("Each")),
        ("struct Unit;", Some("Unit")),
        ("    type Item = u8;", None),
        ("fn structure() {}", None),
        ("//! struct Comment", None),
    ] {
        assert_eq!(declared_type(line), name, "{line}");
    }
}
