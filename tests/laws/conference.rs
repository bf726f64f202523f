//! Laws that hold for any input.

use std::collections::BTreeMap;

use callgauge::id::MediaKind;
use callgauge::metric::counter::{self, EntryTracker};
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use callgauge::summary::ConferenceSummary;
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec};
use proptest::prelude::*;

/// Failures are printed in full and not saved to a file beside the tests.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// An event of a stream between two samples, or of a sample in transit.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// Time and packets pass; `bytes` is whether bytes are reported this time.
    On { ms: u32, packets: u32, bytes: bool },
    /// Counters are reset and reach this value, in hundredths of the old one.
    Reset { ms: u32, hundredths: u8, bytes: bool },
    /// The latest sample is repeated.
    Again,
    /// An earlier sample is repeated.
    Late(u8),
    /// The clock steps back by an hour while packets pass.
    ClockBack { packets: u32 },
}

fn step() -> impl Strategy<Value = Progress> {
    prop_oneof![
        8 => (1..5_000_u32, 0..200_u32, prop::bool::weighted(0.9)).prop_map(|(ms, packets, bytes)| Progress::On { ms, packets, bytes }),
        1 => (1..5_000_u32, 0..100_u8, prop::bool::weighted(0.9)).prop_map(|(ms, hundredths, bytes)| Progress::Reset { ms, hundredths, bytes }),
        1 => Just(Progress::Again),
        2 => any::<u8>().prop_map(Progress::Late),
        1 => (1..200_u32).prop_map(|packets| Progress::ClockBack { packets }),
    ]
}

/// Content of a sample: its time, packets (32 bits), and bytes if they were reported.
#[derive(Clone, Copy, Debug)]
struct Sample {
    ms: f64,
    packets: u64,
    bytes: Option<u64>,
}

fn write(sample: Sample, report: &mut Report) {
    report.clear();
    let mut entry = report.push(StatsType::InboundRtp, "I");
    entry.set_timestamp(StatTime::from_millis(sample.ms)).set_media(MediaKind::Audio);
    entry.set(Num::Ssrc, 7.0).set(Num::PacketsReceived, (sample.packets % (1 << 32)) as f64).set(Num::PacketsLost, 0.0);
    if let Some(bytes) = sample.bytes {
        entry.set(Num::BytesReceived, bytes as f64);
    }
}

/// A call of one connection.
fn call() -> (Conference, callgauge::id::FabricId) {
    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
    (call, fabric)
}

