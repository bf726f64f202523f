//! Resets, clocks and identities of streams.

use callgauge::metric::counter::{EntryTracker, Progress};
use callgauge::metric::{IntervalState, Metric};
use callgauge::report::{Num, Report, StatsType};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, FabricSpec, InputError};
use serde_json::{Value, json};

use super::{Call, received_audio, received_video, reported, sent_audio};

#[test]
fn case_01_reset_rebases_the_whole_entry() {
    let mut call = Call::new();
    for second in 0..=10 {
        call.one(received_audio(f64::from(second), json!({})));
    }
    // Everything was reset one second ago, yet one counter is larger than before.
    let reset = call.one(received_audio(
        11.0,
        json!({"packetsReceived": 49, "packetsLost": 1, "bytesReceived": 4000, "headerBytesReceived": 99_000}),
    ));
    let reset = reset.unwrap();
    assert_eq!(reset.state, IntervalState::Reset);
    assert_eq!(reset.figures().count(), 0, "no rate and no mean for an interval in which counters were reset");
    // Totals continue with what was counted since.
    let stream = call.stream();
    assert_eq!((stream.packets, stream.packets_lost, stream.bytes), (Some(490 + 49), Some(10 + 1), Some(44_000)));
    assert_eq!((stream.resets, stream.epochs), (1, 2));
    // The next interval is an ordinary one.
    let next = call.one(received_audio(
        12.0,
        json!({"packetsReceived": 98, "packetsLost": 2, "bytesReceived": 8000, "headerBytesReceived": 99_600}),
    ));
    assert_eq!(next.unwrap().get(Metric::BitrateBps), Some(32_000.0));
}

#[test]
fn case_01_reset_of_one_group_leaves_the_rest() {
    let mut call = Call::new();
    call.one(received_video(0.0, json!({"freezeCount": 6, "totalFreezesDuration": 3.0})));
    call.one(received_video(1.0, json!({"freezeCount": 7, "totalFreezesDuration": 3.5})));
    // Chromium resets its freeze counters when the content type changes; packets continue.
    let reset = call.one(received_video(2.0, json!({"freezeCount": 2, "totalFreezesDuration": 1.0}))).unwrap();
    assert_eq!(reset.state, IntervalState::Reset);
    let stream = call.stream();
    assert_eq!((stream.packets, stream.bytes), (Some(200), Some(200_000)));
    let video = stream.video.unwrap();
    assert_eq!((video.freezes, video.frozen_s), (Some(3), Some(1.5)));
}

fn round_trips(second: f64, rtt: f64) -> Value {
    reported(second, json!({"totalRoundTripTime": rtt, "roundTripTimeMeasurements": (rtt * 10.0) as u64}))
}

#[test]
fn case_01_remote_counters_continue_across_a_partial_reset() {
    let mut call = Call::new();
    call.snapshot(&[sent_audio(0.0, json!({})), round_trips(0.0, 5.0)]);
    call.snapshot(&[sent_audio(1.0, json!({})), round_trips(1.0, 5.1)]);
    // Seen in a recording: the sum of round-trip times goes back while packetsLost continues.
    call.snapshot(&[sent_audio(2.0, json!({})), round_trips(2.0, 0.1)]);
    call.snapshot(&[sent_audio(3.0, json!({})), round_trips(3.0, 0.2)]);
    assert_eq!(call.outbound().packets_lost, Some(3));
    assert_eq!(call.outbound().rtt_ms.max, Some(100.0));
}

#[test]
fn case_02_single_snapshot_has_no_figures_and_zero_is_a_value() {
    // Late join: counts from before belong to no interval.
    let mut call = Call::new();
    assert!(call.one(received_audio(3_600.0, json!({}))).is_none());
    let stream = call.stream();
    assert_eq!((stream.packets, stream.packets_lost, stream.bitrate_bps), (None, None, None));
    let first = call.one(received_audio(3_601.0, json!({}))).unwrap();
    assert_eq!(first.get(Metric::PacketRatePps), Some(49.0));
    assert_eq!(first.get(Metric::LossRatio), Some(1.0 / 50.0));
    // From zero.
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({"timestamp": 0})));
    let first = call.one(received_audio(1.0, json!({"timestamp": 1_000}))).unwrap();
    assert_eq!((first.span_ms, first.get(Metric::BitrateBps)), (1_000.0, Some(32_000.0)));
}

