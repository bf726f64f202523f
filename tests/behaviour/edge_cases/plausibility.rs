//! What is not believed: fillers, impossible values and glitches; and what a ratio covers.

use callgauge::metric::{IntervalState, Metric};
use callgauge::report::{Num, Report, StatsType, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Call, entry, received_audio, received_video, reported, sent_audio};

/// Every member of the filler rule: a row in which its 0 is a filler, and a row in which it is not.
#[test]
fn each_filler_is_hidden_and_its_counterpart_is_not() {
    use Num as N;
    use StatsType::{CandidatePair, InboundRtp, MediaSource, OutboundRtp, RemoteInboundRtp, RemoteOutboundRtp};
    const SIZE: [(Num, f64); 2] = [(N::FrameWidth, 0.0), (N::FrameHeight, 0.0)];
    let undecoded = [SIZE[0], SIZE[1], (N::FramesDecoded, 0.0)];
    let decoding = [SIZE[0], SIZE[1], (N::FramesDecoded, 0.0), (N::FramesDropped, 3.0)];
    let decoded = [SIZE[0], SIZE[1], (N::FramesDecoded, 9.0)];
    let only_decoded = [(N::FramesDecoded, 0.0)];
    type Case<'a> = (StatsType, Num, &'a [(Num, f64)], bool);
    let mut cases: Vec<Case<'_>> = vec![
        (InboundRtp, N::PacketsReceived, &[(N::BytesReceived, 900.0)], true),
        (InboundRtp, N::PacketsReceived, &[(N::BytesReceived, 0.0)], false),
        (OutboundRtp, N::PacketsSent, &[(N::BytesSent, 900.0)], true),
        (OutboundRtp, N::PacketsSent, &[], false),
        (InboundRtp, N::FrameWidth, &[], true),
        (OutboundRtp, N::FrameHeight, &[], true),
        (RemoteInboundRtp, N::RoundTripTime, &[(N::RoundTripTimeMeasurements, 7.0)], true),
        (RemoteInboundRtp, N::TotalRoundTripTime, &[(N::RoundTripTimeMeasurements, 7.0)], true),
        (RemoteOutboundRtp, N::RoundTripTime, &[(N::TotalRoundTripTime, 0.0)], true),
        (RemoteOutboundRtp, N::RoundTripTime, &[(N::TotalRoundTripTime, 0.003)], false),
        (CandidatePair, N::CurrentRoundTripTime, &[(N::ResponsesReceived, 7.0)], true),
        (CandidatePair, N::CurrentRoundTripTime, &[(N::TotalRoundTripTime, 0.003)], false),
        (CandidatePair, N::AvailableOutgoingBitrate, &[], true),
        (CandidatePair, N::AvailableIncomingBitrate, &[], true),
        (CandidatePair, N::BytesReceived, &[], true),
        (CandidatePair, N::PacketsReceived, &[], true),
        (CandidatePair, N::RequestsReceived, &[], true),
        (CandidatePair, N::ResponsesReceived, &[], true),
        (CandidatePair, N::RequestsSent, &[], false),
        (InboundRtp, N::AudioLevel, &[(N::TotalSamplesDuration, 0.0)], true),
        (MediaSource, N::AudioLevel, &[(N::TotalSamplesDuration, 0.0)], true),
        (MediaSource, N::AudioLevel, &[(N::TotalSamplesDuration, 1.0)], false),
        (MediaSource, N::AudioLevel, &[], false),
        (InboundRtp, N::Jitter, &[(N::PacketsReceived, 900.0)], false),
        (InboundRtp, N::PacketsLost, &[(N::PacketsReceived, 900.0)], false),
        (InboundRtp, N::BytesReceived, &[(N::PacketsReceived, 9.0)], true),
        (InboundRtp, N::BytesReceived, &[(N::PacketsReceived, 9.0), (N::HeaderBytesReceived, 2_000.0)], false),
        (OutboundRtp, N::BytesSent, &[(N::PacketsSent, 9.0), (N::HeaderBytesSent, 0.0)], true),
        (OutboundRtp, N::BytesSent, &[(N::PacketsSent, 9.0), (N::HeaderBytesSent, 2_000.0)], false),
        (RemoteOutboundRtp, N::PacketsSent, &[], true),
        (RemoteOutboundRtp, N::BytesSent, &[], true),
        (RemoteInboundRtp, N::PacketsLost, &[], false),
        (InboundRtp, N::BytesReceived, &[(N::PacketsReceived, 0.0), (N::HeaderBytesReceived, 2_000.0)], true),
        (InboundRtp, N::BytesReceived, &[(N::PacketsReceived, 0.0), (N::HeaderBytesReceived, 0.0)], false),
        (InboundRtp, N::BytesReceived, &[(N::FramesDecoded, 9.0)], true),
        (OutboundRtp, N::BytesSent, &[(N::FramesSent, 9.0)], true),
        (OutboundRtp, N::BytesSent, &[(N::HeaderBytesSent, 2_000.0)], false),
        (InboundRtp, N::QpSum, &[(N::FramesDecoded, 10.0)], true),
        (OutboundRtp, N::QpSum, &[(N::FramesEncoded, 10.0)], true),
        (OutboundRtp, N::QpSum, &[(N::FramesEncoded, 9.0)], false),
        (OutboundRtp, N::FramesPerSecond, &[(N::FramesEncoded, 0.0), (N::BytesSent, 900.0)], true),
        (OutboundRtp, N::FramesPerSecond, &[(N::FramesEncoded, 9.0), (N::BytesSent, 900.0)], false),
        (OutboundRtp, N::FramesPerSecond, &[(N::FramesEncoded, 0.0), (N::BytesSent, 0.0)], false),
        (OutboundRtp, N::FramesSent, &[(N::FramesEncoded, 9.0)], false),
        (InboundRtp, N::EstimatedPlayoutTimestamp, &[], true),
        (RemoteOutboundRtp, N::RemoteTimestamp, &[], true),
        (CandidatePair, N::LastPacketReceivedTimestamp, &[], true),
        (MediaSource, N::Width, &[], true),
        (MediaSource, N::TotalAudioEnergy, &[(N::AudioLevel, 0.1)], true),
        (MediaSource, N::TotalAudioEnergy, &[(N::AudioLevel, 0.001)], false),
        (MediaSource, N::FramesPerSecond, &[], false),
        (InboundRtp, N::NackCount, &[(N::PacketsLost, 9.0)], false),
        (InboundRtp, N::ConcealedSamples, &[(N::TotalSamplesReceived, 48e3)], false),
    ];
    for (kind, member, counterpart) in [
        (InboundRtp, N::PacketsReceived, N::HeaderBytesReceived),
        (OutboundRtp, N::FramesEncoded, N::BytesSent),
        (OutboundRtp, N::FramesSent, N::BytesSent),
        (InboundRtp, N::FecPacketsReceived, N::FecPacketsDiscarded),
        (InboundRtp, N::HeaderBytesReceived, N::PacketsReceived),
        (OutboundRtp, N::HeaderBytesSent, N::PacketsSent),
        (InboundRtp, N::RetransmittedPacketsReceived, N::RetransmittedBytesReceived),
        (OutboundRtp, N::RetransmittedPacketsSent, N::RetransmittedBytesSent),
        (InboundRtp, N::FecPacketsReceived, N::FecBytesReceived),
        (InboundRtp, N::JitterBufferDelay, N::JitterBufferEmittedCount),
        (InboundRtp, N::JitterBufferEmittedCount, N::JitterBufferDelay),
        (InboundRtp, N::TotalProcessingDelay, N::JitterBufferEmittedCount),
        (InboundRtp, N::TotalSamplesReceived, N::ConcealedSamples),
        (InboundRtp, N::ConcealedSamples, N::ConcealmentEvents),
        (InboundRtp, N::ConcealmentEvents, N::ConcealedSamples),
        (MediaSource, N::TotalSamplesDuration, N::TotalAudioEnergy),
        (InboundRtp, N::FramesReceived, N::FramesDecoded),
        (InboundRtp, N::FramesDecoded, N::TotalDecodeTime),
        (InboundRtp, N::FramesDecoded, N::FramesRendered),
        (InboundRtp, N::TotalDecodeTime, N::FramesDecoded),
        (InboundRtp, N::TotalInterFrameDelay, N::TotalSquaredInterFrameDelay),
        (InboundRtp, N::TotalSquaredInterFrameDelay, N::TotalInterFrameDelay),
        (InboundRtp, N::FreezeCount, N::TotalFreezesDuration),
        (InboundRtp, N::TotalFreezesDuration, N::FreezeCount),
        (InboundRtp, N::CorruptionMeasurements, N::TotalCorruptionProbability),
        (OutboundRtp, N::FramesEncoded, N::FramesSent),
        (OutboundRtp, N::TotalEncodeTime, N::FramesEncoded),
        (RemoteInboundRtp, N::RoundTripTimeMeasurements, N::TotalRoundTripTime),
        (StatsType::MediaPlayout, N::TotalPlayoutDelay, N::TotalSamplesCount),
        (StatsType::MediaPlayout, N::TotalSamplesCount, N::TotalPlayoutDelay),
        (CandidatePair, N::RequestsSent, N::ResponsesReceived),
    ] {
        let [beside, alone]: [&[(Num, f64)]; 2] = [Box::leak(Box::new([(counterpart, 1.0)])), &[]];
        cases.extend([(kind, member, beside, true), (kind, member, alone, false)]);
    }
    for member in [N::FramesDecoded, N::KeyFramesDecoded, N::QpSum, N::TotalFreezesDuration, N::FreezeCount] {
        cases.extend([
            (InboundRtp, member, &undecoded[..], true),
            (InboundRtp, member, &decoding[..], false),
            (InboundRtp, member, &only_decoded[..], false),
        ]);
        if member != N::FramesDecoded {
            cases.push((InboundRtp, member, &decoded[..], false));
        }
    }
    for (kind, member, others, is_filler) in cases {
        let mut report = Report::new();
        let mut row = report.push(kind, "row");
        row.set(member, 0.0);
        for &(other, value) in others {
            row.set(other, value);
        }
        let row = report.get(0).unwrap();
        assert_eq!(row.get(member), Some(0.0), "the row keeps what was reported");
        let expected = if is_filler { None } else { Some(0.0) };
        assert_eq!(row.without_fillers().get(member), expected, "{kind:?} {member:?} beside {others:?}");
    }
}