proptest! {
    #![proptest_config(config())]

    /// The sum of the differences is what was counted between the first sample and the last, epoch by epoch, whatever
    /// was repeated, late, wrapped or missing on the way.
    #[test]
    fn differences_sum_to_the_counted_traffic(start in prop_oneof![Just(0_u64), 0..10_000_u64, (1 << 32) - 5_000..1_u64 << 32], steps in prop::collection::vec(step(), 1..60)) {
        let (mut call, fabric) = call();
        let mut report = Report::new();
        let mut now = Sample { ms: 1e9, packets: start, bytes: Some(start * 80) };
        // The oracle: sums so far, and the bytes last reported.
        let (mut packets, mut bytes, mut bytes_base) = (0_u64, 0_u64, now.bytes);
        let mut bytes_counted = start * 80;
        let (mut samples, mut late, mut again, mut resets) = (1_u64, 0_u64, 0_u64, 0_u64);
        let mut before = Vec::new();
        write(now, &mut report);
        call.ingest(Timestamp::default(), fabric, &report).unwrap();
        for step in steps {
            let earlier = now;
            match step {
                Progress::On { ms, packets: passed, bytes: reported } => {
                    // A count that wraps to exactly 0 beside bytes reads as a filler.
                    let is_zero = (now.packets + u64::from(passed)).is_multiple_of(1 << 32);
                    let passed = passed + u32::from(is_zero);
                    now.ms += f64::from(ms);
                    now.packets += u64::from(passed);
                    bytes_counted += u64::from(passed) * 80;
                    now.bytes = reported.then_some(bytes_counted);
                    packets += u64::from(passed);
                    if let Some(counted) = now.bytes {
                        bytes += bytes_base.map_or(0, |base| counted - base);
                        bytes_base = Some(counted);
                    }
                }
                Progress::Reset { ms, hundredths, bytes: reported } => {
                    // Below the old value, too far from 2³² for a wrap, and no more than a second can bring.
                    let modest = (now.packets % (1 << 32)).min(9_000_000) * u64::from(hundredths) / 100;
                    if now.packets % (1 << 32) <= modest || (now.packets % (1 << 32) > 3_800_000_000 && !reported) || bytes_base.is_none() {
                        continue;
                    }
                    now.ms += f64::from(ms);
                    now.packets = modest;
                    bytes_counted = modest * 80;
                    now.bytes = reported.then_some(bytes_counted);
                    packets += modest;
                    bytes += now.bytes.unwrap_or(0);
                    bytes_base = now.bytes;
                    resets += 1;
                }
                Progress::Again => {
                    write(now, &mut report);
                    call.ingest(Timestamp::default(), fabric, &report).unwrap();
                    again += 1;
                    continue;
                }
                Progress::Late(which) => {
                    if before.is_empty() {
                        continue;
                    }
                    write(before[usize::from(which) % before.len()], &mut report);
                    call.ingest(Timestamp::default(), fabric, &report).unwrap();
                    late += 1;
                    continue;
                }
                Progress::ClockBack { packets: passed } => {
                    // No test steps the clock back into a wrap: the two cases would be indistinguishable.
                    if now.packets % (1 << 32) + u64::from(passed) >= 1 << 32 {
                        continue;
                    }
                    now.ms -= 3_600_000.0;
                    now.packets += u64::from(passed);
                    bytes_counted += u64::from(passed) * 80;
                    now.bytes = Some(bytes_counted);
                    packets += u64::from(passed);
                    bytes += bytes_base.map_or(0, |base| bytes_counted - base);
                    bytes_base = now.bytes;
                    resets += 1;
                    // Samples from before the step cannot be distinguished from those after it.
                    before.clear();
                }
            }
            if !matches!(step, Progress::ClockBack { .. }) {
                before.push(earlier);
            }
            samples += 1;
            write(now, &mut report);
            call.ingest(Timestamp::default(), fabric, &report).unwrap();
        }
        let stream = call.summary().fabrics.remove(0).streams.remove(0);
        prop_assert_eq!((stream.samples, stream.late, stream.duplicates, stream.resets), (samples, late, again, resets));
        prop_assert_eq!(stream.packets.unwrap_or(0), packets);
        prop_assert_eq!(stream.bytes.unwrap_or(0), bytes);
        prop_assert!(stream.duration_s >= 0.0);
        while let Some(event) = call.poll_event() {
            let Event::IntervalClosed { interval, .. } = event else { continue };
            for (metric, value) in interval.figures() {
                prop_assert!(value >= 0.0, "{} is {}", metric.name(), value);
            }
        }
    }

    /// Less frequent sampling changes no total and no rate over the call, to the last bit. Concealment and bitrates cover
    /// measured time only: no gaps, and concealment no times with as few packets as in DTX.
    #[test]
    fn totals_and_rates_do_not_depend_on_sampling(
        samples in prop::collection::vec((1..10_000_u32, 0..500_u32, 0..20_i32, any::<bool>()), 2..60),
        has_gaps in any::<bool>(),
    ) {
        let (mut all, fabric) = call();
        let (mut some, _) = call();
        let mut report = Report::new();
        let (mut ms, mut packets, mut lost) = (1e12, 0_u64, 0_i64);
        let nexts = samples.iter().skip(1).map(|&(passed_ms, ..)| Some(passed_ms)).chain([None]);
        let mut away_ms = 0;
        for (n, (&(passed_ms, passed, gone, reports), next_ms)) in samples.iter().zip(nexts).enumerate() {
            away_ms += passed_ms;
            // Thirds of a ms, and less than 5 s of them.
            let is_due = next_ms.is_none_or(|next_ms| !has_gaps && away_ms + next_ms > 3 * 4_999);
            (ms, packets, lost) = (ms + f64::from(passed_ms) / 3.0, packets + u64::from(passed), lost + i64::from(gone - 2));
            write(Sample { ms, packets, bytes: Some(packets * 77) }, &mut report);
            let packets = packets + 50 * (n as u64 + 1);
            report.push(StatsType::InboundRtp, "J").set_timestamp(StatTime::from_millis(ms))
                .set(Num::Ssrc, 8.0).set(Num::PacketsReceived, packets as f64).set(Num::PacketsLost, lost as f64)
                .set(Num::TotalSamplesReceived, packets as f64 * 960.0).set(Num::ConcealedSamples, packets as f64 * 9.0)
                .set_media(MediaKind::Audio);
            all.ingest(Timestamp::default(), fabric, &report).unwrap();
            if reports || is_due || n == 0 {
                some.ingest(Timestamp::default(), fabric, &report).unwrap();
                away_ms = 0;
            }
        }
        let (all, some) = (all.summary(), some.summary());
        prop_assert_eq!(all.fabrics[0].streams.len(), 2);
        for (all, some) in all.fabrics[0].streams.iter().zip(&some.fabrics[0].streams) {
            prop_assert_eq!((all.packets, all.bytes, all.packets_lost), (some.packets, some.bytes, some.packets_lost));
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            prop_assert_eq!(bits(all.loss_ratio), bits(some.loss_ratio));
            let concealed = |stream: &callgauge::summary::StreamSummary| bits(stream.audio.as_ref().unwrap().concealed_ratio);
            prop_assert!(has_gaps || some.gaps == 0);
            if !has_gaps {
                prop_assert_eq!(concealed(all), concealed(some));
                prop_assert_eq!(bits(all.bitrate_bps), bits(some.bitrate_bps));
            }
            prop_assert_eq!(all.duration_s.to_bits(), some.duration_s.to_bits());
        }
    }
}