#[test]
fn case_03_repeated_time_stamp_gives_no_interval() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({})));
    call.one(received_audio(1.0, json!({})));
    let before = call.stream();
    assert!(call.one(received_audio(1.0, json!({}))).is_none());
    // The same time stamp over other counters: they count when time has passed.
    assert!(call.one(received_audio(1.0, json!({"packetsReceived": 60}))).is_none());
    let after = call.stream();
    assert_eq!(after.duplicates, 2);
    assert_eq!(
        (after.samples, after.packets, after.interval_bitrate_bps),
        (before.samples, before.packets, before.interval_bitrate_bps)
    );
    call.one(received_audio(2.0, json!({})));
    assert_eq!(call.stream().packets, Some(98));
}

#[test]
fn case_04_late_snapshot_is_left_out() {
    let mut call = Call::new();
    for second in [0.0, 1.0, 3.0] {
        call.one(received_audio(second, json!({})));
    }
    let before = call.stream();
    assert!(call.one(received_audio(2.0, json!({"codecId": "old"}))).is_none());
    let mut after = call.stream();
    assert_eq!(after.late, 1);
    after.late = 0;
    assert_eq!(after, before);
    assert_eq!(call.one(received_audio(4.0, json!({}))).unwrap().get(Metric::PacketRatePps), Some(49.0));
}

fn reset_audio(packets: u64, second: f64) -> Value {
    received_audio(
        second,
        json!({"packetsReceived": packets, "bytesReceived": packets * 80, "packetsLost": 0, "totalSamplesReceived": 0, "concealedSamples": 0, "headerBytesReceived": 0, "jitterBufferDelay": 0, "jitterBufferEmittedCount": 0, "totalAudioEnergy": 0, "totalSamplesDuration": 0}),
    )
}

#[test]
fn case_04_late_snapshot_before_a_reset_counts_nothing_twice() {
    let mut call = Call::new();
    for second in 0..=10 {
        call.one(received_audio(f64::from(second), json!({})));
    }
    call.one(reset_audio(49, 12.0));
    for late in [9.0, 9.5, 11.0] {
        assert!(call.one(received_audio(late, json!({}))).is_none(), "a sample from {late} s, before the reset");
    }
    call.one(reset_audio(98, 13.0));
    let stream = call.stream();
    assert_eq!((stream.packets, stream.late, stream.resets), (Some(490 + 98), 3, 1));
}

#[test]
fn case_04_backward_clock_step_loses_no_traffic() {
    let mut call = Call::new();
    let hour_back = |second: f64| received_audio(second, json!({"timestamp": 1e7 + second * 1e3 - 3.6e6}));
    for second in 0..=10 {
        call.one(received_audio(f64::from(second), json!({"timestamp": 1e7 + f64::from(second) * 1e3})));
    }
    let step = call.one(hour_back(11.0)).unwrap();
    assert_eq!((step.state, step.figures().count()), (IntervalState::Reset, 0));
    for second in 12..=20 {
        let interval = call.one(hour_back(f64::from(second))).unwrap();
        assert_eq!(interval.get(Metric::BitrateBps), Some(32_000.0));
    }
    let stream = call.stream();
    assert_eq!((stream.packets, stream.late, stream.resets, stream.clock_steps), (Some(980), 0, 1, 1));
    // 10 s before the step and 9 s after it; the caller's clock tells the length of the second between.
    assert_eq!((stream.duration_s, stream.bitrate_bps), (20.0, Some(32_000.0)));
    assert_eq!(call.conference.summary().duration_s, Some(20.0));
    assert_eq!(call.summary().clock.steps, 1);
}

