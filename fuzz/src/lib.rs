//! The body of each fuzz target, and the checks after it. `tests/hostile/fuzz_bodies.rs` runs the same on a stable
//! toolchain over the seeds.

mod calls;
#[path = "../../tests/cost/counting.rs"]
mod counting;
mod fleet;
mod operations;
pub mod outputs;

use callgauge::id::FabricId;
use callgauge::ingest::getstats::{self, Scanner};
use callgauge::ingest::{Item, Reader, Unread};
use callgauge::report::Report;
use callgauge::sdp::Sdp;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec, Limits};
pub use fleet::{fleet, fleet_state};
pub use operations::{operations, state};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Limits that a few bytes reach.
fn limits() -> Limits {
    Limits::new()
        .with_fabrics(3)
        .with_users(4)
        .with_streams_per_fabric(6)
        .with_streams(10)
        .with_stays_per_user(2)
        .with_name_bytes(40)
        .with_ssrcs_per_fabric(12)
        .with_ssrcs(20)
        .with_parts_per_fabric(4)
        .with_devices(2)
        .with_timeline(20)
        .with_errors(3)
        .with_error_bytes(150)
        .with_feedback(2)
        .with_pending_events(30)
        .with_speakers(4)
        .with_dominance_spans(10)
        .with_diagnoses(20)
}

/// Memory that a conference may take within limits, in bytes, without and with its summary: the documented cost of each
/// of the [`Limits`], and 16 KiB for the fixed part.
fn caps(limits: Limits) -> (i64, i64) {
    let count = |limit: usize| i64::try_from(limit).expect("limits are small");
    let name = count(limits.name_bytes());
    let devices = 2 * count(limits.fabrics() * limits.devices());
    let stays = count(limits.users() * limits.stays_per_user());
    let state = [
        (count(limits.streams()), 8_000),
        (count(limits.fabrics()), 7_500),
        (devices, 1_200),
        (count(limits.ssrcs()), 60 + 2 * name),
        (count(limits.users()), 500 + name),
        (stays, 50),
        (count(limits.feedback()), 21_000),
        (count(limits.pending_events()), 1_200),
        (count(limits.timeline()), 120),
        (count(limits.diagnoses()), 350),
        (count(limits.speakers()), 1_500),
        (count(limits.dominance_spans()), 24),
        (count(limits.errors()), 300),
        (count(limits.error_bytes()), 1),
    ];
    let summary = [
        (count(limits.streams()), 3_000),
        (count(limits.fabrics()), 6_000),
        (devices, 1_200),
        (count(limits.users()), 4_200),
        (stays, 40),
        (count(limits.feedback()), 42_000),
        (count(limits.timeline()), 1_200),
        (count(limits.diagnoses()), 1_900),
        (count(limits.speakers()), 1_000),
        (count(limits.dominance_spans()), 100),
        (count(limits.errors()), 500),
        (count(limits.error_bytes()), 1),
    ];
    let sum = |each: &[(i64, i64)]| 16_384 + each.iter().map(|(count, bytes)| count * bytes).sum::<i64>();
    (sum(&state), sum(&summary))
}

/// getStats text through the scanner and the visitor: both give the same report, and the scanner reads everything that
/// the visitor reads. A scanner that has read something else before gives the same report.
pub fn getstats(data: &[u8]) {
    let (mut report, mut again) = (Report::new(), Report::new());
    let mut scanner = Scanner::new();
    let result = scanner.read(data, &mut report);
    let repeated = scanner.read(data, &mut again);
    assert_eq!((&result, &report), (&repeated, &again));
    match &result {
        Err(error) => assert!(error.offset() <= data.len() && report.is_empty(), "{error}"),
        Ok(()) => outputs::check_report(&report),
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut visited = Report::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let mut unread = Unread::default();
    if getstats::deserialize(&mut json, &mut visited, &mut unread).and_then(|()| json.end()).is_ok() {
        assert!(result.is_ok(), "only the scanner refuses: {result:?}");
        assert!(report == visited && report.skipped() == visited.skipped(), "{report:?} is not {visited:?}");
    }
}

/// Records, one per line.
pub fn records(data: &[u8]) {
    read(data.split(|&byte| byte == b'\n'));
}

/// One document.
pub fn document(data: &[u8]) {
    read(std::iter::once(data));
}

/// Reads records into a conference, and checks the outputs.
fn read<'a>(records: impl Iterator<Item = &'a [u8]>) {
    let mut call = Conference::new("", Config::new().with_limits(limits()).with_reopening(true));
    let mut fabrics: Vec<(String, FabricId)> = Vec::new();
    let mut reader = Reader::new();
    let (mut snapshots, mut events, mut clocks) = (0, 0, outputs::Clocks::default());
    for record in records {
        let before = (reader.snapshots(), reader.skipped());
        let result = reader.read_all(record, &mut |item| match item {
            Item::Snapshot(snapshot) => {
                snapshots += 1;
                outputs::check_report(snapshot.report);
                let known = fabrics.iter().find(|(name, _)| name == snapshot.fabric).map(|&(_, id)| id);
                let fabric = known.or_else(|| {
                    let id = call.open_fabric(Timestamp::default(), FabricSpec::new(snapshot.fabric)).ok()?;
                    fabrics.push((snapshot.fabric.to_owned(), id));
                    Some(id)
                });
                if let Some(fabric) = fabric {
                    call.ingest(Timestamp::default(), fabric, snapshot.report)
                        .expect("an open fabric takes any report");
                }
            }
            Item::LogEvent(_) => events += 1,
            _ => {}
        });
        if let Err(error) = result {
            assert!(error.offset() <= record.len(), "{error}");
        }
        assert!(reader.snapshots() >= before.0 && reader.skipped().bad_fields >= before.1.bad_fields);
        while let Some(event) = call.poll_event() {
            outputs::check_event(&event);
            clocks.check(&event);
        }
    }
    assert_eq!((reader.snapshots(), reader.log_events()), (snapshots, events));
    outputs::check(&call);
    check_memory(&call);
}