/// Any entry: numbers that may be plausible or not, and texts that may name other entries.
#[derive(Clone, Debug)]
struct Any {
    kind: StatsType,
    ssrc: u32,
    media: Option<MediaKind>,
    ms: Option<f64>,
    numbers: BTreeMap<usize, f64>,
    texts: BTreeMap<usize, &'static str>,
    flags: BTreeMap<usize, bool>,
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0..2_000_u32).prop_map(f64::from),
        2 => 0.0..1.0_f64,
        1 => any::<u64>().prop_map(f64::from_bits),
        1 => prop_oneof![Just(9_007_199_254_740_992.0), Just(1e18), Just(4_294_967_295.0), Just(-9_007_199_254_740_992.0), Just(1e12), Just(f64::MIN_POSITIVE)],
    ]
}

fn any_entry() -> impl Strategy<Value = Any> {
    let kinds = prop_oneof![
        4 => Just(StatsType::InboundRtp), 4 => Just(StatsType::OutboundRtp), 2 => Just(StatsType::RemoteInboundRtp),
        2 => Just(StatsType::RemoteOutboundRtp), 2 => Just(StatsType::CandidatePair), 1 => Just(StatsType::Transport),
        1 => Just(StatsType::MediaSource), 1 => Just(StatsType::Codec), 1 => Just(StatsType::Other),
    ];
    let media = prop_oneof![20 => Just(None), 1 => Just(Some(MediaKind::Audio)), 1 => Just(Some(MediaKind::Video))];
    let ms = prop_oneof![8 => (0..3_u32).prop_map(|second| Some(1e6 + f64::from(second) * 250.0)), 1 => Just(None), 1 => (0.0..1e14_f64).prop_map(Some)];
    let words =
        prop::sample::select(vec!["e0", "e1", "e2", "e3", "succeeded", "connected", "failed", "audio/opus", "f"]);
    (
        kinds,
        0..3_u32,
        media,
        ms,
        prop::collection::btree_map(0..Num::COUNT, number(), 20..80),
        prop::collection::btree_map(0..Text::COUNT, words, 0..6),
        prop::collection::btree_map(0..Flag::COUNT, any::<bool>(), 0..4),
    )
        .prop_map(|(kind, ssrc, media, ms, numbers, texts, flags)| Any {
            kind,
            ssrc,
            // Mostly the usual medium of its SSRC, sometimes another.
            media: media.or([Some(MediaKind::Audio), Some(MediaKind::Video), None][ssrc as usize]),
            ms,
            numbers,
            texts,
            flags,
        })
}

/// A connection's snapshots.
fn any_call() -> impl Strategy<Value = Vec<Vec<Any>>> {
    prop::collection::vec(prop::collection::vec(any_entry(), 0..12), 1..12)
}

/// The entries as the `n`th report, in the order of `order`; an entry keeps its id in any position. Plausible values
/// grow from report to report.
fn fill(entries: &[Any], n: usize, order: &[usize], report: &mut Report) {
    report.clear();
    for &at in order {
        let any = &entries[at];
        let mut entry = report.push(any.kind, &format!("e{at}"));
        entry.set_timestamp(any.ms.and_then(|ms| StatTime::from_millis(ms + n as f64 * 1e3)));
        if let Some(media) = any.media {
            entry.set_media(media);
        }
        for (&field, &value) in &any.numbers {
            let field = Num::ALL[field];
            let grows = field.rule().is_cumulative() && (0.0..2e3).contains(&value);
            entry.set(field, if grows { value + n as f64 * 2e3 } else { value });
        }
        entry.set(Num::Ssrc, f64::from(any.ssrc));
        for (&field, value) in &any.texts {
            entry.set_text(Text::ALL[field], value);
        }
        for (&field, &value) in &any.flags {
            entry.set_flag(Flag::ALL[field], value);
        }
    }
}