#[test]
fn case_04_report_before_a_backward_clock_step_still_expires() {
    let mut call = Call::new();
    call.snapshot(&[sent_audio(7_200.0, json!({})), reported(7_200.0, json!({}))]);
    call.snapshot(&[sent_audio(7_201.0, json!({})), reported(7_201.0, json!({}))]);
    let mut last = None;
    // RTCP stops, and the clock goes back by an hour: the last report lies in the future.
    for second in 7_202..=7_240 {
        let own = sent_audio(f64::from(second), json!({"timestamp": 1e6 + f64::from(second) * 1e3 - 3.6e6}));
        last = call.snapshot(&[own, reported(7_201.0, json!({}))]).pop();
    }
    assert_eq!(last.unwrap().get(Metric::RttMs), None);
}

#[test]
fn case_04_backward_step_of_the_caller_is_refused() {
    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::from_millis(5), FabricSpec::new("pc")).unwrap();
    assert_eq!(call.ingest(Timestamp::from_millis(4), fabric, &Report::new()), Err(InputError::TimeWentBackwards));
    assert_eq!(call.summary().fabrics[0].snapshots, 0);
    assert_eq!(call.ingest(Timestamp::from_millis(5), fabric, &Report::new()), Ok(()));
}

#[test]
fn case_05_gap_is_in_no_average() {
    let mut call = Call::new();
    for second in 0..=10 {
        call.one(received_audio(f64::from(second), json!({})));
    }
    let before = call.stream();
    // Suspended for ten minutes, with losses in the meantime.
    let gap = call
        .one(received_audio(610.0, json!({"packetsLost": 20_000, "packetsReceived": 600, "bytesReceived": 50_000})))
        .unwrap();
    assert_eq!(gap.state, IntervalState::Gap);
    let after = call.stream();
    assert_eq!((after.gaps, after.gap_s), (1, 600.0));
    assert_eq!(after.interval_loss_ratio, before.interval_loss_ratio);
    assert_eq!(after.interval_bitrate_bps, before.interval_bitrate_bps);
    assert_eq!(after.jitter_ms, before.jitter_ms);
    assert_eq!(after.packets, Some(600), "traffic is traffic");
}

#[test]
fn case_05_slow_and_irregular_polling_is_no_gap() {
    for spans in
        [&[30.0, 30.0, 30.0, 30.0, 30.0][..], &[10.0, 1.0, 10.0, 1.0, 10.0, 1.0], &[1.0, 2.0, 1.5, 4.5, 0.1, 4.0]]
    {
        let mut call = Call::new();
        let mut at = 0.0;
        call.one(received_audio(at, json!({})));
        for span in spans {
            at += span;
            assert_eq!(
                call.one(received_audio(at, json!({}))).unwrap().state,
                IntervalState::Active,
                "after {span} s of {spans:?}"
            );
        }
        assert_eq!((call.stream().gaps, call.stream().samples), (0, spans.len() as u64 + 1));
    }
}

#[test]
fn case_10_decreasing_packets_lost_is_no_reset() {
    let mut call = Call::new();
    for (second, lost) in [(0.0, 0), (1.0, 8), (2.0, 1), (3.0, -2), (4.0, 0)] {
        let interval = call.one(received_audio(second, json!({"packetsLost": lost})));
        let Some(interval) = interval else { continue };
        assert_eq!(interval.state, IntervalState::Active, "no reset for packetsLost alone");
        let loss = interval.get(Metric::LossRatio).unwrap();
        assert!(loss >= 0.0);
        assert_eq!(loss == 0.0, second == 2.0 || second == 3.0);
    }
    assert_eq!((call.stream().packets_lost, call.stream().resets), (Some(0), 0));
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({"packetsLost": 5})));
    call.one(received_audio(1.0, json!({"packetsLost": 2})));
    assert_eq!((call.stream().packets_lost, call.stream().loss_ratio), (Some(-3), Some(0.0)));
}

