//! The manual's tables equal those of the code. `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callgauge::diagnosis::Kind;
use callgauge::fleet::FleetLimits;
use callgauge::{Config, Limits};

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(source(name)).unwrap()
}

fn check(name: &str, made: &str) {
    let name = format!("manual/{name}.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(source(&name), made).unwrap();
    }
    assert_eq!(read(&name), made, "{name}: run with UPDATE_GOLDEN=1, and review the difference");
}

/// The modules whose numbers decide the outputs, and the files in them.
const MODULES: [(&str, &str); 11] = [
    ("emodel", "The E-model family"),
    ("metric", "From counters to differences, and to the figures of an interval"),
    ("score", "Scores"),
    ("speaker", "Dominant speaker"),
    ("diagnosis", "Diagnoses; [`diagnoses`](crate::manual::diagnoses) lists the thresholds of each kind"),
    ("stream", "A stream over the call"),
    ("fabric", "The lifecycle of a connection"),
    ("conference", "Users and conference"),
    ("config", "Configuration"),
    ("fleet", "Many conferences"),
    ("replay", "Recordings into a conference"),
];

/// Constants of the implementation that decide no output.
const MECHANICS: [&str; 14] = [
    "KIND",
    "COUNT",
    "VERSION",
    "WIDTH",
    "ROOM",
    "BLOCK",
    "GRAIN",
    "ONE",
    "UNKNOWN",
    "RX",
    "CAUSES",
    "TIERS",
    "EXPECTED_EPISODES",
    "STREAMS_PER_EPISODE",
];

struct Constant {
    name: String,
    value: String,
    comment: String,
}

#[test]
fn manual_lists_every_constant_with_its_comment() {
    let mut page = String::from(
        "\nEvery number in the engine that affects an output, with its value and its comment: the unit, and the source document,\n\
         the recordings to which it was fitted, or a note that it is our own choice.\n\n\
         Values of published tables are not repeated here: those of codecs are in\n[`emodel::codec`](crate::emodel::codec), \
         those of the E-model in [`emodel`](crate::emodel).\n",
    );
    let mut count = 0;
    for (module, title) in MODULES {
        let _ = write!(page, "\n# {title}\n\n| constant | value | what |\n|---|---|---|\n");
        for file in files(module) {
            for Constant { name, value, comment } in constants(&read(&file)) {
                let _ = writeln!(page, "| `{name}`, {file} | {value} | {comment} |");
                count += 1;
            }
        }
    }
    assert!(count > 130, "only {count} constants");
    check("constants", &page);
}

/// The file of a module and those in its folder, sorted.
fn files(module: &str) -> Vec<String> {
    let mut files = vec![];
    let mut folders = vec![module.to_owned()];
    while let Some(folder) = folders.pop() {
        if source(&format!("{folder}.rs")).exists() && !files.contains(&format!("{folder}.rs")) {
            files.push(format!("{folder}.rs"));
        }
        for entry in std::fs::read_dir(source(&folder)).into_iter().flatten() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if !files.contains(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The numeric constants and their comments. A constant without a comment belongs to the one above, or to its function.
fn constants(text: &str) -> Vec<Constant> {
    let mut found: Vec<Constant> = vec![];
    let mut comment = vec![];
    let (mut above, mut function) = (String::new(), String::new());
    for line in text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")) {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("///") {
            comment.push(words.trim());
            continue;
        }
        let declared = ["pub(crate) ", "pub(super) ", "pub "]
            .iter()
            .fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
        let parts = declared.strip_prefix("const ").and_then(|rest| {
            let (name, rest) = rest.split_once(':')?;
            let (kind, value) = rest.split_once(" = ")?;
            Some((name, kind.trim(), value.strip_suffix(';')?))
        });
        if let Some((name, kind, value)) = parts
            && is_number(kind)
            && !MECHANICS.contains(&name)
        {
            let words = sentence(&comment);
            let as_above = words.is_empty();
            if !as_above {
                above = words.clone();
            }
            let comment = match (as_above, above.is_empty()) {
                (false, _) => words,
                (true, false) => "as above".to_owned(),
                // Within a function: the function's own comment.
                (true, true) => function.clone(),
            };
            assert!(!comment.is_empty(), "{name} has no comment");
            found.push(Constant { name: name.to_owned(), value: format!("`{value}`"), comment });
        } else if parts.is_none() {
            above.clear();
            if declared.starts_with("fn ") || declared.starts_with("const fn ") {
                let first: Vec<&str> = comment.iter().copied().take_while(|line| !line.is_empty()).collect();
                function = sentence(&first);
            }
        }
        // Attributes stand between a comment and its item.
        if !line.starts_with('#') {
            comment.clear();
        }
    }
    found
}

fn is_number(kind: &str) -> bool {
    let plain = kind.trim_start_matches(['(', '[']).split([',', ';', ')']).next().unwrap_or(kind);
    matches!(plain, "f64" | "f32" | "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64")
        || kind.contains("RangeInclusive<u64>")
}

/// A comment in one line of a table, its links as plain code.
fn sentence(comment: &[&str]) -> String {
    let text = comment.join(" ").replace('|', "\\|");
    let mut parts = text.split("[`");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once("`]").unwrap();
        let rest = rest.strip_prefix('(').and_then(|link| link.split_once(')')).map_or(rest, |(_, rest)| rest);
        plain = format!("{plain}`{code}`{rest}");
    }
    plain
}

