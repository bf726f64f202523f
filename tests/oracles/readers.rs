//! The scanner against the serde visitor: two independent readers must give the same report.

use std::collections::BTreeMap;

use callgauge::ingest::getstats::{self, MAX_ENTRIES, Scanner};
use callgauge::ingest::{NameCounts, Reader, Unread};
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::common::{Seeded, WORKLOADS, recordings, workload};

/// The raw stats of a recorded line; `None` for lines without stats.
fn stats_of(line: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow, alias = "stats")]
        report: Option<&'a RawValue>,
    }
    let line: Line<'_> = serde_json::from_str(line).expect("a recorded line is JSON");
    line.report.map(RawValue::get)
}

fn by_scanner(text: &str) -> Result<Report, callgauge::ingest::ReadError> {
    let mut report = Report::new();
    Scanner::new().read(text.as_bytes(), &mut report)?;
    Ok(report)
}

fn by_visitor(text: &str) -> Result<Report, serde_json::Error> {
    visited(text).map(|(report, _)| report)
}

/// The report by the visitor, and what it did not read.
fn visited(text: &str) -> Result<(Report, Unread), serde_json::Error> {
    let (mut report, mut unread) = (Report::new(), Unread::default());
    let mut json = serde_json::Deserializer::from_str(text);
    getstats::deserialize(&mut json, &mut report, &mut unread)?;
    json.end()?;
    Ok((report, unread))
}

/// The first difference of two reports; `None` if they are equal.
fn difference(a: &Report, b: &Report) -> Option<String> {
    if a.skipped() != b.skipped() {
        return Some(format!("{:?} against {:?}", a.skipped(), b.skipped()));
    }
    if a == b {
        return None;
    }
    let differing = a.entries().zip(b.entries()).find(|(a, b)| a != b);
    Some(differing.map_or(format!("{} rows against {}", a.len(), b.len()), |(a, b)| format!("{a:#?} against {b:#?}")))
}

#[test]
fn both_readers_read_recorded_snapshots_alike() {
    let mut lines: Vec<(String, String)> = recordings();
    lines.extend(WORKLOADS.map(|set| (set.to_owned(), workload(set).join("\n"))));
    let (mut snapshots, mut rows) = (0, 0);
    // One scanner for all: what it learned from one browser must not affect the next one's report.
    let mut scanner = Scanner::new();
    let mut scanned = Report::new();
    for (name, text) in &lines {
        for (number, line) in text.lines().enumerate() {
            let Some(stats) = stats_of(line) else { continue };
            scanner.read(stats.as_bytes(), &mut scanned).unwrap_or_else(|error| panic!("{name}:{number}: {error}"));
            let visited = by_visitor(stats).unwrap_or_else(|error| panic!("{name}:{number}: {error}"));
            assert_eq!(difference(&scanned, &visited), None, "{name}:{number}");
            snapshots += 1;
            rows += scanned.len();
        }
    }
    assert!(snapshots > 5_000 && rows > 20 * snapshots, "only {snapshots} snapshots with {rows} rows");
}

#[test]
fn member_order_does_not_change_the_report() {
    let mut compared = 0;
    for (ordered, shuffled) in workload("p10").iter().zip(&workload("p10-shuffled")) {
        let (ordered, shuffled) = (stats_of(ordered).unwrap(), stats_of(shuffled).unwrap());
        assert_ne!(ordered, shuffled);
        assert_eq!(difference(&by_scanner(ordered).unwrap(), &by_scanner(shuffled).unwrap()), None);
        compared += 1;
    }
    assert_eq!(compared, 60);
}

