//! Which figures can be computed, and from which members.

use callgauge::metric::{IntervalState, Metric};
use callgauge::unit::{Mos, RFactor};
use serde_json::{Value, json};

use super::{Call, entry, received_audio, received_video, reported, sent_audio};

#[test]
fn case_08_unreported_round_trip_time_is_unknown() {
    let mut call = Call::new();
    for second in 0..=3 {
        let second = f64::from(second);
        let pair = json!({"id": "P", "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "selected": true, "nominated": true, "state": "succeeded"});
        // The pair has no RTT (Firefox), nor has the report before there was anything to measure.
        for interval in call.snapshot(&[
            sent_audio(second, json!({})),
            reported(second, json!({"roundTripTime": 0, "roundTripTimeMeasurements": 0})),
            pair,
        ]) {
            assert_eq!(interval.get(Metric::RttMs), None);
        }
    }
    let fabric = call.summary();
    assert_eq!((fabric.rtt_ms.rtcp.mean, fabric.rtt_ms.ice.mean, fabric.rtt_ms.ice.n), (None, None, 0));
    assert_eq!(call.outbound().samples, 4);
}

#[test]
fn case_09_sent_loss_is_computed_from_both_ends() {
    let mut call = Call::new();
    call.snapshot(&[sent_audio(0.0, json!({})), reported(0.0, json!({}))]);
    // No packetsReceived, no fractionLost: loss as a share of the packets sent in the meantime.
    let interval = call.snapshot(&[sent_audio(1.0, json!({})), reported(1.0, json!({}))]);
    assert_eq!(interval[0].get(Metric::LossRatio), Some(1.0 / 50.0));
    // With packetsReceived (Firefox): loss as a share of lost and received packets.
    let mut call = Call::new();
    call.snapshot(&[sent_audio(0.0, json!({})), reported(0.0, json!({"packetsReceived": 0, "fractionLost": 0}))]);
    let interval =
        call.snapshot(&[sent_audio(1.0, json!({})), reported(1.0, json!({"packetsReceived": 24, "fractionLost": 0}))]);
    assert_eq!(interval[0].get(Metric::LossRatio), Some(1.0 / 25.0));
    // A packetsLost in the outbound entry itself belongs to no figure.
    let mut call = Call::new();
    call.one(sent_audio(0.0, json!({"packetsLost": 0})));
    assert_eq!(call.one(sent_audio(1.0, json!({"packetsLost": 0}))).unwrap().get(Metric::LossRatio), None);
    assert_eq!((call.stream().packets_lost, call.stream().loss_ratio), (None, None));
}

#[test]
fn case_09_repeated_report_gives_no_loss() {
    let mut call = Call::new();
    call.snapshot(&[sent_audio(0.0, json!({})), reported(0.0, json!({}))]);
    call.snapshot(&[sent_audio(1.0, json!({})), reported(1.0, json!({}))]);
    for second in 2..=5 {
        let interval = call.snapshot(&[sent_audio(f64::from(second), json!({})), reported(1.0, json!({}))]);
        assert_eq!(interval[0].get(Metric::LossRatio), None, "the same report again");
        assert_eq!(interval[0].get(Metric::RttMs), Some(80.0), "which still tells the round trip");
    }
    // The next report covers what was sent since the last one.
    let interval = call.snapshot(&[sent_audio(6.0, json!({})), reported(6.0, json!({}))]);
    assert_eq!(interval[0].get(Metric::LossRatio), Some(5.0 / 250.0));
    assert_eq!(call.outbound().loss_ratio, Some(6.0 / 300.0));
}

#[test]
fn case_09_remote_reports_without_a_stream_are_left_out() {
    let mut call = Call::new();
    for second in 0..=3 {
        assert!(call.snapshot(&[reported(f64::from(second), json!({}))]).is_empty());
    }
    assert_eq!(call.summary().streams.len(), 0);
}

#[test]
fn case_14_zero_over_zero_is_unknown() {
    let mut call = Call::new();
    let still = |second: f64| received_audio(1.0, json!({"timestamp": 1e6 + second * 1e3}));
    call.one(still(1.0));
    let interval = call.one(still(2.0)).unwrap();
    for metric in [
        Metric::LossRatio,
        Metric::ConcealedRatio,
        Metric::JitterBufferDelayMs,
        Metric::TimeStretchRatio,
        Metric::Level,
        Metric::JitterMs,
    ] {
        assert_eq!(interval.get(metric), None, "{}", metric.name());
    }
    assert_eq!(interval.get(Metric::PacketRatePps), Some(0.0), "a rate over time is known");
    // 0 of 0 seconds limited, 0 frames.
    let mut call = Call::new();
    let base = json!({"id": "O", "type": "outbound-rtp", "kind": "video", "ssrc": 5, "framesEncoded": 0, "totalEncodeTime": 0, "qpSum": 0, "packetsSent": 0,
        "qualityLimitationDurations": {"none": 0, "cpu": 0, "bandwidth": 0, "other": 0}});
    for second in 0..=1 {
        let interval = call.one(entry(base.clone(), json!({"timestamp": second * 1000})));
        let Some(interval) = interval else { continue };
        for metric in [Metric::LimitedCpuRatio, Metric::EncodeMs, Metric::Qp] {
            assert_eq!(interval.get(metric), None, "{}", metric.name());
        }
    }
}

fn layer(rid: &str, ssrc: u32, second: f64, more: Value) -> Value {
    entry(
        json!({"id": format!("O{ssrc}"), "type": "outbound-rtp", "kind": "video", "ssrc": ssrc, "rid": rid, "active": true, "mid": "1",
            "timestamp": 1e6 + second * 1e3, "packetsSent": (second * 100.0) as u64, "bytesSent": (second * 1e5) as u64}),
        more,
    )
}

#[test]
fn case_18_disabled_layer_is_paused_and_not_measured() {
    let mut call = Call::new();
    let off = json!({"packetsSent": 7, "bytesSent": 900, "active": false});
    for second in 0..=4 {
        let second = f64::from(second);
        for interval in call.snapshot(&[layer("h", 2, second, off.clone()), layer("q", 1, second, json!({}))]) {
            assert_eq!(
                interval.state,
                if interval.ssrc.get() == 2 { IntervalState::Paused } else { IntervalState::Active }
            );
        }
    }
    let streams = call.summary().streams;
    assert_eq!((streams[0].label.as_deref(), streams[0].bitrate_bps), (Some("q"), Some(800_000.0)));
    assert_eq!(
        (streams[1].label.as_deref(), streams[1].paused_s, streams[1].interval_bitrate_bps.n),
        (Some("h"), 4.0, 0)
    );
    // Firefox reports no rid: still two streams.
    let mut call = Call::new();
    for second in 0..=1 {
        call.snapshot(&[
            layer("", 1, f64::from(second), json!({"rid": null})),
            layer("", 2, f64::from(second), json!({"rid": null})),
        ]);
    }
    assert_eq!(call.summary().streams.len(), 2);
}

#[test]
fn case_23_lost_packets_are_no_dtx() {
    let mut call = Call::new();
    let codec = json!({"id": "C", "type": "codec", "timestamp": 1e6, "mimeType": "audio/opus"});
    let (mut received, mut lost, mut concealed, mut energy) = (0.0, 0.0, 0.0, 0.0);
    for second in 0..=9 {
        // Speech, then one packet in ten for three seconds: playout fades to silence.
        let is_good = !(4..7).contains(&second);
        (received, lost) = if is_good { (received + 50.0, lost) } else { (received + 5.0, lost + 45.0) };
        concealed += if is_good { 0.0 } else { 43_200.0 };
        energy += if is_good { 0.01 } else { 1e-6 };
        let counters = json!({
            "codecId": "C", "packetsReceived": received, "packetsLost": lost, "concealedSamples": concealed,
            "silentConcealedSamples": concealed * 0.8, "totalAudioEnergy": energy,
        });
        let closed = call.snapshot(&[received_audio(f64::from(second), counters), codec.clone()]);
        assert!(closed.iter().all(|interval| interval.state == IntervalState::Active), "{second}: {closed:?}");
    }
    let stream = call.stream();
    assert!(
        stream.score.worst_10s.unwrap().mos < 3.0 && stream.score.mos_p05.unwrap() < 1.5,
        "{:?}",
        stream.score.mos_p05
    );
    assert!(stream.score.active_s > 8.0);
}

fn dtx_audio(ms: u64) -> Value {
    let speech = ms.min(10_000) + ms.saturating_sub(40_000);
    let silence = ms.clamp(10_000, 40_000) - 10_000;
    json!({"id": "I", "type": "inbound-rtp", "kind": "audio", "ssrc": 7, "timestamp": 1e6 + ms as f64, "packetsReceived": speech / 20 + silence / 400,
        "packetsLost": 0, "totalAudioEnergy": speech as f64 * 1e-5, "totalSamplesDuration": ms as f64 / 1e3})
}

#[test]
fn case_23_dtx_is_silence_at_any_polling_interval() {
    // Speech for 10 s, then a packet of comfort noise every 400 ms for 30 s, then speech again.
    for every in [100, 250, 1_000, 2_000, 5_000] {
        let mut call = Call::new();
        for ms in (0..=50_000).step_by(every) {
            call.one(dtx_audio(ms));
        }
        let stream = call.stream();
        assert!((stream.silent_s - 30.0).abs() <= 1.5, "{} s of silence at {every} ms", stream.silent_s);
        assert_eq!((stream.paused_s, stream.held_s, stream.muted_s), (0.0, 0.0, 0.0), "at {every} ms");
    }
}

#[test]
fn case_24_static_screen_is_no_freeze() {
    let mut call = Call::new();
    for second in 0..=10 {
        // Nothing new on the screen: no frame, and almost no bytes.
        let frames = json!({"framesReceived": 10, "framesDecoded": 10, "bytesReceived": 5_000 + second, "packetsReceived": 20 + second, "contentType": "screenshare"});
        let Some(interval) = call.one(received_video(f64::from(second), frames)) else { continue };
        assert_eq!((interval.state, interval.get(Metric::FramesPerSecond)), (IntervalState::Active, Some(0.0)));
        assert_eq!((interval.get(Metric::Qp), interval.get(Metric::FramesDroppedRatio)), (None, None));
    }
    let video = call.stream().video.unwrap();
    assert_eq!((video.freezes, video.frozen_s), (Some(0), Some(0.0)));
}

#[test]
fn case_25_ongoing_freeze_is_no_new_frames_while_bytes_arrive() {
    let mut call = Call::new();
    for second in 0..=3 {
        call.one(received_video(f64::from(second), json!({})));
    }
    for second in 4..=6 {
        // Chromium counts a freeze when it ends.
        let interval = call.one(received_video(f64::from(second), json!({"framesDecoded": 75}))).unwrap();
        assert_eq!((interval.get(Metric::FramesPerSecond), interval.get(Metric::FrozenRatio)), (Some(0.0), Some(0.0)));
        assert!(interval.get(Metric::BitrateBps) > Some(0.0));
    }
    call.one(received_video(7.0, json!({"freezeCount": 1, "totalFreezesDuration": 3.2})));
    assert_eq!(call.stream().video.unwrap().frozen_s, Some(3.2));
    // Camera off: both counters stand still.
    let mut call = Call::new();
    call.one(received_video(1.0, json!({})));
    let off = call.one(received_video(1.0, json!({"timestamp": 2e6}))).unwrap();
    assert_eq!((off.get(Metric::FramesPerSecond), off.get(Metric::BitrateBps)), (Some(0.0), Some(0.0)));
}

#[test]
fn case_26_concealment_in_silence_is_not_audible() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({})));
    let interval =
        call.one(received_audio(1.0, json!({"concealedSamples": 4_800, "silentConcealedSamples": 3_600}))).unwrap();
    assert_eq!(interval.get(Metric::ConcealedRatio), Some(0.1));
    assert_eq!(interval.get(Metric::AudibleConcealedRatio), Some(0.025));
    let audio = call.stream().audio.unwrap();
    assert_eq!((audio.concealed_ratio, audio.audible_concealed_ratio), (Some(0.1), Some(0.025)));
    // The audible part is unknown without the silent part.
    let mut call = Call::new();
    for second in 0..=1 {
        call.one(received_audio(f64::from(second), json!({"silentConcealedSamples": null})));
    }
    let audio = call.stream().audio.unwrap();
    assert_eq!((audio.concealed_ratio, audio.audible_concealed_ratio), (Some(0.01), None));
}

