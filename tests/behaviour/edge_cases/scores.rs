//! Scores when streams pause, break, change their codec, or exist for only a part of the call.

use callgauge::emodel::scale;
use callgauge::report::Report;
use callgauge::score::{Cause, Tier};
use callgauge::summary::{GroupScore, StreamSummary};
use serde_json::{Value, json};

use super::{Call, entry, received_audio, received_video};

fn codec(id: &str, mime: &str) -> Value {
    json!({"id": id, "type": "codec", "timestamp": 1e6, "mimeType": mime})
}

/// The selected pair: packets that it has received.
fn pair(second: f64, received: u64) -> Value {
    json!({"id": "P", "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "selected": true, "nominated": true,
        "state": "succeeded", "packetsReceived": received})
}

/// Clean Opus at `second` after `media` seconds of media; the decoder conceals the rest.
fn opus(second: f64, media: f64) -> Value {
    let samples = |seconds: f64| (seconds * 1e3).round() * 48.0;
    received_audio(
        media,
        json!({"timestamp": 1e6 + second * 1e3, "packetsReceived": (media * 50.0).round(), "packetsLost": 0,
            "codecId": "C", "totalSamplesReceived": samples(second), "concealedSamples": samples(second - media)}),
    )
}

/// Audio with an outage between two seconds; `path` gives the packets that the pair has received by then.
fn interrupted(every_ms: usize, from: f64, to: f64, end: f64, path: impl Fn(f64) -> u64) -> StreamSummary {
    let mut call = Call::new();
    for ms in (0..=(end * 1e3) as u64).step_by(every_ms) {
        let second = ms as f64 / 1e3;
        let media = second.min(from) + (second - to).max(0.0);
        call.snapshot(&[opus(second, media), codec("C", "audio/opus"), pair(second, path(second))]);
    }
    call.stream()
}

/// Seconds that no sum includes.
fn missing_s(stream: &StreamSummary) -> f64 {
    let score = &stream.score;
    let why_not = score.no_speech_s + score.transition_s + score.unresolved_s + score.sender_idle_s + score.unscored_s;
    let rest = stream.muted_s + stream.held_s + stream.paused_s + stream.silent_s + stream.gap_s;
    stream.duration_s - score.active_s - why_not - rest
}

#[test]
fn unannounced_pause_differs_from_an_outage_by_other_traffic() {
    for every_ms in [100, 500, 1_000, 2_000, 5_000, 10_000] {
        // libwebrtc's checks; Firefox's; and a gap in the checks long after the pause was recognised.
        for heard_at in [
            |second: f64| second * 0.4,
            |second: f64| second * 0.2,
            |second: f64| second.min(30.0) + (second - 36.0).max(0.0),
        ] {
            let stream = interrupted(every_ms, 10.0, 50.0, 100.0, |second| heard_at(second) as u64 + 1);
            let score = &stream.score;
            assert_eq!((score.unresolved_s, score.below_3_1_ratio), (0.0, Some(0.0)), "at {every_ms} ms: {score:?}");
            assert!(
                score.sender_idle_s > 20.0 && score.sender_idle_s + score.transition_s > 39.0,
                "at {every_ms} ms: {score:?}"
            );
            assert!(missing_s(&stream).abs() < 0.001);
        }
        let out = |second: f64| ((second.min(10.0) + (second - 20.0).max(0.0)) * 50.0) as u64;
        let stream = interrupted(every_ms, 10.0, 20.0, 60.0, out);
        let score = &stream.score;
        assert_eq!((score.unresolved_s, score.sender_idle_s), (0.0, 0.0));
        assert!(score.below_3_1_ratio > Some(0.14), "at {every_ms} ms: {score:?}");
        assert!(score.active_s > 58.5 && missing_s(&stream).abs() < 0.001);
    }
}

