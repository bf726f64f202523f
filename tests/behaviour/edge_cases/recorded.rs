//! The same cases in recordings of real calls, checked against the raw values and the lab's schedule.

use std::collections::BTreeMap;

use callgauge::Event;
use callgauge::event::FabricState;
use callgauge::id::{Direction, MediaKind};
use callgauge::metric::{Interval, IntervalState, Metric};
use callgauge::summary::{ConferenceSummary, StreamSummary};
use serde_json::Value;

use crate::common::recordings::{lines, meta, names, replay, without_repetitions};

/// A stream of a recording.
fn stream<'a>(
    summary: &'a ConferenceSummary,
    fabric: &str,
    direction: Direction,
    kind: MediaKind,
) -> &'a StreamSummary {
    let fabric = summary.fabrics.iter().find(|known| known.fabric == fabric).unwrap();
    fabric.streams.iter().find(|stream| stream.direction == direction && stream.kind == Some(kind)).unwrap()
}

/// The intervals of a stream that lie entirely between two moments of the schedule, in seconds.
fn intervals(name: &str, fabric: &str, direction: Direction, kind: MediaKind, from: f64, to: f64) -> Vec<Interval> {
    let t0 = meta(name)["t0"].as_f64().unwrap();
    let replay = replay(&lines(name));
    let fabric = replay.fabrics[fabric];
    let within = replay.events.iter().filter_map(|event| match event {
        Event::IntervalClosed { stream, interval, .. } => Some((stream, *interval)),
        _ => None,
    });
    let found: Vec<Interval> = within
        .filter(|(stream, _)| stream.fabric == fabric && stream.direction == direction)
        .map(|(_, interval)| interval)
        .filter(|interval| interval.kind == Some(kind))
        .filter(|interval| {
            interval.at.as_millis() - interval.span_ms >= t0 + from * 1e3 && interval.at.as_millis() <= t0 + to * 1e3
        })
        .collect();
    assert!(!found.is_empty(), "{name} has nothing from {from} s to {to} s");
    found
}

/// A member in every sample of every stream of a recording, by connection, type and SSRC.
fn raw(name: &str, member: &str) -> BTreeMap<(String, String, u64), Vec<f64>> {
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for line in lines(name) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let Some(report) = line.get("report").and_then(Value::as_object) else { continue };
        for entry in report.values() {
            let Some(value) = entry[member].as_f64() else { continue };
            let Some(ssrc) = entry["ssrc"].as_u64() else { continue };
            let key = (line["pc"].as_str().unwrap().to_owned(), entry["type"].as_str().unwrap().to_owned(), ssrc);
            values.entry(key).or_default().push(value);
        }
    }
    values
}

#[test]
fn case_01_recorded_freeze_reset_leaves_packets_intact() {
    let (packets, freezes) = (raw("screen", "packetsReceived"), raw("screen", "freezeCount"));
    let (key, counts) = freezes.iter().find(|(_, counts)| counts.windows(2).any(|pair| pair[1] < pair[0])).unwrap();
    let summary = replay(&lines("screen")).call.summary();
    let stream = stream(&summary, &key.0, Direction::Inbound, MediaKind::Video);
    assert_eq!(u64::from(stream.ssrc.get()), key.2);
    assert!(stream.resets > 0);
    let packets = &packets[key];
    assert_eq!(stream.packets.unwrap() as f64, packets.last().unwrap() - packets[0]);
    // Freezes since the first sample, over both epochs.
    let grown: f64 = counts.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum();
    assert_eq!(stream.video.as_ref().unwrap().freezes.unwrap() as f64, grown);
}

#[test]
fn case_01_packet_loss_continues_when_the_content_changes() {
    // The round-trip counters in the reports on the screen go back; the sum of lost packets does not.
    let lost = raw("screen", "packetsLost");
    let summary = replay(&lines("screen")).call.summary();
    let sent = stream(&summary, "A", Direction::Outbound, MediaKind::Video);
    let reported = &lost[&("A".into(), "remote-inbound-rtp".into(), u64::from(sent.ssrc.get()))];
    assert_eq!(sent.packets_lost.unwrap() as f64, reported.last().unwrap() - reported[0]);
}

#[test]
fn case_21_ice_restart_changes_the_pair_and_no_stream() {
    let summary = replay(&lines("ice_restart")).call.summary();
    assert_eq!(summary.fabrics.len(), 2);
    for fabric in &summary.fabrics {
        assert_eq!((fabric.selected_pair_changes, fabric.state), (2, Some(FabricState::Established)));
        assert!(fabric.rtt_ms.ice.n > 60);
        for stream in &fabric.streams {
            assert_eq!((stream.resets, stream.gaps, stream.paused_s), (0, 0, 0.0));
        }
    }
}