#[test]
fn empty_text_is_unknown() {
    let mut report = Report::new();
    report.push(StatsType::Transport, "T").set_text(Text::SelectedCandidatePairId, "").set_text(Text::IceState, "new");
    let row = report.get(0).unwrap();
    assert_eq!((row.text(Text::SelectedCandidatePairId), row.text(Text::IceState)), (None, Some("new")));
}

#[test]
fn stream_with_uncounted_packets_is_not_idle() {
    let mut call = Call::new();
    for second in 0..=10 {
        let interval = call.one(received_audio(f64::from(second), json!({"packetsReceived": 0})));
        if let Some(interval) = interval {
            assert_eq!((interval.state, interval.get(Metric::LossRatio)), (IntervalState::Active, None));
            assert_eq!(interval.get(Metric::BitrateBps), Some(32_000.0));
        }
    }
    let stream = call.stream();
    assert_eq!((stream.packets, stream.loss_ratio, stream.score.sender_idle_s), (None, None, 0.0));
}

#[test]
fn packets_that_stand_still_while_bytes_pass_are_doubted() {
    let mut call = Call::new();
    for second in 0..=10 {
        call.one(received_audio(f64::from(second), json!({"packetsReceived": (second * 49).min(100)})));
    }
    let stream = call.stream();
    assert_eq!((stream.packets, stream.held_s + stream.paused_s), (Some(100), 0.0));
    assert_eq!(stream.doubted.unwrap().members, ["packetsReceived"]);
    assert_eq!(stream.bitrate_bps, Some(32_000.0));
}