#[test]
fn call_ending_in_an_outage_reports_the_unscored_time() {
    for every_ms in [100, 1_000, 5_000, 10_000] {
        let stream = interrupted(every_ms, 20.0, 99.0, 30.0, |second| (second.min(20.0) * 50.0) as u64);
        let score = &stream.score;
        assert!(
            (9.0..=20.0).contains(&score.unresolved_s) && missing_s(&stream).abs() < 0.001,
            "{every_ms}: {score:?}"
        );
    }
}

#[test]
fn stream_that_never_sent_has_no_outage() {
    let stream = interrupted(1_000, 0.0, 60.0, 90.0, |_| 0);
    let score = stream.score;
    assert_eq!((score.below_3_1_ratio, score.unresolved_s), (Some(0.0), 0.0), "{score:?}");
    assert!(score.sender_idle_s > 55.0 && score.active_s > 25.0);
}

fn below_after_outage(outage: f64) -> f64 {
    let mut call = Call::new();
    for second in 0..=60 {
        let second = f64::from(second);
        let media = second.min(10.0) + (second - 10.0 - outage).max(0.0);
        let lost = ((second - 20.0).max(0.0) * 10.0).round();
        let counters = json!({"packetsReceived": (media * 50.0).round() - lost, "packetsLost": lost, "codecId": "C",
            "totalSamplesReceived": null, "concealedSamples": null, "silentConcealedSamples": null,
            "totalAudioEnergy": null, "totalSamplesDuration": null, "bytesReceived": (media * 4e3).round()});
        call.snapshot(&[received_audio(second, counters), codec("C", "audio/opus")]);
    }
    let score = call.stream().score;
    assert_eq!(score.tier, Some(Tier::A3));
    score.below_3_1_ratio.unwrap()
}

#[test]
fn outage_hides_no_loss_without_concealment_counters() {
    assert!(
        below_after_outage(0.0) > 0.5 && below_after_outage(5.0) > below_after_outage(0.0),
        "{} {}",
        below_after_outage(0.0),
        below_after_outage(5.0)
    );
}

fn dtx_call(level: Value) -> StreamSummary {
    let mut call = Call::new();
    let (mut packets, mut bytes) = (0.0, 0.0);
    for second in 0..=120 {
        let talks = second % 30 < 10;
        if second > 0 {
            packets += if talks { 50.0 } else { 2.0 };
            bytes += if talks { 4_000.0 } else { 20.0 };
        }
        let counters = json!({"packetsReceived": packets, "packetsLost": 0, "bytesReceived": bytes, "codecId": "C",
            "concealedSamples": 0});
        call.snapshot(&[entry(received_audio(f64::from(second), counters), level.clone()), codec("C", "audio/opus")]);
    }
    call.stream()
}

#[test]
fn dtx_scores_as_silence_without_audio_levels() {
    let stream = dtx_call(json!({"totalAudioEnergy": null, "totalSamplesDuration": null}));
    assert!(stream.silent_s > 70.0 && stream.score.below_3_1_ratio == Some(0.0), "{:?}", stream.score);
    // The same packets, loud: speech, at any packet rate.
    assert!(dtx_call(json!({})).silent_s < 1.0);
}

fn mos_with_lost(lost: f64) -> f64 {
    let mut call = Call::new();
    for n in 0..=9 {
        let n = f64::from(n);
        // Five of ten seconds are a pause, and playout is silent then.
        let samples = (n * 240e3, n * 480e3);
        let counters = json!({"timestamp": 1e6 + n * 10e3, "packetsReceived": n * (250.0 - lost),
            "packetsLost": n * lost, "bytesReceived": n * 20e3, "codecId": "C", "concealedSamples": samples.0,
            "silentConcealedSamples": samples.0, "totalSamplesReceived": samples.1});
        call.snapshot(&[received_audio(n * 10.0, counters), codec("C", "audio/opus")]);
    }
    call.stream().score.mos.unwrap()
}

