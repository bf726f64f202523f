//! Laws of a reporter's clock: what is wrong with it damages nothing but itself.

use callgauge::diagnosis::Kind;
use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::Reader;
use callgauge::replay::Replay;
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::summary::{ConferenceSummary, StreamSummary};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, FabricSpec};
use proptest::prelude::*;

/// When the calls begin, ms since 1970; reporters have fractions of a millisecond.
const START_MS: f64 = 1.7e12 + 0.3;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

/// How often the reporters sample, and how their reports arrive.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    /// Between two samples, ms.
    every_ms: u32,
    /// Reports arrive in batches of this many.
    batch: u32,
    /// The delay of the first report of a batch varies by this, ms.
    late_ms: u32,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (200_u32..3_000, prop_oneof![3 => Just(1_u32), 1 => 2..10_u32], 0..400_u32)
        .prop_map(|(every_ms, batch, late_ms)| Arrival { every_ms, batch, late_ms })
}

/// Plays a call of two connections, A and B. `written` gives the time that A writes for the sample at a time, ms since
/// the start; `None` for no time.
fn play(arrival: Arrival, samples: u32, written: impl Fn(u32, f64) -> Option<f64>) -> ConferenceSummary {
    let mut call = Conference::new("", Config::new());
    let origin = Timestamp::from_millis(START_MS as u64);
    let [a, b] = ["A", "B"].map(|name| call.open_fabric(origin, FabricSpec::new(name)).unwrap());
    let mut report = Report::new();
    let mut now_ms = START_MS;
    for n in 0..samples {
        let at_ms = f64::from(n * arrival.every_ms);
        // The last sample of its batch carries it.
        let sent = (n / arrival.batch + 1) * arrival.batch - 1;
        let late_ms = if arrival.late_ms == 0 { 0 } else { sent * 7_919 % arrival.late_ms };
        now_ms = now_ms.max(START_MS + f64::from(sent * arrival.every_ms + late_ms));
        for (fabric, time) in [(a, written(n, at_ms)), (b, Some(START_MS + at_ms))] {
            report.clear();
            let mut entry = report.push(StatsType::InboundRtp, "I");
            entry.set_timestamp(time.and_then(StatTime::from_unknown)).set_media(MediaKind::Audio);
            entry.set_text(Text::MimeType, "audio/opus").set(Num::Ssrc, 7.0).set(Num::PacketsLost, 0.0);
            // 32 kbit/s: 4 bytes per ms.
            entry.set(Num::PacketsReceived, (at_ms / 20.0).floor()).set(Num::BytesReceived, at_ms * 4.0);
            call.ingest(Timestamp::from_millis(now_ms as u64), fabric, &report).unwrap();
        }
    }
    call.summary()
}

fn stream(summary: &ConferenceSummary, fabric: usize) -> &StreamSummary {
    assert_eq!(summary.fabrics[fabric].streams[0].ssrc, Ssrc::new(7));
    &summary.fabrics[fabric].streams[0]
}