/// The limits that a file declares.
fn declared(file: &str) -> Vec<String> {
    let text = read(file);
    let declared = text.split_once("\nlimits! {").and_then(|(_, rest)| rest.split_once("\n}")).unwrap().0;
    declared.lines().filter_map(|line| Some(line.trim().split_once(" with_")?.0.to_owned())).collect()
}

#[test]
fn manual_lists_every_limit_with_its_values() {
    macro_rules! all {
        ($type:ident: $($name:ident)*) => { [$((stringify!($name), $type::$name as fn(&$type) -> usize)),*] };
    }
    let limits = all! { Limits:
        fabrics streams_per_fabric streams pending_events users stays_per_user name_bytes ssrcs_per_fabric ssrcs
        parts_per_fabric devices timeline speakers dominance_spans errors error_bytes diagnoses_per_fabric diagnoses digest_cells
        feedback
    };
    let of_fleets = all! { FleetLimits:
        conferences pending_summaries windows labels labels_per_conference label_bytes
    };
    assert_eq!(declared("config.rs"), limits.map(|(name, _)| name), "config.rs and this test");
    assert_eq!(declared("fleet/config.rs"), of_fleets.map(|(name, _)| name), "fleet/config.rs and this test");

    let mut page = String::from(
        "\nNo input makes the engine grow without bound. Input beyond a limit is refused with a typed error, or dropped and\n\
         counted; existing data stays. Only an event queue that is not polled drops its oldest events, and reports how\n\
         many. [`Limits`](crate::Limits) states for each limit which of the two applies.\n\n\
         | limit | [`new`](crate::Limits::new) | [`sdk`](crate::Limits::sdk) |\n|---|---|---|\n",
    );
    for (name, get) in limits {
        let [new, sdk] = [Limits::new(), Limits::sdk()].map(|limits| get(&limits));
        let _ = writeln!(page, "| [`{name}`](crate::Limits::with_{name}) | {new} | {sdk} |");
    }
    let config = Config::new();
    page.push_str(BOUNDS);
    for (name, get) in of_fleets {
        let limit = get(&FleetLimits::new());
        let _ = writeln!(page, "| [`{name}`](crate::fleet::FleetLimits::with_{name}) | {limit} |");
    }
    let _ = write!(
        page,
        "\n# Times\n\n\
         | time | default |\n|---|---|\n\
         | inactivity after which a user has left and the conference ends ([`with_inactivity_timeout`](crate::Config::with_inactivity_timeout)) | {} s |\n\
         | window of the only speaker ([`with_speaker_window`](crate::Config::with_speaker_window)) | {} s |\n\n",
        config.inactivity_timeout().as_secs(),
        config.speaker_window().as_secs(),
    );
    page.push_str(FIXED);
    check("limits", &page);
}