fn counted(field: Num, old: f64, new: f64) -> Option<f64> {
    let mut report = Report::new();
    report.push(StatsType::InboundRtp, "a").set_timestamp(StatTime::from_millis(0.0)).set(field, old);
    report.push(StatsType::InboundRtp, "a").set_timestamp(StatTime::from_millis(1e3)).set(field, new);
    let track = EntryTracker::new(report.get(0).unwrap()).unwrap();
    match track.step(report.get(1).unwrap()) {
        Progress::Advance(delta) => Some(delta.of(field).unwrap()),
        Progress::Restart(delta) => {
            assert_eq!((delta.of(field), delta.passed(field)), (None, Some(new)));
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn case_11_decrease_is_a_wrap_only_near_the_end_of_32_bits() {
    let end = 4_294_967_296.0;
    assert_eq!(counted(Num::PacketsReceived, end - 10.0, 40.0), Some(50.0));
    assert_eq!(counted(Num::NackCount, end - 1.0, 0.0), Some(1.0));
    assert_eq!(counted(Num::PacketsReceived, 3e9, 40.0), None, "not near the end: a reset");
    assert_eq!(counted(Num::PacketsReceived, end + 10.0, 40.0), None, "stored in 64 bits: a reset");
    assert_eq!(counted(Num::BytesReceived, end - 10.0, 40.0), None, "every browser stores bytes in 64 bits");
}

#[test]
fn case_11_bytes_distinguish_a_reset_from_a_packet_wrap() {
    let near = 4_294_967_290_u64;
    for (bytes, packets) in [(near * 1_000 + 50_000, 50), (44_000, 44)] {
        let mut call = Call::new();
        call.one(received_video(0.0, json!({"packetsReceived": near, "bytesReceived": near * 1_000})));
        call.one(received_video(1.0, json!({"packetsReceived": 44, "bytesReceived": bytes})));
        assert_eq!(call.stream().packets, Some(packets));
        assert_eq!(call.stream().resets, u64::from(bytes == 44_000));
    }
}

fn packets_at(second: f64, packets: u64) -> Value {
    json!({
        "id": "I", "type": "inbound-rtp", "kind": "audio", "ssrc": 7, "timestamp": second * 1e3, "packetsReceived": packets,
    })
}

#[test]
fn case_11_late_snapshot_from_before_a_wrap_is_late() {
    let mut call = Call::new();
    call.one(packets_at(1.0, 4_294_967_290));
    call.one(packets_at(3.0, 10));
    assert!(call.one(packets_at(2.0, 4_294_967_295)).is_none());
    call.one(packets_at(4.0, 20));
    assert_eq!((call.stream().packets, call.stream().late), (Some(26), 1));
}

#[test]
fn case_15_ssrc_on_another_medium_opens_an_epoch() {
    let switches =
        [json!({"trackIdentifier": "screen"}), json!({"mid": "4"}), json!({"rid": "h"}), json!({"kind": "video"})];
    for switched in switches {
        let mut call = Call::new();
        call.one(received_audio(0.0, json!({"rid": "f"})));
        call.one(received_audio(1.0, json!({"rid": "f"})));
        let mut more = json!({"rid": "f"});
        more.as_object_mut().unwrap().extend(switched.as_object().unwrap().clone());
        assert_eq!(call.one(received_audio(2.0, more)).unwrap().state, IntervalState::Reset, "{switched}");
        let stream = call.stream();
        assert_eq!((stream.epochs, stream.packets), (2, Some(98)), "counters went on");
        assert_eq!(stream.kind.unwrap().name(), if switched["kind"] == "video" { "video" } else { "audio" });
    }
}

#[test]
fn case_16_new_ssrc_on_the_same_track_is_a_new_stream() {
    let mut call = Call::new();
    for second in 0..=5 {
        call.one(received_audio(f64::from(second), json!({})));
    }
    for second in 6..=10 {
        let interval = call.one(received_audio(
            f64::from(second) - 6.0,
            json!({"ssrc": 70, "id": "IT01A70", "timestamp": 1e6 + f64::from(second) * 1e3}),
        ));
        assert!(interval.is_none_or(|interval| interval.state == IntervalState::Active));
    }
    let streams = call.summary().streams;
    let got: Vec<_> = streams
        .iter()
        .map(|stream| (stream.ssrc.get(), stream.packets, stream.resets, stream.label.as_deref()))
        .collect();
    assert_eq!(got, [(7, Some(245), 0, Some("0")), (70, Some(196), 0, Some("0"))]);
}

#[test]
fn case_17_new_id_for_the_same_ssrc_is_the_same_stream() {
    let mut call = Call::new();
    for (second, id) in
        [(0.0, "RTCInboundRTPAudioStream_7"), (1.0, "RTCInboundRTPAudioStream_7"), (2.0, "IT01A7"), (3.0, "a09f")]
    {
        let interval = call.one(received_audio(second, json!({"id": id})));
        assert!(interval.is_none_or(|interval| interval.get(Metric::BitrateBps) == Some(32_000.0)));
    }
    assert_eq!((call.stream().samples, call.stream().epochs), (4, 1));
}

#[test]
fn case_17_stream_key_is_ssrc_direction_and_connection() {
    let mut call = Call::new();
    let other = call.conference.open_fabric(Timestamp::default(), FabricSpec::new("second")).unwrap();
    for second in 0..=4 {
        let second = f64::from(second);
        // Loop-back: the same SSRC in both directions, and again in another connection with other counters.
        call.snapshot(&[received_audio(second, json!({})), sent_audio(second, json!({"ssrc": 7}))]);
        let text = json!([received_audio(second * 2.0, json!({"timestamp": 1e6 + second * 1e3}))]).to_string();
        call.scanner.read(text.as_bytes(), &mut call.report).unwrap();
        call.conference.ingest(Timestamp::from_millis(call.now), other, &call.report).unwrap();
    }
    let summary = call.conference.summary();
    let got: Vec<_> = summary
        .fabrics
        .iter()
        .flat_map(|fabric| &fabric.streams)
        .map(|stream| (stream.packets, stream.resets))
        .collect();
    assert_eq!(got, [(Some(196), 0), (Some(200), 0), (Some(392), 0)]);
}

#[test]
fn case_28_late_member_has_no_delta_and_missing_is_not_zero() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({"packetsLost": null, "bytesReceived": null})));
    let first = call.one(received_audio(1.0, json!({}))).unwrap();
    assert_eq!((first.get(Metric::LossRatio), first.get(Metric::BitrateBps)), (None, None));
    assert_eq!(first.get(Metric::PacketRatePps), Some(49.0));
    assert_eq!(call.one(received_audio(2.0, json!({}))).unwrap().get(Metric::BitrateBps), Some(32_000.0));
    // Gone for two samples: no rate, and no rate over a wrong time when it returns; but the total loses nothing.
    let gone = call.one(received_audio(3.0, json!({"bytesReceived": null}))).unwrap();
    assert_eq!((gone.state, gone.get(Metric::BitrateBps)), (IntervalState::Active, None));
    call.one(received_audio(4.0, json!({"bytesReceived": null})));
    assert_eq!(call.one(received_audio(5.0, json!({}))).unwrap().get(Metric::BitrateBps), None);
    assert_eq!(call.one(received_audio(6.0, json!({}))).unwrap().get(Metric::BitrateBps), Some(32_000.0));
    assert_eq!((call.stream().bytes, call.stream().packets, call.stream().resets), (Some(20_000), Some(294), 0));
}