/// What holds for A whatever its clock did for `touched` samples, and for B as in the good call.
fn check(
    good: &ConferenceSummary,
    odd: &ConferenceSummary,
    arrival: Arrival,
    touched: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(&odd.fabrics[1], &good.fabrics[1]);
    let (was, is) = (stream(good, 0), stream(odd, 0));
    prop_assert!(is.start_ms <= is.end_ms);
    prop_assert!(odd.start_ms <= Some(is.start_ms) && Some(is.end_ms) <= odd.end_ms);
    // Each touched sample may cost or add its span, by the jitter of its arrival.
    let slack_s = touched * f64::from(arrival.every_ms * arrival.batch + arrival.late_ms) / 1e3 + 1e-6;
    prop_assert!((is.duration_s - was.duration_s).abs() <= slack_s, "{} of {} s", is.duration_s, was.duration_s);
    let (start, end) = (good.start_ms.unwrap(), good.end_ms.unwrap());
    let around = slack_s * 1e3;
    prop_assert!(odd.start_ms >= Some(start - around) && odd.end_ms <= Some(end + around), "{:?}", odd.duration_s);
    // No traffic is lost but that of samples without a time at either end, and none is counted twice.
    let bytes = is.bytes.unwrap() as f64;
    prop_assert!(bytes <= was.bytes.unwrap() as f64 && bytes >= was.bytes.unwrap() as f64 - slack_s * 4e3);
    prop_assert_eq!((is.gaps, is.gap_s, is.resets), (0, 0.0, is.clock_steps));
    // Rates are built on no wrong span.
    for rate in [is.interval_bitrate_bps.min, is.interval_bitrate_bps.max].into_iter().flatten() {
        prop_assert!((rate - 32_000.0).abs() < 1.0, "{rate}");
    }
    let others = odd.diagnoses.iter().find(|diagnosis| diagnosis.kind != Kind::ClockSkew);
    prop_assert!(others.is_none(), "{others:?}");
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_wild_time_damages_only_itself(
        arrival in arrival().prop_map(|arrival| Arrival { batch: 1, ..arrival }),
        at in 0..38_u32,
        wild in prop_oneof![Just(None), Just(Some(0.0)), Just(Some(9e13)), (-1e9..1e9_f64).prop_filter("wild", |ms| ms.abs() > 1e5).prop_map(|ms| Some(START_MS + ms))],
    ) {
        let samples = 40;
        let good = play(arrival, samples, |_, at_ms| Some(START_MS + at_ms));
        let odd = play(arrival, samples, |n, at_ms| if n == at { wild } else { Some(START_MS + at_ms) });
        check(&good, &odd, arrival, 2.0)?;
    }

    #[test]
    fn lasting_step_is_a_step_of_the_clock_alone(
        arrival in arrival().prop_map(|arrival| Arrival { batch: 1, ..arrival }),
        at in 12..38_u32,
        by_ms in prop_oneof![-1e8..-6e4_f64, 6.5e4..1e8_f64].prop_map(f64::round),
    ) {
        let good = play(arrival, 40, |_, at_ms| Some(START_MS + at_ms));
        let odd = play(arrival, 40, |n, at_ms| Some(START_MS + at_ms + if n < at { 0.0 } else { by_ms }));
        check(&good, &odd, arrival, 1.0)?;
        prop_assert_eq!(odd.fabrics[0].clock.steps, 1);
    }

    #[test]
    fn unit_of_a_clock_is_found_by_the_callers_clock(
        every_ms in 500..3_000_u32,
        per_ms in prop_oneof![Just(1.0), Just(1e3), Just(1e6), Just(1e-3)],
        uptime_days in 1.0..300.0_f64,
    ) {
        let arrival = Arrival { every_ms, batch: 1, late_ms: 0 };
        let uptime_ms = (uptime_days * 86_400e3).floor();
        let good = play(arrival, 40, |_, at_ms| Some(START_MS + at_ms));
        let odd = play(arrival, 40, |_, at_ms| Some((uptime_ms + at_ms) * per_ms));
        let (was, is) = (stream(&good, 0), stream(&odd, 0));
        prop_assert!((is.duration_s - was.duration_s).abs() < 1e-2, "{} of {} s", is.duration_s, was.duration_s);
        prop_assert!((is.bitrate_bps.unwrap() - 32_000.0).abs() < 10.0);
        prop_assert!((is.interval_bitrate_bps.max.unwrap() - 32_000.0).abs() < 10.0, "{:?}", is.interval_bitrate_bps);
        prop_assert_eq!(is.gaps, 0);
    }

    /// Uploads of any length, read at once, contradict no clock: not even if a sample is missing for an hour.
    #[test]
    fn reports_that_arrive_at_once_contradict_nothing(every_ms in 100..20_000_u32, pause_ms in 0..4_000_000_u32, n in 2..200_u32) {
        let mut call = Conference::new("", Config::new());
        let now = Timestamp::from_millis(START_MS as u64 + 1_000_000_000);
        let fabric = call.open_fabric(now, FabricSpec::new("A")).unwrap();
        let mut report = Report::new();
        for sample in 0..n {
            let at_ms = f64::from(sample * every_ms) + if sample < n / 2 { 0.0 } else { f64::from(pause_ms) };
            report.clear();
            let mut entry = report.push(StatsType::InboundRtp, "I");
            entry.set_timestamp(StatTime::from_millis(START_MS + 9.5e8 + at_ms)).set_media(MediaKind::Audio);
            entry.set(Num::Ssrc, 7.0).set(Num::BytesReceived, at_ms * 4.0);
            call.ingest(now, fabric, &report).unwrap();
        }
        let summary = call.summary();
        prop_assert_eq!((summary.fabrics[0].clock.steps, summary.fabrics[0].clock.unit_changes), (0, 0));
        prop_assert_eq!(summary.duration_s, Some((f64::from((n - 1) * every_ms) + f64::from(pause_ms)) / 1e3));
    }
}