const BOUNDS: &str = "
Under the limits of `new` a conference stays below 192 MiB for any input, and below 352 MiB with its summary; under those
of `sdk` it stays below 24 MiB with its summary (`tests/cost/memory.rs`). [`Limits`](crate::Limits) states the memory cost
of each.

# Fleets

The memory of a fleet follows from these limits and from the memory of each conference, as
[`FleetLimits`](crate::fleet::FleetLimits) states. Every conference may use the labels that are in use already; one
conference takes at most half of the labels that are free when it opens.

| limit | [`new`](crate::fleet::FleetLimits::new) |
|---|---|
";

const FIXED: &str = "\
# Fixed limits

```
use callgauge::{event, ingest, sdp};

assert_eq!(event::MAX_TEXT, 20 * 1024); // bytes of one log of an application, callstats' 20 KB
assert_eq!(ingest::getstats::MAX_ENTRIES, 16_384); // entries of one snapshot; a call of fifty has 271
assert_eq!(sdp::MAX_STREAMS, 16_384); // SSRCs of one session description
```

A skipped value may nest to any depth. A reader of differences (rtcstats) stores 256 connections and 64 MiB of their
state at a time, and drops the one that was silent longest. It tracks 65 536 entries of a connection between snapshots.

# Cost of an input byte

Time and memory are linear in the input, and no byte costs more than this (`tests/cost/input.rs` and the command's tests
measure it with the shortest texts that are known):

| | bound |
|---|---|
| memory of a reader | the largest record, and 1.4 KB for each of its entries, four times for differences; below 128 MiB |
| entries that differences restore without text of their own | 65 536, and one per byte read; recorded calls restore one per 40 bytes |
| memory of a replay | that of a conference; 64 items of each source until its order is known; a document or a source that is newest first is held, the latter up to 128 MiB |
| memory of the overview of a source ([`SourceOverview`](crate::replay::SourceOverview)) | 1 024 connections, 4 096 SSRCs of each |
| memory of the command beside it | 64 MiB for items of several files that wait for each other; 15 MB for bars, 4 KB per stream |
| a record of the command | 1 GiB, or `--max-record`; twice its length in memory |
| disk of the command | what pipes beside other files hold, in the temporary directory |
| output of `intervals` | 1 300 bytes for each stream and snapshot. A getStats entry of 60 bytes thus becomes 20 times as long, a column of webrtc-internals 200 times; a difference may become 1 300 times as long, after the first 65 536 entries (85 MB) |
| output of `derived` | 200 bytes and the name of the file for each entry and snapshot |
| output of `report` and `inspect` | 4 KB for each stream and connection, never more for more snapshots |

A difference beyond the budget is not applied, and [`Skipped::differences`](crate::report::Skipped::differences) counts
it. Its connection goes on with the values that it had.
";

#[test]
fn manual_lists_every_diagnosis_with_its_thresholds() {
    let mut page = String::from(
        "\nThe figure of a diagnosis is smoothed over `over`. The diagnosis is raised after the figure was at or beyond `raise`\n\
         for `after`, is severe from `severe` on, and is cleared after the figure was below `clear` for `calm`. A stream that\n\
         begins, or continues after a rest, is not examined for `settling`. Times are in ms, values in the unit of the figure.\n\
         [`Kind`](crate::diagnosis::Kind) describes each kind.\n\n\
         | kind | figure | raise | clear | severe | over | after | calm | settling | source |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for &kind in Kind::ALL {
        let limits = Config::new().thresholds().of(kind);
        let severe = if limits.severe() < 1e9 { limits.severe().to_string() } else { "–".to_owned() };
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {severe} | {} | {} | {} | {} | {} |",
            kind.name(),
            kind.figure(),
            limits.raise(),
            limits.clear(),
            limits.smoothing_ms(),
            limits.raise_after_ms(),
            limits.clear_after_ms(),
            limits.settling_ms(),
            kind.source().replace('|', "\\|"),
        );
    }
    check("diagnoses", &page);
}