#[test]
fn recordings_have_no_value_that_the_rules_refuse() {
    let mut snapshots = 0;
    for (name, text) in recordings() {
        let mut reader = Reader::new();
        for line in text.lines() {
            reader.read(line.as_bytes(), &mut |_| {}).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let skipped = reader.skipped();
        assert_eq!(skipped.entries, 0, "{name}");
        // aiortc reports jitter in ticks of the RTP clock (edge case 7): at most one member of each received stream.
        let allowed = if name == "aiortc-loopback" { 4 * reader.snapshots() } else { 0 };
        assert!(skipped.bad_fields <= allowed, "{name}: {skipped:?}");
        assert!(reader.snapshots() > 0, "{name} is empty");
        snapshots += reader.snapshots();
    }
    assert!(snapshots > 5_000, "only {snapshots} snapshots");
}

/// The raw entries of an array of stats.
fn entries_of(stats: &str) -> Vec<(String, &str)> {
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let entries: Vec<&RawValue> = serde_json::from_str(stats).unwrap();
    entries.iter().map(|entry| (serde_json::from_str::<Entry>(entry.get()).unwrap().id, entry.get())).collect()
}

/// `text` with white space of every kind between its tokens.
fn spaced(text: &str) -> String {
    let (mut out, mut in_string, mut escaped) = (String::new(), false, false);
    for char in text.chars() {
        let structural = !in_string && "{}[]:,".contains(char);
        if structural {
            out.push_str(" \n\t");
        }
        out.push(char);
        if structural {
            out.push_str("\r\n  ");
        }
        in_string ^= char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
    }
    out
}

#[test]
fn every_container_shape_gives_the_same_report() {
    let quote = |text: &str| serde_json::to_string(text).unwrap();
    let join = |entries: &[(String, &str)], each: &dyn Fn(&str, &str) -> String| {
        entries.iter().map(|(id, entry)| each(&quote(id), entry)).collect::<Vec<_>>().join(",")
    };
    let mut compared = 0;
    for set in WORKLOADS {
        let Some(line) = workload(set).into_iter().nth(7) else { panic!("{set} has no line 7") };
        let stats = stats_of(&line).unwrap();
        let entries = entries_of(stats);
        let expected = by_scanner(stats).unwrap();
        assert_eq!(expected.len(), entries.len());
        let without_id = |id: &str, entry: &str| {
            let member = format!("\"id\":{id}");
            entry.replacen(&format!("{member},"), "", 1).replacen(&format!(",{member}}}"), "}", 1)
        };
        let shapes = [
            ("array", stats.to_owned()),
            ("object", format!("{{{}}}", join(&entries, &|id, entry| format!("{id}:{entry}")))),
            ("pairs", format!("[{}]", join(&entries, &|id, entry| format!("[{id},{entry}]")))),
            ("longer pairs", format!("[{}]", join(&entries, &|id, entry| format!("[{id},{entry},[{id},{{}}],0]")))),
            (
                "key and value",
                format!("[{}]", join(&entries, &|id, entry| format!("{{\"key\":{id},\"value\":{entry}}}"))),
            ),
            ("result", format!("{{\"result\":{stats}}}")),
            ("pairs in result", format!("{{\"result\":[{}]}}", join(&entries, &|id, entry| format!("[{id},{entry}]")))),
            ("object, time beside", format!("{{\"timestamp\":5,{}}}", join(&entries, &|id, e| format!("{id}:{e}")))),
            (
                "object, ids outside",
                format!("{{{}}}", join(&entries, &|id, entry| format!("{id}:{}", without_id(id, entry)))),
            ),
            (
                "pairs, ids outside",
                format!("[{}]", join(&entries, &|id, entry| format!("[{id},{}]", without_id(id, entry)))),
            ),
        ];
        for (name, shape) in &shapes {
            let texts = [shape.clone(), spaced(shape), quote(shape), quote(&spaced(shape)), quote(&quote(shape))];
            for (number, text) in texts.iter().enumerate() {
                let scanned = by_scanner(text).unwrap_or_else(|error| panic!("{set}, {name} {number}: {error}"));
                let visited = by_visitor(text).unwrap_or_else(|error| panic!("{set}, {name} {number}: {error}"));
                assert_eq!(difference(&scanned, &expected), None, "{set}, {name} {number}");
                assert_eq!(difference(&visited, &expected), None, "{set}, {name} {number}");
                compared += 1;
            }
        }
        let thrice = quote(&quote(&quote(stats)));
        assert!(by_scanner(&thrice).is_err() && by_visitor(&thrice).is_err());
    }
    assert_eq!(compared, 4 * 10 * 5);
}

#[test]
fn both_readers_count_what_they_do_not_read() {
    let renamed = [
        ("\"packetsReceived\"", "\"packetsTeleported\""),
        ("\"dtlsState\":\"connected\"", "\"dtlsState\":\"hanging\""),
        ("\"type\":\"media-source\"", "\"type\":\"source\""),
        ("\"kind\":\"video\"", "\"kind\":\"moving\""),
    ];
    let mut scanner = Scanner::new();
    for line in workload("p10").iter().take(5) {
        let text =
            renamed.iter().fold(stats_of(line).unwrap().to_owned(), |text, (name, other)| text.replace(name, other));
        for text in [text.clone(), serde_json::to_string(&text).unwrap()] {
            let before = scanner.unread().clone();
            let mut scanned = Report::new();
            scanner.read(text.as_bytes(), &mut scanned).unwrap();
            let (report, unread) = visited(&text).unwrap();
            assert_eq!(difference(&scanned, &report), None);
            assert!(scanned.skipped().bad_members().any(|member| member == "kind"));
            let added = |now: &NameCounts, before: &NameCounts| now.total() - before.total();
            for (now, before, count) in [
                (&scanner.unread().members, &before.members, &unread.members),
                (&scanner.unread().types, &before.types, &unread.types),
                (&scanner.unread().values, &before.values, &unread.values),
            ] {
                assert!(!count.is_empty());
                assert_eq!(added(now, before), count.total());
                assert!(now.iter().map(|(name, _)| name).eq(count.iter().map(|(name, _)| name)), "{now:?} {count:?}");
            }
        }
    }
}

/// A report that serde can deserialize.
struct Read(Report);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut report = Report::new();
        getstats::deserialize(deserializer, &mut report, &mut Unread::default())?;
        Ok(Self(report))
    }
}

