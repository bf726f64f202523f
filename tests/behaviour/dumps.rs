//! Real dumps outside the repository: their known contents, and a comparison with a plain decoder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callgauge::ingest::{Format, getstats};
use callgauge::report::{Entry, Flag, Num, Report, StatsType, Text};
use serde_json::{Map, Value};

use crate::common::reading::{Input, read_lines, read_records, same_rows};
use crate::common::real_dump;

/// Figures of one dump.
#[derive(Debug, Default)]
#[allow(dead_code)] // printed
struct Facts {
    snapshots: usize,
    entries: usize,
    rtp_entries: usize,
    fabrics: BTreeSet<String>,
    streams: BTreeMap<StatsType, BTreeSet<u32>>,
    highest_jitter: f64,
    highest_round_trip: f64,
    with_bandwidth: usize,
}

impl Facts {
    /// Asserts what must hold for every dump.
    fn of(name: &str, input: &Input) -> Self {
        let mut facts = Self { snapshots: input.snapshots.len(), ..Self::default() };
        let mut counters: HashMap<(String, StatsType, u32, String, Num), f64> = HashMap::new();
        for snapshot in &input.snapshots {
            facts.fabrics.insert(snapshot.fabric.clone());
            for entry in snapshot.report.entries() {
                facts.look_at(name, entry);
                let Some(ssrc) = entry.ssrc().filter(|_| entry.kind().is_rtp()) else { continue };
                // Another track under the same SSRC resets the counters (edge case 15).
                let track = entry.text(Text::TrackIdentifier).unwrap_or("");
                for counter in [Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent] {
                    let Some(value) = entry.get(counter) else { continue };
                    let key = (snapshot.fabric.clone(), entry.kind(), ssrc.get(), track.to_string(), counter);
                    let before = counters.insert(key, value);
                    assert!(before.is_none_or(|before| before <= value), "{name}: {before:?} {entry:?}");
                }
            }
        }
        eprintln!("{name}: {facts:?} {:?}", input.reader.skipped());
        facts
    }

    fn look_at(&mut self, name: &str, entry: Entry<'_>) {
        use StatsType as T;
        self.entries += 1;
        assert!(!entry.id().is_empty(), "{name}: {entry:?}");
        assert!(entry.timestamp().is_some_and(|time| time.as_millis() > 0.0), "{name}: {entry:?}");
        let folded = [T::Other, T::Track, T::LegacySsrc, T::LegacyCandidatePair, T::LegacyComponent, T::LegacyBwe];
        assert!(!folded.contains(&entry.kind()), "{name}: {entry:?}");
        if entry.kind().is_rtp() {
            self.rtp_entries += 1;
            assert!(entry.ssrc().is_some() && entry.media().is_some(), "{name}: {entry:?}");
            self.streams.entry(entry.kind()).or_default().extend(entry.ssrc().map(|ssrc| ssrc.get()));
        }
        if let Some(candidate) = entry.text(Text::CandidateType) {
            assert!(["host", "srflx", "prflx", "relay"].contains(&candidate), "{name}: {entry:?}");
        }
        self.highest_jitter = self.highest_jitter.max(entry.get(Num::Jitter).unwrap_or(0.0));
        let round_trip = entry.get(Num::RoundTripTime).or(entry.get(Num::CurrentRoundTripTime));
        self.highest_round_trip = self.highest_round_trip.max(round_trip.unwrap_or(0.0));
        self.with_bandwidth += usize::from(entry.get(Num::AvailableOutgoingBitrate).is_some());
    }
}

const JITSI: &[&str] = &[
    "chrome-relay",
    "chrome-standard-pc-failed",
    "firefox97-standard-stats-sfu",
    "google-legacy-screenshare-p2p",
    "google-legacy-stats-sfu",
    "safari-relay",
    "undefined-ice-candidate",
];

const REPORTS: &[&str] = &[
    "dolby-first.json",
    "dolby-second.json",
    "mock-spec-stats-1.json",
    "mock-spec-stats-initial.json",
    "rtcstatsreport-edge.json",
    "rtcstatsreport-ff.json",
    "rtcstatsresponse.json",
    "safari-12.1.1.json",
];

/// Decodes reports of Jitsi lines with maps only.
#[derive(Default)]
struct PlainDecoder {
    bases: HashMap<String, Map<String, Value>>,
}

impl PlainDecoder {
    fn report(&mut self, line: &[u8], keeps: bool) -> Option<Report> {
        let mut stream = serde_json::Deserializer::from_slice(line).into_iter::<Value>();
        let line = stream.next()?.unwrap();
        let fabric = line[1].as_str().unwrap_or("").to_string();
        if line[0] == "create" {
            self.bases.remove(&fabric);
        }
        if line[0] != "getstats" {
            return None;
        }
        let before = self.bases.remove(&fabric).unwrap_or_default();
        let mut after = if keeps { before.clone() } else { Map::new() };
        for (id, changes) in line[2].as_object().unwrap() {
            let Some(changes) = changes.as_object() else { continue };
            let mut entry = before.get(id).and_then(Value::as_object).cloned().unwrap_or_default();
            entry.extend(changes.clone());
            if entry["timestamp"] == 0 {
                entry.insert("timestamp".into(), line[2]["timestamp"].clone());
            }
            after.insert(id.clone(), entry.into());
        }
        let mut report = Report::new();
        getstats::Scanner::new().read(&serde_json::to_vec(&after).unwrap(), &mut report).unwrap();
        self.bases.insert(fabric, after);
        Some(report)
    }
}

