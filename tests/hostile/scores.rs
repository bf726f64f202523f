//! Scores of calls that no browser would report: jumping counters, values at their limits, changing kinds and codecs,
//! leaping clocks. Every number stays finite and in its range, and no second is counted twice.

use callgauge::id::MediaKind;
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec};

use crate::common::Seeded;
use crate::fuzz_targets::outputs;

/// The members that scores use.
const MEMBERS: &[Num] = &[
    Num::PacketsReceived,
    Num::PacketsSent,
    Num::PacketsLost,
    Num::PacketsDiscarded,
    Num::BytesReceived,
    Num::BytesSent,
    Num::FecPacketsReceived,
    Num::FecPacketsDiscarded,
    Num::Jitter,
    Num::JitterBufferDelay,
    Num::JitterBufferEmittedCount,
    Num::TotalAudioEnergy,
    Num::TotalSamplesDuration,
    Num::TotalSamplesReceived,
    Num::ConcealedSamples,
    Num::SilentConcealedSamples,
    Num::ConcealmentEvents,
    Num::InsertedSamplesForDeceleration,
    Num::RemovedSamplesForAcceleration,
    Num::FramesDecoded,
    Num::FramesEncoded,
    Num::FramesSent,
    Num::QpSum,
    Num::FrameWidth,
    Num::FrameHeight,
    Num::FreezeCount,
    Num::TotalFreezesDuration,
    Num::TotalCorruptionProbability,
    Num::CorruptionMeasurements,
];

/// A call of `samples` samples of some streams.
fn call(seed: u64, samples: usize) -> (Conference, Vec<Event>) {
    let mut random = Seeded(seed);
    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
    let (mut report, mut events) = (Report::new(), Vec::new());
    let mut values = vec![0.0; 4 * MEMBERS.len()];
    let mut ms = 1e9_f64;
    for _ in 0..samples {
        ms += match random.below(12) {
            0 => 1e-6,
            1 => 100_000.0,
            2 => -5_000.0,
            3 => 1e9,
            4 => 0.0,
            _ => 1_000.0,
        };
        report.clear();
        for stream in 0..4 {
            let outbound = stream % 2 == 1;
            let kind = if (stream < 2) == (random.below(100) > 0) { MediaKind::Audio } else { MediaKind::Video };
            let id = ["I1", "O1", "I2", "O2"][stream];
            let mut entry = report.push(if outbound { StatsType::OutboundRtp } else { StatsType::InboundRtp }, id);
            entry.set_timestamp(StatTime::from_millis(ms.max(0.0))).set_media(kind);
            entry.set(Num::Ssrc, 7.0 + stream as f64);
            entry.set_text(Text::CodecId, ["C0", "C1", "C2", "C3"][random.below(4)]);
            if random.below(20) == 0 {
                entry.set_flag(Flag::Active, false);
            }
            for (index, &member) in MEMBERS.iter().enumerate() {
                let value = &mut values[stream * MEMBERS.len() + index];
                *value = match random.below(600) {
                    0 => 0.0,
                    1 => *value + 1e12,
                    2 => 9_007_199_254_740_992.0,
                    3 => *value * 0.5,
                    4 => -1.0,
                    5 => 1e300,
                    _ => *value + random.below(1_000) as f64,
                };
                if random.below(15) > 0 {
                    entry.set(member, value.floor());
                }
            }
            if outbound && random.below(3) == 0 {
                let mut remote = report.push(StatsType::RemoteInboundRtp, ["", "R1", "", "R2"][stream]);
                remote.set_timestamp(StatTime::from_millis(ms.max(0.0))).set(Num::Ssrc, 7.0 + stream as f64);
                remote.set(Num::PacketsLost, random.below(100_000) as f64);
                remote.set(Num::RoundTripTime, [0.0, 0.05, 60.0][random.below(3)]);
            }
        }
        for (id, mime) in [("C0", "audio/opus"), ("C1", "video/VP8"), ("C2", "audio/PCMU"), ("C3", "video/unheard-of")]
        {
            report.push(StatsType::Codec, id).set_text(Text::MimeType, mime);
        }
        call.ingest(Timestamp::default(), fabric, &report).unwrap();
        while let Some(event) = call.poll_event() {
            events.push(event);
        }
    }
    (call, events)
}

#[test]
fn hostile_reports_make_no_impossible_score() {
    let calls = std::env::var("CALLGAUGE_HOSTILE_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(300);
    let mut scored = 0;
    for seed in 0..calls {
        let (one, events) = call(seed, 40);
        let sound = std::panic::catch_unwind(|| {
            events.iter().for_each(outputs::check_event);
            outputs::check(&one);
        });
        sound.unwrap_or_else(|_| panic!("seed {seed}"));
        scored += events.iter().filter(|event| matches!(event, Event::IntervalClosed { score: Ok(_), .. })).count();
        assert_eq!(one.summary(), call(seed, 40).0.summary(), "seed {seed} twice");
    }
    assert!(scored as u64 > 5 * calls, "only {scored} scores");
}