#[test]
fn case_27_buffer_delay_is_per_audio_sample_or_video_frame() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({"jitterBufferDelay": 0, "jitterBufferEmittedCount": 0})));
    let interval = call
        .one(received_audio(51.0, json!({"jitterBufferDelay": 148_665.6, "jitterBufferEmittedCount": 2_464_320})))
        .unwrap();
    assert!((interval.get(Metric::JitterBufferDelayMs).unwrap() - 60.33).abs() < 0.01);
    let mut call = Call::new();
    call.one(received_video(0.0, json!({"jitterBufferDelay": 10.0, "jitterBufferEmittedCount": 100})));
    let interval =
        call.one(received_video(1.0, json!({"jitterBufferDelay": 12.0, "jitterBufferEmittedCount": 125}))).unwrap();
    assert_eq!(interval.get(Metric::JitterBufferDelayMs), Some(80.0));
    // One of the two missing once: no ratio of a stale and a fresh value.
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({})));
    assert_eq!(
        call.one(received_audio(1.0, json!({"jitterBufferDelay": null}))).unwrap().get(Metric::JitterBufferDelayMs),
        None
    );
    assert_eq!(call.one(received_audio(2.0, json!({}))).unwrap().get(Metric::JitterBufferDelayMs), None);
    let mean = call.one(received_audio(3.0, json!({}))).unwrap().get(Metric::JitterBufferDelayMs).unwrap();
    assert!((mean - 50.0).abs() < 1e-9);
}