#[test]
fn case_22_muted_paused_and_held_time_is_reported_not_measured() {
    let active = |name, fabric, direction, kind, from, to| {
        intervals(name, fabric, direction, kind, from, to)
            .iter()
            .filter(|interval| interval.state == IntervalState::Active)
            .count()
    };
    use Direction::{Inbound, Outbound};
    use MediaKind::{Audio, Video};
    // Well inside each period of the schedule; the sender's side knows at once.
    assert_eq!(active("mute", "A", Outbound, Audio, 18.0, 32.0), 0, "a disabled track");
    assert_eq!(active("mute", "A", Outbound, Audio, 49.0, 64.0), 0, "an inactive encoding");
    assert_eq!(active("video_pause", "A", Outbound, Video, 17.0, 32.0), 0);
    assert_eq!(active("video_pause", "B", Inbound, Video, 19.0, 32.0), 0, "the sender's own reports say so");
    assert_eq!(active("screen", "A", Outbound, Video, 62.0, 70.0), 0, "replaced by nothing");
    for fabric in ["A", "B"] {
        for kind in [Audio, Video] {
            assert_eq!(active("hold", fabric, Inbound, kind, 22.0, 40.0), 0);
            assert_eq!(active("hold", fabric, Outbound, kind, 22.0, 40.0), 0);
        }
    }
    // No other stream is paused, held or muted.
    for (name, from, to) in [
        ("mute", 2.0, 16.0),
        ("video_pause", 2.0, 16.0),
        ("hold", 2.0, 20.0),
        ("clean", 2.0, 80.0),
        ("outage5", 24.0, 29.0),
        ("loss20", 2.0, 80.0),
    ] {
        for fabric in ["A", "B"] {
            for direction in [Inbound, Outbound] {
                let all = intervals(name, fabric, direction, Audio, from, to);
                assert_eq!(
                    all.iter().filter(|interval| interval.state != IntervalState::Active).count(),
                    0,
                    "{name} {fabric} {direction:?}"
                );
            }
        }
    }
}

#[test]
fn case_18_abandoned_layer_is_paused_at_the_receiver() {
    // The sender's last report stays for 40 s; its advancing round-trip figures show that the sender is alive.
    let summary = replay(&lines("simulcast")).call.summary();
    let layers: Vec<_> = summary.fabrics.iter().find(|fabric| fabric.fabric == "B").unwrap().streams.iter().collect();
    let longest = layers.iter().map(|stream| stream.paused_s).fold(0.0, f64::max);
    assert!((35.0..41.0).contains(&longest), "{longest}");
}

#[test]
fn case_26_pause_adds_no_concealment_to_the_summary() {
    let summary = replay(&lines("mute")).call.summary();
    let received = stream(&summary, "B", Direction::Inbound, MediaKind::Audio);
    let last = |member| {
        let values = raw("mute", member);
        let (_, values) =
            values.iter().find(|((pc, _, ssrc), _)| pc == "B" && *ssrc == u64::from(received.ssrc.get())).unwrap();
        values.last().unwrap() - values.first().unwrap()
    };
    // A fifth of the raw samples: the encoding was off for 16 of 80 s.
    assert!(last("concealedSamples") / last("totalSamplesReceived") > 0.2);
    let audio = received.audio.as_ref().unwrap();
    // The rest is the second in which nothing distinguishes a pause from an outage yet.
    assert!(audio.concealed_ratio.unwrap() < 0.04, "{audio:?}");
    assert!(audio.audible_concealed_ratio.unwrap() < 0.005, "{audio:?}");
}

#[test]
fn case_22_pause_has_no_jitter_and_no_loss() {
    let summary = replay(&lines("mute")).call.summary();
    let received = stream(&summary, "B", Direction::Inbound, MediaKind::Audio);
    assert_eq!((received.packets_lost, received.loss_ratio), (Some(0), Some(0.0)));
    assert!(received.jitter_ms.max.unwrap() < 50.0);
    for interval in intervals("mute", "B", Direction::Inbound, MediaKind::Audio, 50.0, 63.0) {
        assert_eq!((interval.get(Metric::JitterMs), interval.get(Metric::LossRatio)), (None, None));
    }
}

