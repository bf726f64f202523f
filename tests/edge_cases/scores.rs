//! What a score is made of when streams pause, break, change their codec, or are there for a part of the call.

use callgauge::report::Report;
use callgauge::score::emodel::scale;
use callgauge::summary::StreamSummary;
use serde_json::{Value, json};

use super::{Call, entry, pictures, sound};

fn codec(id: &str, mime: &str) -> Value {
    json!({"id": id, "type": "codec", "timestamp": 1e6, "mimeType": mime})
}

/// The pair in use: what it has received, in packets.
fn pair(second: f64, received: u64) -> Value {
    json!({"id": "P", "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "selected": true, "nominated": true,
        "state": "succeeded", "packetsReceived": received})
}

/// Clean Opus for `media` seconds, at `second`; what the decoder makes up meanwhile is concealed.
fn opus(second: f64, media: f64) -> Value {
    let samples = |seconds: f64| (seconds * 1e3).round() * 48.0;
    sound(
        media,
        json!({"timestamp": 1e6 + second * 1e3, "packetsReceived": (media * 50.0).round(), "packetsLost": 0,
            "codecId": "C", "totalSamplesReceived": samples(second), "concealedSamples": samples(second - media)}),
    )
}

/// Ten seconds of sound, ten in which none comes, ten of sound; `path` says what the pair has received by then.
fn interrupted(every_ms: usize, path: impl Fn(f64) -> u64) -> StreamSummary {
    let mut call = Call::new();
    for ms in (0..=30_000_u64).step_by(every_ms) {
        let second = ms as f64 / 1e3;
        let media = second.min(10.0) + (second - 20.0).max(0.0);
        call.look(&[opus(second, media), codec("C", "audio/opus"), pair(second, path(second))]);
    }
    call.stream()
}

#[test]
fn who_pauses_and_does_not_say_so_is_told_from_an_outage_by_what_else_comes() {
    for every_ms in [100, 500, 1_000] {
        let checks_go_on = interrupted(every_ms, |second| (second * 0.4) as u64 + 1);
        let score = &checks_go_on.score;
        assert_eq!((score.undecided_s, score.below_3_1_ratio), (0.0, Some(0.0)), "at {every_ms} ms: {score:?}");
        assert!(score.idle_s > 5.0 && score.idle_s + score.rest_edges_s > 9.0, "at {every_ms} ms: {score:?}");

        let nothing_comes =
            interrupted(every_ms, |second| ((second.min(10.0) + (second - 20.0).max(0.0)) * 50.0) as u64);
        let score = &nothing_comes.score;
        assert_eq!((score.undecided_s, score.idle_s), (0.0, 0.0));
        assert!(score.below_3_1_ratio > Some(0.3), "at {every_ms} ms: {score:?}");
        assert!((score.active_s - 30.0).abs() < 1.5);
    }
}

#[test]
fn an_outage_after_which_counters_begin_anew_counts_where_the_path_shows_that_it_was_one() {
    for (path_returns_at, is_known) in [(15.0, true), (99.0, false)] {
        let mut call = Call::new();
        let mut look = |second: f64, media: f64, ssrc_again: Value| {
            let came = if second <= 10.0 || second >= path_returns_at { second * 50.0 } else { 500.0 };
            let sound = entry(opus(second, media), ssrc_again);
            call.look(&[sound, codec("C", "audio/opus"), pair(second, came as u64)]);
        };
        for second in 0..=16 {
            let second = f64::from(second);
            look(second, second.min(10.0), json!({}));
        }
        for second in 17..=30 {
            // Everything counts from zero again.
            let second = f64::from(second);
            look(second, second - 16.0, json!({"concealedSamples": 0, "totalSamplesReceived": (second - 16.0) * 48e3}));
        }
        let stream = call.stream();
        assert_eq!(stream.resets, 1);
        let score = stream.score;
        if is_known {
            assert!(score.below_3_1_ratio > Some(0.15) && score.undecided_s == 0.0, "{score:?}");
        } else {
            assert!(score.below_3_1_ratio == Some(0.0) && (5.0..=7.0).contains(&score.undecided_s), "{score:?}");
        }
    }
}