#[test]
fn case_31_rtcp_reports_expire_and_never_read_as_zero_loss() {
    let mut call = Call::new();
    // No report at all.
    for second in 0..=3 {
        for interval in call.snapshot(&[sent_audio(f64::from(second), json!({}))]) {
            assert_eq!(
                [Metric::LossRatio, Metric::RttMs, Metric::JitterMs].map(|metric| interval.get(metric)),
                [None; 3]
            );
        }
    }
    assert_eq!((call.stream().packets_lost, call.stream().loss_ratio), (None, None));
    call.snapshot(&[sent_audio(4.0, json!({})), reported(4.0, json!({}))]);
    // One report, held for 30 s.
    for second in 5..=60 {
        let entries = [sent_audio(f64::from(second), json!({})), reported(4.0, json!({}))];
        // It makes no difference whether the old entry stays or is removed.
        let interval = &call.snapshot(if second % 2 == 0 { &entries[..1] } else { &entries })[0];
        let held = second <= 34;
        assert_eq!(interval.get(Metric::RttMs), held.then_some(80.0), "{second} s");
        assert_eq!(interval.get(Metric::JitterMs), held.then_some(10.0), "{second} s");
        assert_eq!(interval.get(Metric::LossRatio), None, "{second} s");
    }
}

#[test]
fn case_31_unrenewed_round_trip_expires_while_reports_arrive() {
    let mut call = Call::new();
    for second in 0..=60 {
        let remote = reported(
            f64::from(second),
            json!({"roundTripTime": 0.08, "totalRoundTripTime": 0.4, "roundTripTimeMeasurements": 5}),
        );
        let closed = call.snapshot(&[sent_audio(f64::from(second), json!({})), remote]);
        let Some(interval) = closed.first() else { continue };
        assert_eq!(interval.get(Metric::RttMs), (second <= 30).then_some(80.0), "{second} s");
        assert_eq!(interval.get(Metric::LossRatio), Some(1.0 / 50.0));
    }
}