#[test]
fn round_trips_are_held_to_the_limit_of_one_measurement() {
    for round_trip_s in [65.536, 9_300.0, 1e9] {
        let mut call = Call::new();
        for second in 0..=5 {
            let count = f64::from(second);
            let more = json!({"roundTripTime": round_trip_s, "totalRoundTripTime": round_trip_s * count, "roundTripTimeMeasurements": second});
            call.snapshot(&[sent_audio(count, json!({})), reported(count, more)]);
        }
        let stream = call.outbound();
        assert_eq!(stream.rtt_ms.n, 0);
        assert_eq!(stream.doubted.unwrap().members, ["totalRoundTripTime"]);
    }
}

#[test]
fn round_trip_that_is_not_measured_again_ages() {
    let pair = |second: f64, answered: f64| {
        json!({"id": "P", "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "nominated": true,
            "state": "succeeded", "currentRoundTripTime": 0.04, "responsesReceived": answered, "bytesReceived": second * 4e3})
    };
    for (step, held) in [(0.0, 15), (1.0, 60)] {
        let mut call = Call::new();
        for second in 0..=60 {
            let second = f64::from(second);
            call.snapshot(&[received_audio(second, json!({})), pair(second, 1.0 + step * second)]);
        }
        assert_eq!(call.summary().rtt_ms.ice.n, held);
    }
}