/// The positions 0 to `n`, rotated and cut according to `seed`.
fn order(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = seed | 1;
    for at in (1..n).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order
}

/// The summary without the counts of repetitions.
fn without_repetitions(call: &Conference) -> ConferenceSummary {
    let mut summary = call.summary();
    for fabric in &mut summary.fabrics {
        fabric.snapshots = 0;
        (fabric.clock.untimed, fabric.clock.wild, fabric.skipped_entries, fabric.bad_fields) = (0, 0, 0, 0);
        for stream in &mut fabric.streams {
            (stream.duplicates, stream.late) = (0, 0);
        }
    }
    summary
}

/// Members of each rule, and values where the rules differ: around zero, around the end of 32 bits, beyond it.
const COUNTED: [Num; 6] = [
    Num::PacketsReceived,
    Num::BytesReceived,
    Num::PacketsLost,
    Num::NackCount,
    Num::TotalAudioEnergy,
    Num::ConcealedSamples,
];

fn count() -> impl Strategy<Value = Option<f64>> {
    let near = |value: u64| (value.saturating_sub(40)..value + 40).prop_map(|value| Some(value as f64));
    prop_oneof![1 => Just(None), 4 => near(40), 2 => near(1 << 32), 1 => near(4_200_000_000), 1 => near(1 << 40)]
}

/// The growth of one counter by the rules of edge case 11. `None` after a reset.
fn passed(field: Num, old: f64, new: f64) -> Option<f64> {
    let end = f64::from(u32::MAX) + 1.0;
    let kept_in_32_bits = matches!(field, Num::PacketsReceived | Num::NackCount);
    match new - old {
        passed if passed >= 0.0 || field == Num::PacketsLost => Some(passed),
        _ if kept_in_32_bits && new < 0.1 * end && old > 0.9 * end && old < end => Some(end - old + new),
        _ => None,
    }
}

/// Whether a counter grew so fast that the next sample must confirm it.
fn leaps(field: Num, old: Option<f64>, new: Option<f64>) -> bool {
    let usual = if field == Num::TotalAudioEnergy { 2.0 } else { 100.0 };
    field != Num::PacketsLost && old.zip(new).is_some_and(|(old, new)| new - old > usual)
}