/// A conference and its summary take no more than the limits state.
fn check_memory(call: &Conference) {
    let (state, summary) = caps(limits());
    let (_, _, held) = counting::weighed(|| call.clone());
    assert!(held <= state, "{held} bytes of state where {state} may be");
    let most = counting::peak(|| drop(call.summary()));
    assert!(most <= summary, "{most} bytes for a summary where {summary} may be");
}

/// A session description, through every getter: each list ends, and its lines are those of the text.
pub fn sdp(data: &[u8]) {
    let sdp = Sdp::new(data);
    let most = data.len() + 1;
    assert!(sdp.lines().take(most + 1).count() <= most && sdp.sections().take(most + 1).count() <= most);
    let (mut of_sections, mut of_lines) = (0, 0);
    for section in sdp.sections() {
        of_sections += 1;
        let _ = (section.word(), section.media(), section.has_no_port(), section.mid(), section.direction());
        let _ = (section.msid(), section.ice_ufrag());
        of_lines += section.lines().count();
        let lists = [
            section.sent_rids().take(most + 1).count(),
            section.simulcast().take(most + 1).count(),
            section.codecs().take(most + 1).count(),
            section.ssrcs().take(most + 1).count(),
            section.ssrc_groups().take(most + 1).count(),
        ];
        assert!(lists.iter().all(|&len| len <= most), "{lists:?} in {} bytes", data.len());
    }
    assert!(of_sections <= most && of_lines <= most);
    assert!(sdp.streams().len() <= most);
    let _ = (sdp.ice_ufrag(), sdp.malformed());
}

/// The state of a call after these lines and some operations, without its frame: a seed for [`state`].
pub fn state_of(lines: &[&str]) -> Vec<u8> {
    let mut call = Conference::new("", Config::new());
    let mut fabrics = std::collections::BTreeMap::new();
    let mut reader = Reader::new();
    for line in lines {
        let _ = reader.read(line.as_bytes(), &mut |snapshot| {
            let open = || call.open_fabric(Timestamp::default(), FabricSpec::new(snapshot.fabric));
            if let Ok(&mut fabric) = fabrics.entry(snapshot.fabric.to_owned()).or_insert_with(open).as_mut() {
                let _ = call.ingest(Timestamp::default(), fabric, snapshot.report);
            }
        });
    }
    let mut bytes: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(37)).collect();
    let saved = call.save();
    bytes.extend(&saved[4..saved.len() - 4]);
    bytes
}

/// The same for a fleet with a conference for each connection: a seed for [`fleet_state`].
pub fn fleet_state_of(lines: &[&str]) -> Vec<u8> {
    let mut fleet = callgauge::Fleet::default();
    let mut reader = Reader::new();
    for line in lines {
        let _ = reader.read(line.as_bytes(), &mut |snapshot| {
            let Ok(mut call) = fleet.enter(Timestamp::default(), snapshot.fabric) else { return };
            let _ = call.label("network", "some");
            let spec = FabricSpec::new(snapshot.fabric);
            let fabric = call.fabric_order().first().copied();
            let fabric = fabric.or_else(|| call.open_fabric(Timestamp::default(), spec).ok());
            let _ = fabric.map(|fabric| call.ingest(Timestamp::default(), fabric, snapshot.report));
        });
    }
    let _ = fleet.enter(Timestamp::from_millis(40_000), "another");
    fleet.handle_timeout(Timestamp::from_millis(70_000));
    let mut bytes: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(29)).collect();
    let saved = fleet.save();
    bytes.extend(&saved[4..saved.len() - 4]);
    bytes
}