#[test]
fn losses_at_rest_are_in_no_ratio() {
    let mut call = Call::new();
    let mut at = |second: f64, lost: f64, energy: f64| {
        let source = json!({"id": "S", "type": "media-source", "kind": "audio", "timestamp": 1e6 + second * 1e3,
            "totalAudioEnergy": energy, "totalSamplesDuration": second});
        call.snapshot(&[sent_audio(second, json!({})), reported(second, json!({"packetsLost": lost})), source]);
    };
    for second in 0..=10 {
        at(f64::from(second), 0.0, f64::from(second));
    }
    for second in 11..=20 {
        at(f64::from(second), f64::from(second - 10) * 50.0, 10.0);
    }
    for second in 21..=30 {
        at(f64::from(second), 500.0 + f64::from(second - 20), f64::from(second - 10));
    }
    let stream = call.outbound();
    assert_eq!((stream.muted_s, stream.packets_lost, stream.packets_lost_at_rest), (10.0, Some(10), Some(500)));
    assert_eq!(stream.loss_ratio, Some(10.0 / 1_000.0));
}

#[test]
fn video_loss_does_not_divide_by_retransmissions() {
    let mut call = Call::new();
    call.one(received_video(0.0, json!({"retransmittedPacketsReceived": 0})));
    let more = json!({"packetsReceived": 1_200, "packetsLost": 50, "retransmittedPacketsReceived": 250});
    let interval = call.one(received_video(10.0, more)).unwrap();
    assert_eq!(interval.get(Metric::LossRatio), Some(0.05));
    let stream = call.stream();
    assert_eq!(
        (stream.loss_ratio, stream.packets_expected, stream.retransmitted_packets),
        (Some(0.05), Some(1_000), Some(250))
    );
    assert_eq!(call.summary().downlink.loss_ratio, Some(0.05));
}