#[test]
fn jitsi_dumps_read_like_a_plain_decoder() {
    for name in JITSI {
        let Some(text) = real_dump(&format!("jitsi/{name}")) else { continue };
        let input = read_lines(&text);
        assert!(input.errors.is_empty(), "{name}: {:?}", input.errors);
        let mut decoder = PlainDecoder::default();
        let lines = text.split(|&byte| byte == b'\n');
        let expected: Vec<_> = lines.filter_map(|line| decoder.report(line, name.starts_with("google"))).collect();
        assert!(!expected.is_empty() && expected.len() == input.snapshots.len(), "{name}");
        for (expected, found) in expected.iter().zip(&input.snapshots) {
            same_rows(expected, &found.report);
        }
    }
}

#[test]
fn jitsi_dumps_have_the_known_contents() {
    for name in JITSI {
        let Some(text) = real_dump(&format!("jitsi/{name}")) else { continue };
        let input = read_lines(&text);
        assert!(input.errors.is_empty(), "{name}: {:?}", input.errors);
        assert_eq!(input.reader.format(), Some(Format::Jitsi), "{name}");
        let lines = text.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"[\"getstats\""));
        assert_eq!(input.snapshots.len(), lines.count(), "{name}");
        // No member of any dump is unreadable, and no remaining entry lost its type.
        assert_eq!(input.reader.skipped(), Default::default(), "{name}");
        for snapshot in &input.snapshots {
            let age = snapshot.at.unwrap() - snapshot.report.latest().unwrap().as_millis();
            assert!((0.0..1_000.0).contains(&age), "{name}: written {age} ms after it was taken");
        }
        let facts = Facts::of(name, &input);
        assert!(facts.rtp_entries > 50 && facts.highest_jitter < 1.0, "{name}: {facts:?}");
        assert!((0.001..10.0).contains(&facts.highest_round_trip), "{name}: {facts:?}");
        let conference = input.reader.conference();
        match *name {
            "chrome-relay" => assert_eq!(conference, Some("absentbreakdownspicturesame")),
            "chrome-standard-pc-failed" => assert_eq!(facts.fabrics.len(), 3),
            // 29 received streams and no sent stream.
            "undefined-ice-candidate" => assert_eq!(facts.streams[&StatsType::InboundRtp].len(), 29),
            "firefox97-standard-stats-sfu" => assert_eq!(facts.streams[&StatsType::OutboundRtp].len(), 4),
            _ => {}
        }
        if name.starts_with("google") {
            callback_api(name, &input);
            assert!(facts.with_bandwidth + 2 >= facts.snapshots, "{name}: {facts:?}");
        }
    }
}

/// Chromium's callback API gave strings, milliseconds and one row for both ends.
fn callback_api(name: &str, input: &Input) {
    let (mut in_seconds, mut remotes) = (0, 0);
    for snapshot in &input.snapshots {
        for entry in snapshot.report.of(StatsType::RemoteInboundRtp) {
            assert!(entry.get(Num::RoundTripTime).is_none_or(|seconds| seconds < 1.0), "{name}: {entry:?}");
            assert!(entry.get(Num::PacketsLost).is_some(), "{name}: {entry:?}");
            remotes += 1;
        }
        let selected: Vec<_> = snapshot.report.entries().filter(|it| it.flag(Flag::Selected) == Some(true)).collect();
        let [selected] = selected[..] else { panic!("{name}: {selected:?}") };
        let transport = snapshot.report.of(StatsType::Transport).next().unwrap();
        assert_eq!(transport.text(Text::SelectedCandidatePairId), Some(selected.id()), "{name}");
        assert!(selected.get(Num::CurrentRoundTripTime).is_some_and(|it| it > 0.0 && it < 1.0), "{name}: {selected:?}");
        for entry in snapshot.report.entries() {
            in_seconds += usize::from(entry.get(Num::Jitter).is_some_and(|jitter| jitter > 0.0 && jitter < 0.1));
            let codec = entry.text(Text::CodecId).map(|id| snapshot.report.by_id(id).unwrap());
            if let Some(mime) = codec.and_then(|codec| codec.text(Text::MimeType)) {
                assert!(mime.starts_with(entry.media().unwrap().name()), "{name}: {mime} {entry:?}");
            }
        }
    }
    eprintln!("{name}: {in_seconds} jitters, {remotes} rows of the other end");
    assert!(remotes > 100);
    assert!(in_seconds > 100 || name != "google-legacy-stats-sfu");
}

#[test]
fn dump_without_connections_is_read_to_its_end() {
    let Some(text) = real_dump("rtcstats/gumonly.jsonl") else { return };
    let input = read_lines(&text);
    assert_eq!((input.errors.len(), input.snapshots.len()), (0, 0));
    assert_eq!(input.reader.format(), Some(Format::Rtcstats));
}

#[test]
fn single_report_dumps_have_streams() {
    for name in REPORTS {
        let Some(text) = real_dump(&format!("reports/{name}")) else { continue };
        let input = read_records([&text[..]]);
        assert!(input.errors.is_empty(), "{name}: {:?}", input.errors);
        let facts = Facts::of(name, &input);
        assert!(facts.snapshots == 1 && facts.rtp_entries > 0, "{name}: {facts:?}");
    }
}