#[test]
fn another_codec_is_not_judged_by_the_quantizers_of_the_old_one() {
    let mut call = Call::new();
    let mut worst = f64::MAX;
    for second in 0..=20 {
        // VP8 at 20 of 127, then AV1 at 60 of 255: both good. What lies between is no interval of either.
        let (id, qp_sum) = if second <= 10 { ("V", 500 * second) } else { ("A", 5_000 + 1_500 * (second - 10)) };
        let size = json!({"codecId": id, "qpSum": qp_sum, "frameWidth": 640, "frameHeight": 360});
        call.look(&[pictures(f64::from(second), size), codec("V", "video/VP8"), codec("A", "video/AV1")]);
        worst = worst.min(call.stream().score.mos.unwrap_or(f64::MAX));
    }
    let alone = |id: &str, mime: &str, qp: u32| {
        let mut call = Call::new();
        for second in 0..=10 {
            let size = json!({"codecId": id, "qpSum": qp * 25 * second, "frameWidth": 640, "frameHeight": 360});
            call.look(&[pictures(f64::from(second), size), codec(id, mime)]);
        }
        call.stream().score.mos.unwrap()
    };
    let (vp8, av1) = (alone("V", "video/VP8", 20), alone("A", "video/AV1", 60));
    assert!((vp8 - av1).abs() > 0.01, "the test would show nothing: {vp8} {av1}");
    assert!(worst >= vp8.min(av1) - 1e-9 && call.stream().score.mos.unwrap() <= vp8.max(av1) + 1e-9);
    assert_eq!(call.stream().score.unscored_s, 1.0);
}

#[test]
fn six_seconds_of_bad_pictures_do_not_decide_ten_minutes_of_good_sound() {
    let group = |pictures_until: u32| {
        let mut call = Call::new();
        for second in 0..=600 {
            let at = f64::from(second);
            let mut entries = vec![opus(at, at), codec("C", "audio/opus"), codec("V", "video/VP8")];
            if second <= pictures_until {
                let size = json!({"codecId": "V", "qpSum": 125 * 25 * second, "frameWidth": 640, "frameHeight": 360});
                entries.push(pictures(at, size));
            }
            call.look(&entries);
        }
        call.summary().score
    };
    let (short, long) = (group(6), group(600));
    let sound = short.audio.unwrap().mos.unwrap();
    assert!(long.mos.unwrap() < sound - 0.5, "{:?}", long.mos);
    // On the scale on which opinions may be averaged, 6 s of 600 take a hundredth of what 600 s do.
    let rx = |mos: f64| scale::r_from_mos(mos).unwrap();
    let (lost_short, lost_long) = (rx(sound) - rx(short.mos.unwrap()), rx(sound) - rx(long.mos.unwrap()));
    assert!((lost_short / lost_long - 0.01).abs() < 0.002, "{lost_short} of {lost_long}");
}

#[test]
fn pictures_and_a_shared_screen_come_to_no_number_with_a_scale() {
    let mut call = Call::new();
    for second in 0..=10 {
        let at = f64::from(second);
        let size = json!({"codecId": "V", "frameWidth": 640, "frameHeight": 360});
        let screen = json!({"id": "IT01V10", "ssrc": 10, "contentType": "screenshare"});
        let camera = pictures(at, size);
        call.look(&[entry(camera.clone(), screen), camera, codec("V", "video/VP8")]);
    }
    let summary = call.summary();
    assert!(summary.streams.iter().all(|stream| stream.score.scale.is_some()) && summary.streams.len() == 2);
    assert_eq!((summary.score.scale, summary.score.video.unwrap().scale), (None, None));
}

#[test]
fn a_stream_that_restarts_every_few_seconds_has_its_worst_ones_all_the_same() {
    let mut call = Call::new();
    let mut of_this = 0.0;
    for second in 0..=60 {
        of_this = if second % 6 == 0 { 0.0 } else { of_this + 1.0 };
        // From 24 to 30 s two samples of five are concealed.
        let share = if (24..30).contains(&second) { 0.4 } else { 0.0 };
        let counters = json!({"timestamp": 1e6 + f64::from(second) * 1e3, "codecId": "C", "packetsLost": 0,
            "concealedSamples": share * of_this * 48e3});
        call.look(&[sound(of_this, counters), codec("C", "audio/opus")]);
    }
    let stream = call.stream();
    assert_eq!(stream.resets, 10);
    let (worst, mean) = (stream.score.worst_10s.unwrap().mos, stream.score.mos.unwrap());
    assert!(worst < 2.1 && mean > 4.0, "{worst} {mean}");
}

#[test]
fn a_report_that_is_empty_changes_no_score() {
    let mut call = Call::new();
    for second in 0..=10 {
        let at = f64::from(second);
        call.look(&[opus(at, at), codec("C", "audio/opus")]);
    }
    let before = call.stream().score.mos;
    call.conference.ingest(callgauge::unit::Timestamp::from_millis(60_000), call.fabric, &Report::new()).unwrap();
    assert!(before.is_some() && call.stream().score.mos == before);
}