/// A recording of two connections, a sample of each a second, and its summary. `written` gives what stands for the times
/// of line `n` of A: those of the record and of its entry, which it is given.
fn record(start_ms: f64, written: impl Fn(usize, f64) -> [String; 2]) -> ConferenceSummary {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    let mut reader = Reader::new();
    for n in 0..SECONDS {
        let at_ms = start_ms + n as f64 * 1e3;
        for (pc, [record_time, entry_time]) in
            [("A", written(n, at_ms)), ("B", [format!("{at_ms}"), format!("{at_ms}")])]
        {
            let line = format!(
                r#"{{"t":{record_time},"pc":"{pc}","report":[{{"id":"I","type":"inbound-rtp","kind":"audio","ssrc":7,"timestamp":{entry_time},"mimeType":"audio/opus","packetsReceived":{},"packetsLost":0,"bytesReceived":{}}}]}}"#,
                n * 50,
                n * 4_000,
            );
            reader.read_all(line.as_bytes(), &mut |item| replay.push(source, &item)).unwrap();
        }
        if n == EVENT_AT {
            let time = &written(SECONDS, at_ms)[0];
            let event = format!(r#"{{"event":"iceConnectionState","pc":"A","t":{time},"value":"connected"}}"#);
            reader.read_all(event.as_bytes(), &mut |item| replay.push(source, &item)).unwrap();
        }
    }
    replay.finish().summary()
}

const SECONDS: usize = 40;
/// An event follows the sample of this second; its time is that of the line after the last.
const EVENT_AT: usize = 20;

/// A wrong time instead of a right one, ms.
type WrongTime = fn(f64) -> String;

/// One wrong time damages nothing but itself: wherever it stands, whatever is wrong, on a wall clock and on another.
#[test]
fn one_wrong_time_in_a_recording_damages_only_itself() {
    const DAY_MS: f64 = 86_400e3;
    let wrong: [(&str, WrongTime); 10] = [
        ("zero", |_| "0".into()),
        ("small", |_| "1234".into()),
        ("400 days early", |ms| format!("{}", (ms - 400.0 * DAY_MS).max(1.0))),
        ("an hour late", |ms| format!("{}", ms + 3.6e6)),
        ("400 days late", |ms| format!("{}", ms + 400.0 * DAY_MS)),
        ("µs", |ms| format!("{}", ms * 1e3)),
        ("s", |ms| format!("{}", ms / 1e3)),
        ("beyond all times", |_| "9e13".into()),
        ("negative", |ms| format!("{}", -ms)),
        ("text", |_| r#""NaN""#.into()),
    ];
    // A monotonic clock of two days: a first time may be up to a day before the second.
    for start_ms in [START_MS, 2.0 * DAY_MS] {
        let good = record(start_ms, |_, at_ms| [format!("{at_ms}"), format!("{at_ms}")]);
        assert_eq!(stream(&good, 0).bitrate_bps, Some(32_000.0));
        for (name, wrong) in wrong {
            for at in [0, 1, 2, 20, SECONDS - 2, SECONDS - 1, SECONDS] {
                for is_wrong in [[true, false], [false, true], [true, true]] {
                    // No record after the last denies that a computer slept for hours.
                    let may_be_right = name == "an hour late" || start_ms < START_MS && name == "µs";
                    if may_be_right && at >= SECONDS - 1 {
                        continue;
                    }
                    let odd = record(start_ms, |n, at_ms| {
                        is_wrong.map(|is_wrong| if n == at && is_wrong { wrong(at_ms) } else { format!("{at_ms}") })
                    });
                    let case = format!("{name} at {at} of {start_ms}: {is_wrong:?}");
                    let kinds =
                        |summary: &ConferenceSummary| summary.diagnoses.iter().map(|d| d.kind).collect::<Vec<_>>();
                    assert_eq!(kinds(&odd), kinds(&good), "{case}");
                    for (was, is) in good.fabrics.iter().zip(&odd.fabrics) {
                        let (was, is) = (&was.streams[0], &is.streams[0]);
                        assert!((is.duration_s - was.duration_s).abs() <= 1.0, "{case}: {} s", is.duration_s);
                        assert!((is.start_ms - was.start_ms).abs() <= 1e3, "{case}: {} ms", is.start_ms);
                        assert!((is.bitrate_bps.unwrap() - 32_000.0).abs() < 1.0, "{case}: {:?}", is.bitrate_bps);
                        assert!(is.packets >= Some(1_900) && is.gap_s == 0.0, "{case}");
                    }
                    assert_eq!(odd.fabrics[1].streams[0], good.fabrics[1].streams[0], "{case}");
                    assert!((odd.duration_s.unwrap() - 39.0).abs() <= 1.0, "{case}: {:?}", odd.duration_s);
                    assert!((odd.downlink.bitrate_bps.unwrap() - 64_000.0).abs() < 2_000.0, "{case}");
                }
            }
        }
    }
}