#[test]
fn serde_visitor_reads_cbor_like_json() {
    let odd = r#"{"a":{"type":"inbound-rtp","ssrc":7,"mid":0,"jitter":null,"kind":null,"timestamp":1e3,"psnrSum":{"y":2,"u":null},
        "packetsLost":-3,"bytesReceived":1.5,"active":[null],"label":{"b":null}},"b":null,"c":[null],"timestamp":null}"#;
    let mut texts = vec![odd.to_owned()];
    texts.extend(workload("p2").iter().chain(&workload("p10")).map(|line| stats_of(line).unwrap().to_owned()));
    for text in &texts {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        let Read(report) = ciborium::from_reader(&*bytes).unwrap();
        assert_eq!(difference(&report, &by_scanner(text).unwrap()), None);
        assert!(!report.is_empty());
    }
}

#[test]
fn entries_beyond_the_limit_are_counted_by_both_readers() {
    for entry in [r#"{"id":"a","type":"codec","payloadType":0}"#, r#"["a",{"type":"codec","payloadType":0}]"#] {
        let text = format!("[{}]", vec![entry; MAX_ENTRIES + 3].join(","));
        let (scanned, visited) = (by_scanner(&text).unwrap(), by_visitor(&text).unwrap());
        assert_eq!((scanned.len(), scanned.skipped().entries), (MAX_ENTRIES, 3));
        assert_eq!(difference(&scanned, &visited), None);
    }
}

#[test]
fn malformed_entry_drops_only_itself() {
    let good = r#"{"id":"a","type":"codec","payloadType":0}"#;
    let odd =
        ["7", "null", "\"text\"", "[]", "[7]", "[\"b\"]", "[\"b\",7]", "[7,{}]", "{\"type\":\"warp-drive\"}", "{}"];
    for odd in odd {
        let text = format!("[{good},{odd},{good}]");
        let (scanned, visited) = (by_scanner(&text).unwrap(), by_visitor(&text).unwrap());
        assert_eq!((scanned.len(), scanned.skipped().entries), (2, 1), "{odd}");
        assert_eq!(difference(&scanned, &visited), None, "{odd}");
    }
}

/// Member names: from the table, of older APIs, unknown ones, some with escapes.
fn any_name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = (Num::ALL.iter().map(|field| field.name()))
        .chain(Text::ALL.iter().map(|field| field.name()))
        .chain(Flag::ALL.iter().map(|field| field.name()))
        .chain(["id", "type", "kind", "timestamp", "mediaType", "key", "value", "stats", "psnrSum"])
        .chain(["qualityLimitationDurations", "googRtt", "googCodecName", "googCpuLimitedResolution", "priority"])
        .chain(["audioInputLevel", "googJitterReceived", "googEchoCancellationReturnLossEnhancement", "label", "41"])
        .collect();
    let often = ["id", "type", "kind", "ssrc", "mid", "timestamp", "jitter", "packetsLost", "psnrSum", "isRemote"];
    prop_oneof![
        3 => proptest::sample::select(known.clone()).prop_map(quoted),
        2 => proptest::sample::select(often.to_vec()).prop_map(quoted),
        1 => proptest::sample::select(known).prop_map(|name| {
            let (head, tail) = name.split_at(1);
            format!("\"\\u{:04x}{tail}\"", head.as_bytes()[0])
        }),
        1 => ".{0,50}".prop_map(|name| quoted(&name)),
    ]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Texts of values: what browsers write, what they should not write, and what JSON does not allow.