proptest! {
    #![proptest_config(config())]

    /// Two ways to track an entry, and the same steps by hand.
    #[test]
    fn take_equals_step_and_accept(
        samples in prop::collection::vec((0..4_u32, prop::array::uniform6(count())), 2..20),
    ) {
        let report_of = |ms: u32, counts: &[Option<f64>; 6]| {
            let mut report = Report::new();
            let mut entry = report.push(StatsType::InboundRtp, "I");
            entry.set_timestamp(StatTime::from_millis(f64::from(ms)));
            for (&field, count) in COUNTED.iter().zip(counts) {
                if let Some(count) = count {
                    entry.set(field, *count);
                }
            }
            report
        };
        let mut ms = 100;
        let first = report_of(ms, &samples[0].1);
        let mut takes = EntryTracker::new(first.get(0).unwrap()).unwrap();
        let mut tells = takes.clone();
        let mut before = COUNTED.map(|field| first.get(0).unwrap().get(field));
        // Counters that leapt, or fell and were perhaps not reset (a glitch): their last value is no longer known here.
        let mut is_unclear = [false; COUNTED.len()];
        let mut known = before;
        for (ahead, counts) in &samples[1..] {
            ms += ahead;
            let report = report_of(ms, counts);
            let entry = report.get(0).unwrap();
            let step = tells.step(entry);
            if let counter::Progress::Advance(delta) | counter::Progress::Restart(delta) = step {
                tells.accept(entry);
                if *ahead > 0 {
                    for ((&field, old), is_unclear) in COUNTED.iter().zip(before).zip(is_unclear) {
                        let new = entry.get(field);
                        if is_unclear || leaps(field, old, new) {
                            continue;
                        }
                        let expected = old.zip(new).and_then(|(old, new)| passed(field, old, new));
                        let expected = expected.filter(|_| !delta.is_from_zero());
                        prop_assert_eq!(delta.of(field), expected, "{:?} from {:?} to {:?}", field, old, new);
                    }
                }
                for ((&field, known), is_unclear) in COUNTED.iter().zip(&mut known).zip(&mut is_unclear) {
                    let new = entry.get(field);
                    *is_unclear |= leaps(field, *known, new);
                    *is_unclear |= field != Num::PacketsLost && new.is_some() && *known > new;
                    *known = new.or(*known);
                }
                before = COUNTED.map(|field| entry.get(field));
            }
            prop_assert_eq!(format!("{:?}", takes.take(entry)), format!("{step:?}"));
            prop_assert_eq!(format!("{takes:?}"), format!("{tells:?}"));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// Edge case 45.
    #[test]
    fn repeated_snapshot_changes_only_the_duplicate_count(snapshots in any_call()) {
        let ((mut once, fabric), (mut twice, _)) = (call(), call());
        let mut report = Report::new();
        for (n, entries) in snapshots.iter().enumerate() {
            fill(entries, n, &order(entries.len(), 0), &mut report);
            once.ingest(Timestamp::default(), fabric, &report).unwrap();
            for _ in 0..2 {
                twice.ingest(Timestamp::default(), fabric, &report).unwrap();
            }
        }
        prop_assert_eq!(without_repetitions(&once), without_repetitions(&twice));
    }

    #[test]
    fn entry_and_connection_order_change_nothing(a in any_call(), b in any_call(), seed in any::<u64>()) {
        let talk_of = |summary: &ConferenceSummary| serde_json::to_string(&summary.talk).unwrap();
        let summarize = |seed: u64, in_turns: bool| {
            let (mut call, first) = call();
            let second = call.open_fabric(Timestamp::default(), FabricSpec::new("other")).unwrap();
            let mut report = Report::new();
            let mut take = |fabric, n: usize, entries: &[Any], seed| {
                fill(entries, n, &order(entries.len(), seed), &mut report);
                call.ingest(Timestamp::default(), fabric, &report).unwrap();
            };
            if in_turns {
                for n in 0..a.len().max(b.len()) {
                    if let Some(entries) = b.get(n) {
                        take(second, n, entries, seed ^ n as u64);
                    }
                    if let Some(entries) = a.get(n) {
                        take(first, n, entries, seed.rotate_left(n as u32));
                    }
                }
            } else {
                a.iter().enumerate().for_each(|(n, entries)| take(first, n, entries, seed));
                b.iter().enumerate().for_each(|(n, entries)| take(second, n, entries, seed));
            }
            let mut summary = call.summary();
            let talk = talk_of(&summary);
            summary.talk = None;
            (serde_json::to_string(&summary).unwrap(), talk)
        };
        let (usual, other) = (summarize(0, false), summarize(seed, true));
        prop_assert_eq!(&usual.0, &other.0);
        // The dominant speaker is computed during input: of connections that arrive one after the other, the later one
        // is late.
        prop_assert_eq!(usual.1, summarize(seed, false).1);
    }

    #[test]
    fn output_numbers_are_finite(snapshots in any_call()) {
        let (mut call, fabric) = call();
        let mut report = Report::new();
        for (n, entries) in snapshots.iter().enumerate() {
            fill(entries, n, &order(entries.len(), 0), &mut report);
            call.ingest(Timestamp::default(), fabric, &report).unwrap();
        }
        // serde_json writes `null` for non-finite numbers; Debug shows them.
        let debug = format!("{:?}", call.summary());
        let words = debug.split(|c: char| !c.is_alphanumeric());
        prop_assert_eq!(words.filter(|word| matches!(*word, "NaN" | "inf")).count(), 0, "{}", debug);
        while let Some(event) = call.poll_event() {
            let Event::IntervalClosed { interval, .. } = event else { continue };
            prop_assert!(interval.span_ms.is_finite());
            for (metric, value) in interval.figures() {
                prop_assert!(value.is_finite(), "{} is {}", metric.name(), value);
            }
        }
    }
}

#[test]
fn generated_reports_close_intervals() {
    // The laws above would hold for an engine that ignores everything: some generated input must be measured.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut intervals, mut figures) = (0, 0);
    for _ in 0..50 {
        let snapshots = proptest::strategy::ValueTree::current(&any_call().new_tree(&mut runner).unwrap());
        let (mut call, fabric) = call();
        let mut report = Report::new();
        for (n, entries) in snapshots.iter().enumerate() {
            fill(entries, n, &order(entries.len(), 0), &mut report);
            call.ingest(Timestamp::default(), fabric, &report).unwrap();
        }
        while let Some(event) = call.poll_event() {
            let Event::IntervalClosed { interval, .. } = event else { continue };
            intervals += 1;
            figures += interval.figures().count();
        }
    }
    assert!(intervals > 200 && figures > 200, "{intervals} intervals, {figures} figures");
}