#[test]
fn case_31_sender_is_paused_only_while_its_reports_arrive() {
    // The sender stops after 5 s and reports so until second 60; then its reports end.
    let mut call = Call::new();
    for second in 0..=120 {
        let media = f64::from(second.min(5));
        let own = received_video(media, json!({"timestamp": 1e6 + f64::from(second) * 1e3}));
        let report_s = f64::from(second.min(60));
        let sender = json!({
            "id": "RO", "type": "remote-outbound-rtp", "kind": "video", "ssrc": 9, "timestamp": 1e6 + report_s * 1e3,
            "packetsSent": (media * 100.0) as u64, "reportsSent": report_s as u64,
        });
        let closed = call.snapshot(&[own, sender]);
        let Some(interval) = closed.first() else { continue };
        let state = if (7..=90).contains(&second) { IntervalState::Paused } else { IntervalState::Active };
        if second != 6 {
            assert_eq!(interval.state, state, "{second} s");
        }
    }
}

#[test]
fn case_13_ratio_far_above_one_is_unknown() {
    let mut call = Call::new();
    let samples =
        |received: u32, concealed: u32| json!({"totalSamplesReceived": received, "concealedSamples": concealed});
    call.one(received_audio(0.0, samples(0, 0)));
    // As in a recorded outage: the two counters were not read at the same moment.
    let all = call.one(received_audio(1.0, samples(48_000, 48_085))).unwrap();
    assert_eq!(all.get(Metric::ConcealedRatio), Some(1.0));
    let impossible = call.one(received_audio(2.0, samples(96_000, 200_000))).unwrap();
    assert_eq!(impossible.get(Metric::ConcealedRatio), None);
}