#[test]
fn one_lost_packet_does_not_turn_a_pause_into_a_gap() {
    assert!(
        mos_with_lost(0.0) - mos_with_lost(1.0) < 0.3 && mos_with_lost(0.0) > mos_with_lost(1.0),
        "{} {}",
        mos_with_lost(0.0),
        mos_with_lost(1.0)
    );
}

#[test]
fn outage_before_a_reset_counts_where_the_path_confirms_it() {
    for (path_returns_at, is_known) in [(19.0, true), (99.0, false)] {
        let mut call = Call::new();
        let mut ingest = |second: f64, media: f64, ssrc_again: Value| {
            let came = if second <= 10.0 || second >= path_returns_at { second * 50.0 } else { 500.0 };
            let audio = entry(opus(second, media), ssrc_again);
            call.snapshot(&[audio, codec("C", "audio/opus"), pair(second, came as u64)]);
        };
        for second in 0..=20 {
            let second = f64::from(second);
            ingest(second, second.min(10.0), json!({}));
        }
        for second in 21..=36 {
            // All counters restart at zero.
            let second = f64::from(second);
            ingest(
                second,
                second - 20.0,
                json!({"concealedSamples": 0, "totalSamplesReceived": (second - 20.0) * 48e3}),
            );
        }
        let stream = call.stream();
        assert_eq!(stream.resets, 1);
        let score = stream.score;
        if is_known {
            assert!(score.below_3_1_ratio > Some(0.15) && score.unresolved_s == 0.0, "{score:?}");
        } else {
            assert!(score.below_3_1_ratio == Some(0.0) && (9.0..=11.0).contains(&score.unresolved_s), "{score:?}");
        }
    }
}

fn mos_of_codec(id: &str, mime: &str, qp: u32) -> f64 {
    let mut call = Call::new();
    for second in 0..=10 {
        let size = json!({"codecId": id, "qpSum": qp * 25 * second, "frameWidth": 640, "frameHeight": 360});
        call.snapshot(&[received_video(f64::from(second), size), codec(id, mime)]);
    }
    call.stream().score.mos.unwrap()
}

#[test]
fn new_codec_is_not_scored_by_the_old_quantizers() {
    let mut call = Call::new();
    let mut worst = f64::MAX;
    for second in 0..=20 {
        // VP8 at 20 of 127, then AV1 at 60 of 255: both good. The time between belongs to no interval of either.
        let (id, qp_sum) = if second <= 10 { ("V", 500 * second) } else { ("A", 5_000 + 1_500 * (second - 10)) };
        let size = json!({"codecId": id, "qpSum": qp_sum, "frameWidth": 640, "frameHeight": 360});
        call.snapshot(&[received_video(f64::from(second), size), codec("V", "video/VP8"), codec("A", "video/AV1")]);
        worst = worst.min(call.stream().score.mos.unwrap_or(f64::MAX));
    }
    let (vp8, av1) = (mos_of_codec("V", "video/VP8", 20), mos_of_codec("A", "video/AV1", 60));
    assert!((vp8 - av1).abs() > 0.01, "the test would show nothing: {vp8} {av1}");
    assert!(worst >= vp8.min(av1) - 1e-9 && call.stream().score.mos.unwrap() <= vp8.max(av1) + 1e-9);
    assert_eq!(call.stream().score.unscored_s, 1.0);
}

/// A number of streams with bad audio and of streams with good video, and the duration of the latter.
fn group(sounds: u32, videos: u32, pictures_until: u32, qp: u32, concealed: f64) -> GroupScore {
    let mut call = Call::new();
    for second in 0..=300 {
        let at = f64::from(second);
        let mut entries = vec![codec("C", "audio/opus"), codec("V", "video/VP8")];
        for n in 0..sounds {
            let more =
                json!({"id": format!("A{n}"), "ssrc": 100 + n, "concealedSamples": (concealed * at * 48e3).round()});
            entries.push(entry(opus(at, at), more));
        }
        for n in (0..videos).filter(|_| second <= pictures_until) {
            let more = json!({"id": format!("V{n}"), "ssrc": 200 + n, "codecId": "V", "qpSum": qp * 25 * second,
                "frameWidth": 640, "frameHeight": 360});
            entries.push(received_video(at, more));
        }
        call.snapshot(&entries);
    }
    call.summary().score
}