fn any_value() -> impl Strategy<Value = String> {
    let words = [
        "inbound-rtp",
        "outbound-rtp",
        "remote-inbound-rtp",
        "candidate-pair",
        "codec",
        "track",
        "ssrc",
        "inboundrtp",
        "googCandidatePair",
        "VideoBwe",
        "audio",
        "video",
        "true",
        "false",
        "opus",
        "ssrc_7_send",
        "NaN",
        "inf",
        " 12 ",
        "2026-11-22T10:38:47.444Z",
        "",
        "{\"y\":1.5,\"none\":\"x\",\"u\":2}",
        "[1]",
    ];
    let numbers = [
        "0",
        "-0",
        "1",
        "-1",
        "0.5",
        "1.0",
        "1e3",
        "1E+3",
        "2.5e-3",
        "1e-400",
        "9007199254740993",
        "0.1e1",
        "-1e-7",
        "18446744073709551616",
        "9115005270299247000",
        "-3.7609543045374063e+230",
        "2.9e-316",
        "1e308",
        "3.9e17",
        "4294967295",
        "4294967296",
        "0.1234567890123456789",
        "1795341192696000",
    ];
    let leaf = prop_oneof![
        4 => any::<u32>().prop_map(|value| value.to_string()),
        2 => any::<f64>().prop_map(|value| if value.is_finite() { format!("{value:e}") } else { "null".into() }),
        2 => (0.0..1e4_f64).prop_map(|value| value.to_string()),
        3 => proptest::sample::select(numbers.to_vec()).prop_map(str::to_owned),
        1 => proptest::sample::select(numbers.to_vec()).prop_map(quoted),
        4 => proptest::sample::select(words.to_vec()).prop_map(quoted),
        2 => any::<String>().prop_map(|text| quoted(&text)),
        2 => proptest::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        1 => proptest::sample::select(vec![
            r#""\u0061udio""#, r#""\ud83d\ude00\n""#, r#""a\/b\\\"""#, r#""\ud800""#, r#""\x""#, "1e999", "01", "1.", "NaN",
        ]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![
            proptest::sample::select(vec!["none", "cpu", "y", "u", "id", "type", "value"]).prop_map(quoted),
            any_name()
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((name, inner), 0..5).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A container of any shape, mostly of entries.
fn any_container() -> impl Strategy<Value = String> {
    let entry = || proptest::collection::vec((any_name(), any_value()), 0..30).prop_map(|members| object(&members));
    let pair = (any_name(), entry()).prop_map(|(id, entry)| format!("[{id},{entry}]"));
    let element = prop_oneof![8 => entry(), 2 => pair, 1 => any_value()];
    let named =
        (prop_oneof![4 => any_name(), 1 => Just("\"result\"".to_owned())], prop_oneof![4 => entry(), 1 => any_value()]);
    let plain = prop_oneof![
        proptest::collection::vec(element, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        proptest::collection::vec(named, 0..4).prop_map(|members| object(&members)),
        any_value(),
    ];
    prop_oneof![4 => plain.clone(), 1 => plain.clone().prop_map(|text| spaced(&text)), 1 => plain.prop_map(|text| quoted(&text))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_valid_json_reads_alike_in_both_readers(text in any_container()) {
        let scanned = by_scanner(&text);
        if let Ok(visited) = by_visitor(&text) {
            match scanned {
                Ok(scanned) => prop_assert_eq!(difference(&scanned, &visited), None, "{}", text),
                Err(error) => prop_assert!(false, "only the scanner refuses: {}: {}", error, text),
            }
        }
    }
}

/// Name of the scanner's deviation from RFC 8259, by the message of serde_json and the brackets that are open where it
/// stopped; `None` for a deviation that the scanner does not document.
fn laxity(text: &str, error: &serde_json::Error) -> Option<&'static str> {
    let message = error.to_string();
    let has = |part: &str| message.contains(part);
    // The texts have one line, so the column is the offset.
    let open = open_brackets(text.get(..error.column()).unwrap_or(text));
    if has("control character") {
        Some("a control character in a string")
    } else if has("escape") || has("surrogate") || has("unicode") {
        Some("a bad escape in a string")
    } else if has("invalid number") {
        Some("a leading zero")
    } else if has("out of range") {
        Some("a number beyond f64")
    } else if open.len() > 2 || open == "[[" {
        Some("the inside of a value that the reader skips")
    } else {
        None
    }
}

fn open_brackets(text: &str) -> String {
    let (mut open, mut in_string, mut escaped) = (String::new(), false, false);
    for char in text.chars() {
        match char {
            '"' if !escaped => in_string = !in_string,
            '{' | '[' if !in_string => open.push(char),
            '}' | ']' if !in_string => drop(open.pop()),
            _ => {}
        }
        escaped = char == '\\' && !escaped;
    }
    open
}

/// Changes bytes as broken software and bad lines do.
fn mutate(bytes: &mut Vec<u8>, random: &mut Seeded) {
    const TOKENS: [&[u8]; 16] = [
        b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-", b"0", b"e9", b"null", b"NaN", b"\\ud800", b"\n",
        b"\xff",
    ];
    let at = random.below(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = b' ' + random.below(95) as u8,
        2 => bytes.truncate(at),
        3 => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
        }
        4 => drop(bytes.drain(at..(at + 1 + random.below(20)).min(bytes.len()))),
        5 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied())),
        _ => {
            let piece: Vec<u8> = bytes[at..(at + 1 + random.below(40)).min(bytes.len())].to_vec();
            let to = random.below(bytes.len());
            drop(bytes.splice(to..to, piece));
        }
    }
}

#[test]
fn mutated_lines_never_panic_and_read_alike() {
    let mut texts: Vec<String> = Vec::new();
    for line in workload("p2").iter().step_by(20).chain(workload("p10-shuffled").iter().step_by(30)) {
        texts.extend(entries_of(stats_of(line).unwrap()).iter().map(|(_, entry)| (*entry).to_owned()));
    }
    let mut random = Seeded(0x5eed);
    let (mut agreed, mut refused, mut not_utf8) = (0, 0, 0);
    let mut lax = BTreeMap::new();
    let mut scanner = Scanner::new();
    let mut scanned = Report::new();
    for _ in 0..40_000 {
        let [a, b] = [(); 2].map(|()| &texts[random.below(texts.len())]);
        let mut bytes = format!("[{a},{b}]").into_bytes();
        for _ in 0..1 + random.below(3) {
            if !bytes.is_empty() {
                mutate(&mut bytes, &mut random);
            }
        }
        let result = scanner.read(&bytes, &mut scanned);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            assert!(result.is_err());
            not_utf8 += 1;
            continue;
        };
        match (by_visitor(text), result) {
            (Ok(visited), Ok(())) => {
                assert_eq!(difference(&scanned, &visited), None, "{text}");
                agreed += 1;
            }
            (Ok(_), Err(error)) => panic!("only the scanner refuses: {error}: {text}"),
            (Err(_), Err(error)) => {
                assert!(error.offset() <= bytes.len() && scanned.is_empty(), "{error}: {text}");
                refused += 1;
            }
            (Err(error), Ok(())) => {
                let class = if text.contains("NaN") { Some("NaN") } else { laxity(text, &error) };
                let class = class.unwrap_or_else(|| panic!("only the scanner accepts: {error}: {text}"));
                *lax.entry(class).or_insert(0) += 1;
            }
        }
    }
    println!("{agreed} read alike, {refused} refused by both, {not_utf8} not UTF-8, laxer: {lax:#?}");
    assert!(agreed > 5_000 && refused > 5_000 && not_utf8 > 500, "{agreed} {refused} {not_utf8}");
    assert!(lax.len() >= 4, "{lax:?}");
}

#[test]
fn truncated_lines_are_refused_at_every_length() {
    let line = workload("p2").swap_remove(3);
    let stats = stats_of(&line).unwrap();
    let mut scanner = Scanner::new();
    let mut report = Report::new();
    for end in 0..stats.len() {
        let Some(head) = stats.get(..end) else { continue };
        let error = scanner.read(head.as_bytes(), &mut report).unwrap_err();
        assert!(error.offset() <= end && report.is_empty(), "{error}");
    }
    assert!(scanner.read(stats.as_bytes(), &mut report).is_ok() && report.of(StatsType::InboundRtp).count() > 0);
}