#[test]
fn case_40_packet_and_bit_rates_are_separate() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({})));
    let interval = call.one(received_audio(1.0, json!({}))).unwrap();
    assert_eq!(interval.get(Metric::PacketRatePps), Some(49.0));
    assert_eq!(interval.get(Metric::BitrateBps), Some(32_000.0));
    // A sum of seconds is no gauge: the time that one packet waited, not the total of all packets.
    let mut call = Call::new();
    call.one(sent_audio(100.0, json!({"totalPacketSendDelay": 500.0})));
    let interval = call.one(sent_audio(101.0, json!({"totalPacketSendDelay": 500.5}))).unwrap();
    assert_eq!(interval.get(Metric::SendDelayMs), Some(10.0));
}

#[test]
fn case_40b_header_bitrate_is_separate_from_the_payload() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({})));
    let interval = call.one(received_audio(1.0, json!({}))).unwrap();
    assert_eq!(
        (interval.get(Metric::BitrateBps), interval.get(Metric::HeaderBitrateBps)),
        (Some(32_000.0), Some(4_800.0))
    );
    assert_eq!((call.stream().bytes, call.stream().bitrate_bps), (Some(4_000), Some(32_000.0)));
}

#[test]
fn case_41_energy_gives_the_level_where_it_is_known() {
    let mut call = Call::new();
    call.one(received_audio(0.0, json!({"audioLevel": 0.9})));
    // √(0.01 / 1 s), whatever the current level.
    assert_eq!(call.one(received_audio(1.0, json!({"audioLevel": 0.9}))).unwrap().get(Metric::Level), Some(0.1));
    // 16-bit levels of the callback API.
    let mut call = Call::new();
    let old = json!({"id": "ssrc_7_send", "type": "ssrc", "ssrc": "7", "mediaType": "audio", "packetsSent": "5", "bytesSent": "100", "audioInputLevel": "16384", "timestamp": 1000});
    call.one(old);
    let level = call.report.entries().find_map(|entry| entry.get(callgauge::report::Num::AudioLevel)).unwrap();
    assert!((level - 0.5).abs() < 1e-4);
}

#[test]
fn case_43_scores_stay_on_their_scale() {
    for (value, rating, score) in [
        (123.0, 123.0, 5.0),
        (687_268.0, 148.0, 5.0),
        (-3.0, 0.0, 1.0),
        (f64::INFINITY, 148.0, 5.0),
        (f64::NEG_INFINITY, 0.0, 1.0),
    ] {
        assert_eq!(RFactor::clamped(value).map(RFactor::as_f64), Some(rating));
        assert_eq!(Mos::clamped(value).map(Mos::as_f64), Some(score));
        assert_eq!(Mos::new(value), None);
    }
    assert_eq!((RFactor::clamped(f64::NAN), Mos::clamped(f64::NAN)), (None, None));
}

