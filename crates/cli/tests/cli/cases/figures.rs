//! Fillers, impossible values and denominators.

use serde_json::Value;

use super::{intervals, kinds, path, report, text};
use crate::stdout;

/// The stream of a direction and kind in the first connection of a report.
fn stream<'a>(report: &'a Value, direction: &str, kind: &str) -> &'a Value {
    let streams = report["fabrics"][0]["streams"].as_array().unwrap();
    streams.iter().find(|stream| stream["direction"] == direction && stream["kind"] == kind).unwrap()
}

fn received_audio(report: &Value) -> &Value {
    stream(report, "inbound", "audio")
}

fn sent_audio(report: &Value) -> &Value {
    stream(report, "outbound", "audio")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn has_no_picture_trouble(report: &Value) {
    for kind in kinds(report) {
        assert!(!["stuckDecoder", "frozenVideo", "nullDecoder", "lowFrameRate"].contains(&kind), "{kind}");
    }
}

#[test]
fn pion_has_the_round_trip_of_its_nominated_pair() {
    for case in ["02-pion.ndjson.gz", "20-pion-video.ndjson.gz"] {
        let report = report(case);
        assert!((number(&report["fabrics"][0]["rtt_ms"]["ice"]["mean"]) - 160.0).abs() < 1.0);
        assert!(number(&received_audio(&report)["score"]["mos"]) > 4.0);
        has_no_picture_trouble(&report);
    }
    let jitter = report("02c-pion-jitter-rtp-units.ndjson.gz");
    assert!(received_audio(&jitter)["jitter_ms"]["max"].as_f64().is_none_or(|ms| ms < 10.0));
}

#[test]
fn server_that_does_not_decode_has_no_picture() {
    for case in ["20-pion-video.ndjson.gz", "106-webrtc-rs.ndjson.gz"] {
        let report = report(case);
        has_no_picture_trouble(&report);
        let video = &stream(&report, "inbound", "video")["video"];
        for unknown in ["frames", "width", "height", "freezes", "frozen_s"] {
            assert!(video[unknown].is_null(), "{unknown} of {case}: {}", video[unknown]);
        }
        assert_eq!(video["frames_per_second"]["n"], 0);
        let text = text(case);
        assert!(!text.contains("0x0") && !text.contains(" 0 fps"), "{text}");
    }
}

#[test]
fn zero_bandwidth_and_zero_round_trips_are_unknown() {
    for case in ["106-webrtc-rs.ndjson.gz", "11-edge-ortc.ndjson.gz"] {
        let report = report(case);
        assert_eq!(report["fabrics"][0]["available_outgoing_bps"]["n"], 0);
        assert!(!text(case).contains("0 bit/s"));
        for interval in intervals(case) {
            assert_ne!(interval["rtt_ms"], 0.0, "{interval}");
            assert!(interval["available_outgoing_bps"].is_null());
        }
    }
    let edge = report("11-edge-ortc.ndjson.gz");
    assert!((number(&edge["fabrics"][0]["rtt_ms"]["rtcp"]["mean"]) - 118.0).abs() < 1e-6);
    let pair = report("39-pair-empty-transport.ndjson.gz");
    assert!((number(&pair["fabrics"][0]["rtt_ms"]["ice"]["mean"]) - 117.0).abs() < 1e-6);
}

#[test]
fn inactive_stream_that_sends_is_active() {
    let report = report("41-active-false-but-sends.ndjson.gz");
    assert_eq!(number(&sent_audio(&report)["paused_s"]), 0.0);
    assert!(kinds(&report).is_empty(), "{:?}", kinds(&report));
    assert!(intervals("41-active-false-but-sends.ndjson.gz").iter().all(|interval| interval["state"] == "active"));
}

#[test]
fn packets_that_stay_zero_are_unknown_and_not_idle() {
    let report = report("24-packets-zero-bytes-grow.ndjson.gz");
    let stream = received_audio(&report);
    assert!((number(&stream["bitrate_bps"]) - 32_000.0).abs() < 500.0);
    assert!(stream["packets"].is_null() && stream["loss_ratio"].is_null());
    assert!(number(&stream["score"]["mos"]) > 3.5);
    let text = text("24-packets-zero-bytes-grow.ndjson.gz");
    assert!(!text.contains("no packets") && !text.contains("idle"), "{text}");
}

#[test]
fn impossible_losses_are_no_loss_and_are_counted() {
    for case in ["21-garbage-rr.ndjson.gz", "21b-lost-u32.ndjson.gz", "86-seq-jump.ndjson.gz"] {
        assert!(kinds(&report(case)).is_empty(), "{case}: {:?}", kinds(&report(case)));
    }
    let garbage = report("21-garbage-rr.ndjson.gz");
    assert!(sent_audio(&garbage)["loss_ratio"].is_null());
    assert_eq!(sent_audio(&garbage)["doubted"]["members"], serde_json::json!(["packetsLost"]));
    let jump = report("86-seq-jump.ndjson.gz");
    assert_eq!(received_audio(&jump)["loss_ratio"], 0.0);
    assert_eq!(received_audio(&jump)["doubted"]["values"], 1);
    assert!(text("86-seq-jump.ndjson.gz").contains("left out 1 impossible value (packetsLost)"));
    assert!(number(&received_audio(&report("21b-lost-u32.ndjson.gz"))["loss_ratio"]) < 0.01);
    let negative = report("22-lost-negative.ndjson.gz");
    assert_eq!(
        (&received_audio(&negative)["loss_ratio"], &received_audio(&negative)["resets"]),
        (&0.0.into(), &0.into())
    );
    let constant = report("105-lost-static-negative.ndjson.gz");
    for stream in [received_audio(&constant), sent_audio(&constant)] {
        assert!(stream["loss_ratio"].is_null() && stream["packets_lost"].is_null());
    }
    assert_eq!(constant["inputs"][0]["bad_members"], serde_json::json!(["packetsLost"]));
}

#[test]
fn rating_is_not_excellent_beside_a_poor_score() {
    for case in ["21-garbage-rr.ndjson.gz", "86-seq-jump.ndjson.gz", "97-stale-ice-rtt.ndjson.gz"] {
        for interval in intervals(case) {
            let is_poor = interval["mos"].as_f64().is_some_and(|mos| mos < 3.1);
            assert!(!(is_poor && interval["rating"] == "excellent"), "{interval}");
        }
    }
}

#[test]
fn absurd_round_trips_are_unknown_by_any_way() {
    let absurd = report("84-rtt-absurd.ndjson.gz");
    assert!(!kinds(&absurd).contains(&"highRtt"));
    assert!(number(&absurd["fabrics"][0]["rtt_ms"]["rtcp"]["max"]) <= 60_000.0);
    assert_eq!(sent_audio(&absurd)["doubted"]["members"], serde_json::json!(["totalRoundTripTime"]));
    let negative = report("83-negative-rtt.ndjson.gz");
    assert!(kinds(&negative).is_empty());
    assert_eq!(sent_audio(&negative)["resets"], 0);
}

#[test]
fn round_trip_of_one_old_check_yields_to_rtcp() {
    let case = "97-stale-ice-rtt.ndjson.gz";
    assert!(text(case).contains("round trip (RTT) 400 ms"), "{}", text(case));
    assert_eq!(kinds(&report(case)), ["highRtt"]);
}

#[test]
fn loss_lowers_the_score_of_a_receiver_that_could_repair_it() {
    let case = "23-safari-no-rtt.ndjson.gz";
    assert!(number(&received_audio(&report(case))["score"]["mos"]) < 4.0);
    let text = text(case);
    assert!(text.contains("confidence low") && !text.contains("confidence medium"), "{text}");
}

#[test]
fn confidence_never_exceeds_the_band_beside_it() {
    for case in ["23-safari-no-rtt.ndjson.gz", "02-pion.ndjson.gz", "89-audio-zeros.ndjson.gz", "50-good.ndjson.gz"] {
        for line in text(case).lines().filter(|line| line.contains("confidence")) {
            let band = line.split_once('(').unwrap().1;
            let mut words = band.split([' ', ',']);
            let (low, high): (f64, f64) =
                (words.next().unwrap().parse().unwrap(), words.nth(1).unwrap().parse().unwrap());
            assert!(high - low < 1.5 || line.contains("confidence low"), "{line}");
            assert!(high - low < 0.8 || !line.contains("confidence high"), "{line}");
        }
    }
}

#[test]
fn members_that_are_null_now_and_then_mix_no_denominators() {
    let report = report("74-nulls.ndjson.gz");
    let stream = received_audio(&report);
    assert!((number(&stream["audio"]["concealed_ratio"]) - 0.02).abs() < 0.0005);
    assert!((number(&stream["loss_ratio"]) - 0.02).abs() < 0.002);
}

#[test]
fn losses_of_muted_time_are_in_no_headline() {
    let report = report("82-lost-while-muted.ndjson.gz");
    let stream = sent_audio(&report);
    assert_eq!(stream["loss_ratio"], 0.0);
    assert_eq!(report["uplink"]["loss_ratio"], 0.0);
    assert_eq!((&stream["packets_lost"], &stream["packets_lost_at_rest"]), (&0.into(), &1_000.into()));
    assert!(kinds(&report).is_empty());
}

#[test]
fn video_loss_leaves_out_retransmissions_everywhere() {
    let case = "truth-2-rtx-in-loss.ndjson";
    let report = report(case);
    let stream = stream(&report, "inbound", "video");
    for ratio in [&stream["loss_ratio"], &report["downlink"]["loss_ratio"], &intervals(case)[0]["loss_ratio"]] {
        assert_eq!(*ratio, 0.05);
    }
    assert_eq!((&stream["retransmitted_packets"], &stream["packets_expected"]), (&250.into(), &1_000.into()));
    let loss = report["diagnoses"].as_array().unwrap().iter().find(|one| one["kind"] == "highLoss").unwrap();
    assert!(loss["sentence"].as_str().is_none_or(|sentence| sentence.contains("5 %")), "{loss}");
    assert!(text(case).contains("lost 5 % of packets"));
}

#[test]
fn derived_values_have_the_rates_of_ecn() {
    let output = stdout(&["derived", &path("truth-7-ecn.ndjson")], b"");
    let all: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str, name: &str| all.iter().find(|line| line["id"] == id).unwrap()[name].clone();
    assert_eq!(of("I", "[packetsReceivedWithEct1/s]"), 50.0);
    assert_eq!(of("I", "[packetsReceivedWithCe/s]"), 2.0);
    assert_eq!(of("O", "[packetsSentWithEct1/s]"), 50.0);
}

#[test]
fn counter_that_falls_by_one_is_no_reset() {
    let report = report("attack-counter_falls_by_one.ndjson");
    let stream = received_audio(&report);
    assert_eq!((&stream["packets"], &stream["resets"]), (&2_899.into(), &0.into()));
    assert!((number(&stream["bitrate_bps"]) - 32_000.0).abs() < 1e-6);
    assert_eq!(stream["doubted"]["members"], serde_json::json!(["packetsReceived"]));
}

#[test]
fn absurd_packet_counts_are_left_out_of_sums() {
    let report = report("attack-packets_1e15.ndjson");
    assert!(number(&report["downlink"]["packets"]) < 3_000.0);
    assert_eq!(received_audio(&report)["doubted"]["members"], serde_json::json!(["packetsReceived"]));
}

#[test]
fn neighbours_of_the_doubted_cases_are_believed() {
    for case in [
        "34-video-jitter-seconds.ndjson.gz",
        "35-erl-chrome-default.ndjson.gz",
        "37-ssrc-zero-probator.ndjson.gz",
        "40-codec-switch.ndjson.gz",
        "63-unmute-jitter-realistic.ndjson.gz",
        "64-speaker-then-mute.ndjson.gz",
        "89-audio-zeros.ndjson.gz",
    ] {
        let report = report(case);
        let fabric = &report["fabrics"][0];
        for stream in fabric["streams"].as_array().unwrap() {
            assert!(stream["doubted"].is_null(), "{case}: {}", stream["doubted"]);
        }
        assert!(fabric["doubted"].is_null());
    }
}