#[test]
fn case_23_dtx_is_no_loss() {
    for fabric in ["A", "B"] {
        let clean = intervals("audio_dtx", fabric, Direction::Inbound, MediaKind::Audio, 0.0, 40.0);
        assert!(clean.iter().any(|interval| interval.state == IntervalState::Silent));
        assert_eq!(clean.iter().filter(|interval| interval.get(Metric::LossRatio) > Some(0.0)).count(), 0);
        assert!(clean.iter().all(|interval| matches!(interval.state, IntervalState::Silent | IntervalState::Active)));
    }
    // Loss over the call is pooled over packets, not over intervals of two packets each.
    let lost = raw("audio_dtx", "packetsLost");
    let received = raw("audio_dtx", "packetsReceived");
    let summary = replay(&lines("audio_dtx")).call.summary();
    let stream = stream(&summary, "A", Direction::Inbound, MediaKind::Audio);
    let key = ("A".to_owned(), "inbound-rtp".to_owned(), u64::from(stream.ssrc.get()));
    let (lost, got) = (lost[&key].last().unwrap() - lost[&key][0], received[&key].last().unwrap() - received[&key][0]);
    assert!(lost > 0.0);
    assert_eq!(stream.loss_ratio, Some(lost / (lost + got)));
}

#[test]
fn case_24_screen_at_five_frames_per_second_is_active() {
    let shared = intervals("screen", "B", Direction::Inbound, MediaKind::Video, 20.0, 47.0);
    assert!(shared.len() > 20);
    for interval in &shared {
        assert_eq!(interval.state, IntervalState::Active);
        // Chromium counts frames a second apart as freezes; the score decides what they mean for a screen.
        assert!(interval.get(Metric::FramesPerSecond).unwrap() < 10.0);
    }
}

#[test]
fn case_25_pause_is_no_freeze() {
    let paused = intervals("video_pause", "B", Direction::Inbound, MediaKind::Video, 18.0, 32.0);
    for interval in paused {
        assert_eq!((interval.get(Metric::FramesPerSecond), interval.get(Metric::FrozenRatio)), (Some(0.0), Some(0.0)));
        assert_eq!(interval.get(Metric::BitrateBps), Some(0.0));
    }
}

#[test]
fn case_26_most_outage_concealment_is_silent() {
    let summary = replay(&lines("outage5")).call.summary();
    let audio = stream(&summary, "B", Direction::Inbound, MediaKind::Audio).audio.clone().unwrap();
    let (concealed, audible) = (audio.concealed_ratio.unwrap(), audio.audible_concealed_ratio.unwrap());
    // Two outages of 5 s in 79 s.
    assert!((concealed - 10.0 / 79.0).abs() < 0.01, "{concealed}");
    assert!(audible < concealed / 10.0, "{audible}");
}

#[test]
fn case_10_interval_loss_is_never_negative() {
    let mut compared = 0;
    for name in names() {
        for event in replay(&lines(&name)).events {
            let Event::IntervalClosed { interval, .. } = event else { continue };
            for (metric, value) in interval.figures() {
                assert!(value.is_finite() && value >= 0.0, "{name}: {} is {value}", metric.name());
                compared += 1;
            }
        }
    }
    assert!(compared > 100_000);
}

#[test]
fn case_44_totals_do_not_depend_on_the_polling_interval() {
    let all = lines("loss5_100ms");
    // The first and the last ten samples of each connection stay.
    let thinned: Vec<String> = all
        .iter()
        .enumerate()
        .filter(|(n, _)| *n < 20 || *n + 20 >= all.len() || (n / 2) % 10 == 0)
        .map(|(_, line)| line.clone())
        .collect();
    assert!(thinned.len() * 5 < all.len());
    let (often, seldom) = (replay(&all).call.summary(), replay(&thinned).call.summary());
    let mut compared = 0;
    for (often, seldom) in often.fabrics.iter().zip(&seldom.fabrics) {
        for (often, seldom) in often.streams.iter().zip(&seldom.streams) {
            assert_eq!((often.ssrc, often.packets, often.bytes), (seldom.ssrc, seldom.packets, seldom.bytes));
            assert_eq!(often.bitrate_bps.map(f64::to_bits), seldom.bitrate_bps.map(f64::to_bits));
            assert_eq!((often.gaps, often.held_s, often.paused_s), (0, 0.0, 0.0));
            if often.direction == Direction::Inbound {
                assert_eq!((often.packets_lost, often.loss_ratio), (seldom.packets_lost, seldom.loss_ratio));
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 8);
}

#[test]
fn case_45_repeated_snapshots_give_the_same_call() {
    for name in ["screen", "ice_restart", "audio_dtx", "ff_loss5", "mesh3"] {
        let lines = lines(name);
        let once = replay(&lines);
        let twice = replay(lines.iter().flat_map(|line| [line, line]));
        assert_eq!(without_repetitions(&twice.call), without_repetitions(&once.call), "{name}");
        let repeated: u64 = twice
            .call
            .summary()
            .fabrics
            .iter()
            .flat_map(|fabric| &fabric.streams)
            .map(|stream| stream.duplicates)
            .sum();
        assert!(repeated > 100, "{name}");
        assert_eq!(twice.events.len(), once.events.len(), "{name}");
    }
}