#[test]
fn case_28_member_missing_during_a_reset_makes_no_second_reset() {
    let mut call = Call::new();
    call.one(received_audio(10.0, json!({})));
    let reset = json!({"packetsReceived": 10, "bytesReceived": null, "packetsLost": 0});
    assert_eq!(call.one(received_audio(11.0, reset)).unwrap().state, IntervalState::Reset);
    let back = call
        .one(received_audio(12.0, json!({"packetsReceived": 59, "bytesReceived": 4_700, "packetsLost": 0})))
        .unwrap();
    assert_ne!(back.state, IntervalState::Reset);
    assert_eq!((call.stream().packets, call.stream().resets), (Some(59), 1));
}

#[test]
fn case_29_vanished_stream_retains_its_totals() {
    let mut call = Call::new();
    for second in 0..=5 {
        let second = f64::from(second);
        call.snapshot(&[received_audio(second, json!({})), received_video(second, json!({}))]);
    }
    let before = call.summary().streams;
    for second in 6..=300 {
        call.one(received_video(f64::from(second), json!({})));
    }
    let streams = call.summary().streams;
    assert_eq!(streams[0], before[0], "neither lost nor counted on");
    assert_eq!(streams[1].packets, Some(30_000));
    // Back after minutes, with larger counters: a gap. With smaller ones: a reset.
    let back = call.snapshot(&[received_audio(301.0, json!({})), received_video(301.0, json!({}))]);
    assert_eq!(back[0].state, IntervalState::Gap);
    call.snapshot(&[received_video(600.0, json!({}))]);
    let back =
        call.snapshot(&[received_audio(1.0, json!({"timestamp": 1e6 + 601e3})), received_video(601.0, json!({}))]);
    assert_eq!(back[0].state, IntervalState::Reset);
    assert_eq!(call.summary().streams[0].packets, Some(301 * 49 + 49));
}