#[test]
fn case_44_thresholds_are_in_time_not_in_samples() {
    // 10 s of media, 20 s on hold, 10 s of media, at several polling intervals.
    for every in [100, 500, 1_000, 2_000, 5_000] {
        let mut call = Call::new();
        for ms in (0..=40_000_u64).step_by(every) {
            let media = (ms.min(10_000) + ms.saturating_sub(30_000)) as f64 / 1e3;
            call.one(received_audio(media, json!({"timestamp": 1e6 + ms as f64})));
        }
        let stream = call.stream();
        assert!((stream.held_s - 20.0).abs() <= 1.0 + 1e-9, "{} s held at {every} ms", stream.held_s);
        assert_eq!((stream.packets, stream.gaps), (Some(980), 0));
        assert!((stream.interval_bitrate_bps.p50.unwrap() - 32_000.0).abs() <= 32_000.0 / 64.0, "at {every} ms");
    }
}

fn microphone(second: f64, energy: f64) -> Value {
    json!({"id": "S", "type": "media-source", "kind": "audio", "timestamp": 1e6 + second * 1e3,
        "totalAudioEnergy": energy, "totalSamplesDuration": second})
}

#[test]
fn each_interval_state_has_its_evidence_and_its_seconds() {
    let at = |second: f64| json!({"timestamp": 1e6 + second * 1e3});
    let dtx = |second: f64| json!({"packetsReceived": second * 5.0, "packetsLost": 0, "totalAudioEnergy": 0});
    let cases = [
        (IntervalState::Active, vec![vec![received_audio(0.0, json!({}))], vec![received_audio(1.0, json!({}))]]),
        (
            IntervalState::Active,
            vec![
                vec![sent_audio(0.0, json!({})), microphone(0.0, 0.0)],
                vec![sent_audio(1.0, json!({})), microphone(1.0, 0.01)],
            ],
        ),
        (
            IntervalState::Muted,
            vec![
                vec![sent_audio(0.0, json!({})), microphone(0.0, 0.5)],
                vec![sent_audio(1.0, json!({})), microphone(1.0, 0.5)],
            ],
        ),
        (IntervalState::Held, vec![vec![received_audio(5.0, json!({}))], vec![received_audio(5.0, at(6.0))]]),
        // The receiver plays concealment: nothing arrives, and no report says why.
        (
            IntervalState::Active,
            vec![
                vec![received_audio(5.0, json!({}))],
                vec![received_audio(5.0, entry(at(6.0), json!({"totalSamplesReceived": 288_000})))],
            ],
        ),
        (IntervalState::Paused, vec![vec![sent_audio(5.0, json!({}))], vec![sent_audio(5.0, at(6.0))]]),
        (
            IntervalState::Paused,
            vec![vec![sent_audio(5.0, json!({"active": true}))], vec![sent_audio(6.0, json!({"active": false}))]],
        ),
        // Bytes pass, and `active` was never true: a filler.
        (
            IntervalState::Active,
            vec![vec![sent_audio(5.0, json!({"active": false}))], vec![sent_audio(6.0, json!({"active": false}))]],
        ),
        (IntervalState::Silent, vec![vec![received_audio(0.0, dtx(0.0))], vec![received_audio(1.0, dtx(1.0))]]),
        (IntervalState::Reset, vec![vec![received_audio(9.0, json!({}))], vec![received_audio(1.0, at(10.0))]]),
        (
            IntervalState::Gap,
            vec![
                vec![received_audio(0.0, json!({}))],
                vec![received_audio(1.0, json!({}))],
                vec![received_audio(20.0, json!({}))],
            ],
        ),
    ];
    for (state, snapshots) in cases {
        let mut call = Call::new();
        let interval = snapshots.iter().map(|entries| call.snapshot(entries)).last().unwrap().remove(0);
        assert_eq!(interval.state, state, "{snapshots:?}");
        let stream = call.stream();
        let sums = [
            (IntervalState::Muted, stream.muted_s),
            (IntervalState::Held, stream.held_s),
            (IntervalState::Paused, stream.paused_s),
            (IntervalState::Silent, stream.silent_s),
            (IntervalState::Gap, stream.gap_s),
        ];
        for (other, seconds) in sums {
            assert_eq!(seconds, if other == state { interval.span_ms / 1e3 } else { 0.0 }, "{other:?} of {state:?}");
        }
        assert_eq!(stream.resets, u64::from(state == IntervalState::Reset));
        // Figures outside measured time do not reach the averages.
        let before = u64::from(state == IntervalState::Gap);
        assert_eq!(stream.interval_bitrate_bps.n, before + u64::from(state.is_measured()), "{state:?}");
    }
}