#[test]
fn six_bad_video_seconds_do_not_outweigh_five_good_minutes() {
    let (short, long) = (group(1, 1, 6, 125, 0.0), group(1, 1, 300, 125, 0.0));
    let audio = short.audio.unwrap().mos.unwrap();
    assert!(long.mos.unwrap() < audio - 0.5, "{:?}", long.mos);
    // On the scale on which opinions may be averaged, 6 s of 300 s weigh a fiftieth.
    let rx = |mos: f64| scale::r_from_mos(mos).unwrap();
    let (lost_short, lost_long) = (rx(audio) - rx(short.mos.unwrap()), rx(audio) - rx(long.mos.unwrap()));
    assert!((lost_short / lost_long - 0.02).abs() < 0.002, "{lost_short} of {lost_long}");
}

#[test]
fn many_good_videos_do_not_outweigh_bad_audio() {
    let one = group(1, 1, 300, 20, 0.3);
    for (sounds, videos) in [(1, 3), (1, 9), (9, 1), (4, 4)] {
        let many = group(sounds, videos, 300, 20, 0.3);
        assert!((many.mos.unwrap() - one.mos.unwrap()).abs() < 1e-6, "{sounds} and {videos}: {:?}", many.mos);
        assert_eq!(many.cause, Some(Cause::Loss));
    }
}

#[test]
fn camera_and_shared_screen_have_no_common_score() {
    let mut call = Call::new();
    for second in 0..=10 {
        let at = f64::from(second);
        let size = json!({"codecId": "V", "frameWidth": 640, "frameHeight": 360});
        let screen = json!({"id": "IT01V10", "ssrc": 10, "contentType": "screenshare"});
        let camera = received_video(at, size);
        call.snapshot(&[entry(camera.clone(), screen), camera, codec("V", "video/VP8")]);
    }
    let summary = call.summary();
    assert!(summary.streams.iter().all(|stream| stream.score.scale.is_some()) && summary.streams.len() == 2);
    assert_eq!((summary.score.scale, summary.score.video.unwrap().scale), (None, None));
}

#[test]
fn frequently_restarted_stream_still_has_its_worst_seconds() {
    let mut call = Call::new();
    let mut of_this = 0.0;
    for second in 0..=60 {
        of_this = if second % 6 == 0 { 0.0 } else { of_this + 1.0 };
        // From 24 to 30 s two of five samples are concealed.
        let share = if (24..30).contains(&second) { 0.4 } else { 0.0 };
        let counters = json!({"timestamp": 1e6 + f64::from(second) * 1e3, "codecId": "C", "packetsLost": 0,
            "concealedSamples": share * of_this * 48e3});
        call.snapshot(&[received_audio(of_this, counters), codec("C", "audio/opus")]);
    }
    let stream = call.stream();
    assert_eq!(stream.resets, 10);
    let (worst, mean) = (stream.score.worst_10s.unwrap().mos, stream.score.mos.unwrap());
    assert!(worst < 2.1 && mean > 4.0, "{worst} {mean}");
}

#[test]
fn empty_report_changes_no_score() {
    let mut call = Call::new();
    for second in 0..=10 {
        let at = f64::from(second);
        call.snapshot(&[opus(at, at), codec("C", "audio/opus")]);
    }
    let before = call.stream().score.mos;
    call.conference.ingest(callgauge::unit::Timestamp::from_millis(60_000), call.fabric, &Report::new()).unwrap();
    assert!(before.is_some() && call.stream().score.mos == before);
}