#[test]
fn case_32_ids_and_ssrcs_repeat_across_connections() {
    let mut replay = crate::common::recordings::Replay {
        call: Conference::new("", Config::new()),
        events: Vec::new(),
        fabrics: Default::default(),
    };
    let mut reader = callgauge::ingest::Reader::new();
    for second in 0..=4 {
        for (pc, factor) in [("A", 1.0), ("B", 3.0), ("C", 5.0)] {
            let stats = received_audio(f64::from(second) * factor, json!({"timestamp": 1e6 + f64::from(second) * 1e3}));
            let line = json!({"t": 1e6 + f64::from(second) * 1e3, "pc": pc, "report": {"IT01A7": stats}}).to_string();
            reader
                .read(line.as_bytes(), &mut |snapshot| {
                    let now = Timestamp::from_millis(second as u64);
                    let call = &mut replay.call;
                    let fabric = *replay
                        .fabrics
                        .entry(snapshot.fabric.into())
                        .or_insert_with(|| call.open_fabric(now, FabricSpec::new(snapshot.fabric)).unwrap());
                    call.ingest(now, fabric, snapshot.report).unwrap();
                })
                .unwrap();
        }
    }
    let got: Vec<_> = replay
        .call
        .summary()
        .fabrics
        .iter()
        .map(|fabric| (fabric.streams[0].packets, fabric.streams[0].resets))
        .collect();
    assert_eq!(got, [(Some(196), 0), (Some(588), 0), (Some(980), 0)]);
}

#[test]
fn case_45_ssrc_repeated_in_a_snapshot_is_tracked_once() {
    for turned in [false, true] {
        let mut call = Call::new();
        for second in 0..=5 {
            let second = f64::from(second);
            // The remains of a replaced track stand beside the current one.
            let left = received_audio(0.0, json!({"timestamp": 1e6 + second * 1e3, "id": "old"}));
            let mut entries = [received_audio(second, json!({"trackIdentifier": null})), left];
            if turned {
                entries.reverse();
            }
            call.snapshot(&entries);
        }
        let stream = call.stream();
        assert_eq!((stream.packets, stream.samples, stream.duplicates, stream.resets), (Some(245), 6, 6, 0));
    }
}