/// A member of received audio, and its value at `second`.
type Member = (&'static str, fn(f64) -> f64);

const COUNTERS: [Member; 4] = [
    ("packetsReceived", |second| second * 49.0),
    ("bytesReceived", |second| second * 4e3),
    ("totalSamplesReceived", |second| second * 48e3),
    ("jitterBufferEmittedCount", |second| second * 48e3),
];

/// Parts and wholes of ratios.
const RATIOS: [&str; 5] =
    ["packetsReceived", "packetsLost", "totalSamplesReceived", "concealedSamples", "silentConcealedSamples"];

fn value_of(entry: &Value, member: &str) -> Option<f64> {
    entry.get(member)?.as_f64()
}

/// The ratio of two members' growth over the intervals at whose ends all of `members` were reported.
fn covered(samples: &[Value], members: &[&str], of: impl Fn(&dyn Fn(&str) -> f64) -> (f64, f64)) -> Option<f64> {
    let (mut part, mut whole, mut is_covered) = (0.0, 0.0, false);
    for pair in samples.windows(2) {
        if pair.iter().all(|sample| members.iter().all(|member| sample.get(*member).is_some())) {
            let grown = |member: &str| value_of(&pair[1], member).unwrap() - value_of(&pair[0], member).unwrap();
            let (more, all) = of(&grown);
            (part, whole, is_covered) = (part + more, whole + all, true);
        }
    }
    is_covered.then(|| part / whole)
}

proptest! {
    #[test]
    fn a_ratio_covers_the_same_intervals_above_and_below(
        growth in prop::collection::vec((20..60_u32, 0..9_u32, 0..9_000_u32), 3..20),
        missing in prop::collection::vec(0..RATIOS.len() * 30, 0..40),
    ) {
        let (mut received, mut lost, mut concealed) = (1_000, 10, 500);
        let mut samples = vec![];
        for (at, (more, gone, filled)) in growth.iter().enumerate() {
            (received, lost, concealed) = (received + more, lost + gone, concealed + filled);
            let mut sample = received_audio(at as f64 + 1.0, json!({
                "packetsReceived": received, "packetsLost": lost, "concealedSamples": concealed,
                "silentConcealedSamples": concealed / 3,
            }));
            for (which, member) in RATIOS.iter().enumerate() {
                if missing.contains(&(at * RATIOS.len() + which)) {
                    sample.as_object_mut().unwrap().remove(*member);
                }
            }
            samples.push(sample);
        }
        let mut call = Call::new();
        for sample in &samples {
            call.one(sample.clone());
        }
        let stream = call.stream();
        let audio = stream.audio.unwrap();
        // Counts go on while they are not reported: what matters is their growth between samples with both.
        let counting: Vec<&Value> = samples
            .iter()
            .filter(|sample| ["packetsReceived", "packetsLost"].iter().all(|member| sample.get(*member).is_some()))
            .collect();
        let grown = |member: &str| {
            let ends = [counting.first()?, counting.last()?].map(|sample| value_of(sample, member));
            Some(ends[1]? - ends[0]?).filter(|_| counting.len() > 1)
        };
        let loss = grown("packetsLost").zip(grown("packetsReceived")).map(|(lost, received)| lost / (lost + received));
        let concealed = covered(&samples, &["totalSamplesReceived", "concealedSamples"], |grown| {
            (grown("concealedSamples"), grown("totalSamplesReceived"))
        });
        let audible =
            covered(&samples, &["totalSamplesReceived", "concealedSamples", "silentConcealedSamples"], |grown| {
                (grown("concealedSamples") - grown("silentConcealedSamples"), grown("totalSamplesReceived"))
            });
        for (found, expected) in
            [(stream.loss_ratio, loss), (audio.concealed_ratio, concealed), (audio.audible_concealed_ratio, audible)]
        {
            prop_assert_eq!(found.is_some(), expected.is_some());
            prop_assert!(found.zip(expected).is_none_or(|(found, expected)| (found - expected).abs() < 1e-12));
        }
    }

    #[test]
    fn no_history_loses_more_than_could_have_come(
        steps in prop::collection::vec(
            prop_oneof![4 => 0..3_i64, 1 => -70_000..70_000_i64, 1 => any::<i32>().prop_map(i64::from), 1 => Just(1_i64 << 32)],
            2..40,
        ),
    ) {
        let (mut received, mut sent) = (Call::new(), Call::new());
        let mut lost = 0;
        for (second, step) in steps.iter().enumerate() {
            lost += step;
            let second = second as f64;
            let more = json!({"packetsLost": lost, "packetsReceived": second as u64 * 50});
            if let Some(loss) = received.one(received_audio(second, more)).and_then(|one| one.get(Metric::LossRatio)) {
                // 50 packets came: four times as many, and 100 more, may have been sent in this second, and as many in
                // each second for which losses were unknown.
                let missing = loss * 50.0 / (1.0 - loss);
                prop_assert!(missing <= 300.0 * second.max(1.0) + 1e-6, "{missing} lost in a second");
            }
            sent.snapshot(&[sent_audio(second, json!({})), reported(second, json!({"packetsLost": lost}))]);
        }
        let seconds = steps.len() as i64;
        prop_assert!(received.stream().packets_lost.is_none_or(|lost| lost.abs() <= 300 * seconds));
        // Every packet once, and ten more with each report.
        prop_assert!(sent.outbound().packets_lost.is_none_or(|lost| lost <= 60 * seconds));
    }

    #[test]
    fn a_glitch_of_one_counter_damages_nothing_else(
        which in 0..COUNTERS.len(), at in 3..18_u32, keep in prop_oneof![0.5..0.999_f64, Just(0.999_999)],
    ) {
        let run = |glitch: bool| {
            let mut call = Call::new();
            for second in 0..=20_u32 {
                let (member, value) = COUNTERS[which];
                let wrong = (value(f64::from(second.saturating_sub(1))) * keep).floor();
                let more = if glitch && second == at { json!({member: wrong}) } else { json!({}) };
                call.one(received_audio(f64::from(second), more));
            }
            call.stream()
        };
        let (good, glitched) = (run(false), run(true));
        prop_assert_eq!((glitched.resets, glitched.packets, glitched.bytes), (0, good.packets, good.bytes));
        prop_assert_eq!(glitched.bitrate_bps, good.bitrate_bps);
        prop_assert_eq!(glitched.doubted.unwrap().values, 1);
        prop_assert!(good.doubted.is_none());
    }

    #[test]
    fn a_reset_of_all_counters_is_one_at_any_size(before in 5..20_u32, after in 1..5_u32) {
        let mut call = Call::new();
        for second in 0..=before {
            call.one(received_audio(f64::from(second), json!({})));
        }
        let second = f64::from(before + 1);
        let restarted = entry(received_audio(f64::from(after), json!({})), json!({"timestamp": 1e6 + second * 1e3}));
        prop_assert_eq!(call.one(restarted).unwrap().state, IntervalState::Reset);
        let stream = call.stream();
        prop_assert_eq!((stream.resets, stream.packets), (1, Some(u64::from(49 * (before + after)))));
        prop_assert!(stream.doubted.is_none());
    }

    #[test]
    fn packets_beyond_any_rate_are_left_out(jump in 1e9..9e15_f64, at in 2..18_u32) {
        let mut call = Call::new();
        for second in 0..=20 {
            let extra = if second >= at { jump.floor() } else { 0.0 };
            call.one(received_audio(f64::from(second), json!({"packetsReceived": f64::from(second) * 49.0 + extra})));
        }
        let stream = call.stream();
        // The jump is believed to last at the second sample, so two intervals are unknown.
        prop_assert_eq!((stream.packets, stream.resets), (Some(18 * 49), 0));
        prop_assert_eq!(stream.doubted.unwrap().members, ["packetsReceived"]);
        prop_assert!(stream.loss_ratio < Some(0.03));
    }
}

#[test]
fn lone_glitch_is_exact_and_a_lasting_fall_counts_on() {
    let packets = |values: &[f64]| {
        let mut call = Call::new();
        for (second, &value) in values.iter().enumerate() {
            call.one(received_audio(second as f64, json!({"packetsReceived": value, "packetsLost": 0})));
        }
        let stream = call.stream();
        (stream.packets.unwrap(), stream.resets, stream.doubted.unwrap().values)
    };
    assert_eq!(packets(&[100.0, 1_950.0, 1_949.0, 1_999.0, 2_049.0]), (1_949, 0, 1));
    assert_eq!(packets(&[100.0, 1_950.0, 300.0, 2_050.0, 2_100.0]), (2_000, 0, 1));
    // From 1 050 on, the count goes on at its new value.
    assert_eq!(packets(&[100.0, 1_950.0, 1_000.0, 1_050.0, 1_100.0]), (1_900, 0, 2));
}

#[test]
fn lone_leap_is_exact_and_a_lasting_leap_counts() {
    let freezes = |values: &[f64]| {
        let mut call = Call::new();
        for (second, &value) in values.iter().enumerate() {
            call.one(received_video(second as f64, json!({"freezeCount": value, "totalFreezesDuration": value})));
        }
        let stream = call.stream();
        let video = stream.video.unwrap();
        (video.freezes, video.frozen_s, stream.resets)
    };
    assert_eq!(freezes(&[0.0, 1.0, 2.0, 3.0]), (Some(3), Some(3.0), 0));
    // Both leap, so they confirm each other; both fall, so they were reset.
    assert_eq!(freezes(&[0.0, 80.0, 81.0]), (Some(81), Some(81.0), 0));
    let alone = |values: &[f64]| {
        let mut call = Call::new();
        for (second, &value) in values.iter().enumerate() {
            call.one(received_video(second as f64, json!({"freezeCount": value})));
        }
        let stream = call.stream();
        (stream.video.unwrap().freezes, stream.doubted.map(|doubted| doubted.values), stream.resets)
    };
    assert_eq!(alone(&[0.0, 1.0, 900.0, 3.0, 4.0]), (Some(4), Some(1), 0));
    assert_eq!(alone(&[0.0, 1.0, 900.0, 901.0, 902.0]), (Some(902), Some(1), 0));
    // Nobody freezes a thousand times in a second.
    assert_eq!(alone(&[0.0, 1.0, 90_000.0, 90_001.0, 90_002.0]), (Some(2), Some(2), 0));
}

#[test]
fn high_rate_beside_packets_that_stand_still_is_believed() {
    let mut call = Call::new();
    for second in 0..=10 {
        let bytes = second * 750_000;
        call.one(received_audio(f64::from(second), json!({"packetsReceived": 5, "bytesReceived": bytes})));
    }
    let stream = call.stream();
    assert_eq!((stream.packets, stream.bitrate_bps), (None, Some(6e6)));
    assert_eq!(stream.doubted.unwrap().members, ["packetsReceived"]);
}

#[test]
fn count_of_minus_one_in_32_bits_is_no_count() {
    for wild in [4_294_967_295_u64, 3_900_000_000] {
        let mut call = Call::new();
        for second in 0..=10_u64 {
            let packets = if second == 5 { wild } else { second * 49 };
            call.one(received_audio(second as f64, json!({"packetsReceived": packets})));
        }
        let stream = call.stream();
        assert_eq!((stream.packets, stream.resets), (Some(490), 0), "{wild}");
        assert_eq!(stream.doubted.unwrap().members, ["packetsReceived"]);
    }
}

#[test]
fn more_gaps_than_are_stored_keep_the_pooled_rate() {
    let mut call = Call::new();
    for minute in 0..60 {
        for second in 0..6 {
            call.one(received_audio(f64::from(minute * 60 + second), json!({})));
        }
    }
    let fabric = call.summary();
    assert_eq!((fabric.streams[0].gaps, fabric.streams[0].bitrate_bps), (59, Some(32_000.0)));
    assert_eq!(fabric.downlink.bitrate_bps, Some(32_000.0));
}

#[test]
fn bytes_that_no_datagrams_hold_are_left_out() {
    for leap in [10_000_000.0, 1e15] {
        let mut call = Call::new();
        for second in 0..=20 {
            let second = f64::from(second);
            let bytes = second * 4e3 + if second >= 10.0 { leap } else { 0.0 };
            call.one(received_audio(second, json!({"bytesReceived": bytes})));
        }
        let stream = call.stream();
        assert_eq!((stream.bytes, stream.packets), (Some(18 * 4_000), Some(20 * 49)), "{leap}");
        assert_eq!(stream.doubted.unwrap().members, ["bytesReceived"]);
    }
}

#[test]
fn durations_in_milliseconds_are_left_out() {
    let mut call = Call::new();
    for second in 0..=10 {
        let second = f64::from(second);
        call.one(received_video(second, json!({"totalDecodeTime": second * 25.0 * 5.0})));
    }
    let stream = call.stream();
    assert_eq!(stream.video.unwrap().decode_ms.n, 0);
    assert_eq!(stream.doubted.unwrap().members, ["totalDecodeTime"]);
    // Once the unit is known to be wrong, a value that would be possible is not believed either.
    let mut call = Call::new();
    for (second, delay_ms) in [0.0, 50.0, 110.0, 160.0, 220.0, 225.0, 230.0].into_iter().enumerate() {
        call.one(received_audio(second as f64, json!({"jitterBufferDelay": delay_ms * 48e3})));
    }
    let stream = call.stream();
    assert_eq!(stream.audio.unwrap().jitter_buffer_delay_ms.n, 0);
    assert_eq!(stream.doubted.unwrap().members, ["jitterBufferDelay"]);
}

#[test]
fn round_trip_a_thousand_times_another_one_is_in_another_unit() {
    for (ice_s, rtcp_s, member) in [(12.0, 0.012, "currentRoundTripTime"), (0.012, 12.0, "totalRoundTripTime")] {
        let mut call = Call::new();
        for second in 0..=10 {
            let second = f64::from(second);
            let pair = json!({"id": "P", "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "nominated": true,
                "state": "succeeded", "currentRoundTripTime": ice_s, "bytesReceived": second * 4e3});
            let report = reported(second, json!({"roundTripTime": rtcp_s, "packetsLost": 0}));
            call.snapshot(&[sent_audio(second, json!({})), report, pair]);
        }
        let fabric = call.summary();
        let doubted = fabric.doubted.into_iter().chain(fabric.streams.into_iter().filter_map(|stream| stream.doubted));
        assert_eq!(doubted.flat_map(|doubted| doubted.members).collect::<Vec<_>>(), [member]);
        assert!(fabric.rtt_ms.ice.max.is_none_or(|ms| ms < 1e3), "{:?}", fabric.rtt_ms.ice);
        assert!(fabric.rtt_ms.rtcp.max.is_none_or(|ms| ms < 1e3), "{:?}", fabric.rtt_ms.rtcp);
    }
}

#[test]
fn losses_that_their_report_contradicts_wait_for_the_next_one() {
    let lost = |values: &[f64], share: f64| {
        let mut call = Call::new();
        for (second, &value) in values.iter().enumerate() {
            let second = second as f64;
            let report = reported(second, json!({"packetsLost": value, "fractionLost": share}));
            call.snapshot(&[sent_audio(second, json!({})), report]);
        }
        let stream = call.outbound();
        (stream.packets_lost.unwrap(), stream.packets_expected.unwrap(), stream.doubted.map(|doubted| doubted.values))
    };
    let wild = [0.0, 0.0, 0.0, 0.0, 0.0, 220.0, 1.0, 1.0];
    assert_eq!(lost(&wild, 0.0), (1, 350, Some(1)));
    // After an outage, reports that did not arrive are missing in the share, and not in the count.
    let outage = [0.0, 0.0, 0.0, 0.0, 0.0, 220.0, 221.0, 221.0];
    assert_eq!(lost(&outage, 0.0), (221, 350, None));
    assert_eq!(lost(&outage, 0.9), (221, 350, None));
}
