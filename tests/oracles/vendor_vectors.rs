//! The reimplemented scores of other projects against the results of their own code.
//!
//! `fixtures/vectors/vendor_mos_vectors.csv`: 2 230 rows from running it. Inputs outside the rows have values of their
//! own here, from running the packages named beside them.

use std::collections::BTreeMap;

use crate::oracle::{BASELINES, Window, issue_detector, livekit, observertc, opentok, rtcscore, telnyx};

/// Rows of every formula. All of them hold, without exception.
const ROWS: [(&str, usize); 7] = [
    ("ObserveRTC calculateLatencyMOS", 126),
    ("livekit/rtcscore-go audio", 448),
    ("livekit/rtcscore-go video", 180),
    ("rtcscore(ggarber) audio", 1_134),
    ("rtcscore(ggarber) video", 90),
    ("telnyx utils/mos.ts", 126),
    ("twilio-voice.js", 126),
];

/// `name=value` pairs.
struct Inputs<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Inputs<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.split(';').map(|pair| pair.split_once('=').unwrap()).collect())
    }

    fn number(&self, name: &str) -> f64 {
        self.find(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn find(&self, name: &str) -> Option<f64> {
        Some(self.0.get(name)?.parse().unwrap())
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name) == Some(&value)
    }
}

/// The window that a row of audio describes.
fn window(inputs: &Inputs<'_>) -> Window {
    Window {
        rtt_ms: inputs.find("rtt_ms"),
        jitter_ms: inputs.find("jitter_ms"),
        loss_ratio: inputs.find("loss_pct").map(|percent| percent / 100.0),
        packets_lost: inputs.find("lost"),
        packets_received: inputs.find("received"),
        seconds: 8.0,
        bitrate_bps: inputs.find("bitrate_bps"),
        buffer_ms: inputs.find("buffer_ms").or_else(|| inputs.find("bufferDelay_ms")),
        fec: inputs.is("fec", "true") || inputs.is("cfg", "fec"),
        red: inputs.is("cfg", "red"),
        dtx: inputs.is("dtx", "true") || inputs.is("cfg", "dtx"),
        concealed_ratio: None,
    }
}

fn shown(name: &str, window: &Window) -> Option<f64> {
    let baseline = BASELINES.iter().find(|baseline| baseline.name == name).unwrap_or_else(|| panic!("no {name}"));
    (baseline.score)(window)
}

/// The formula of a row, by the names of [`ROWS`], and its result for the inputs.
fn computed(source: &str, inputs: &Inputs<'_>) -> (&'static str, f64) {
    let audio = |name| shown(name, &window(inputs)).unwrap();
    match source.split_once('@').unwrap() {
        ("twilio-voice.js", "34709fe") => ("twilio-voice.js", audio("Twilio voice.js")),
        ("telnyx utils/mos.ts", "3d8ccb5") => ("telnyx utils/mos.ts", audio("Telnyx")),
        ("ObserveRTC calculateLatencyMOS", "20e8c4d") => {
            ("ObserveRTC calculateLatencyMOS", audio("ObserveRTC latency MOS"))
        }
        ("rtcscore(ggarber)", "c1c277c audio") => ("rtcscore(ggarber) audio", audio("rtcscore unfixed")),
        ("rtcscore(ggarber)", "c1c277c video") => {
            let video = rtcscore::Video {
                bitrate_bps: inputs.number("bitrate_bps"),
                width: inputs.number("width"),
                height: inputs.number("height"),
                fps: inputs.number("frameRate"),
                expected_fps: inputs.number("expectedFrameRate"),
                rtt_ms: inputs.number("roundTripTime"),
                buffer_ms: inputs.number("bufferDelay"),
                codec: inputs.0["codec"],
            };
            ("rtcscore(ggarber) video", video.published())
        }
        ("livekit/rtcscore-go", _) if inputs.is("kind", "audio") => ("livekit/rtcscore-go audio", audio("rtcscore-go")),
        ("livekit/rtcscore-go", _) => {
            let (width, height) = inputs.0["res"].split_once('x').unwrap();
            let video = rtcscore::Video {
                bitrate_bps: inputs.number("bitrate_bps"),
                width: width.parse().unwrap(),
                height: height.parse().unwrap(),
                fps: inputs.number("fps"),
                expected_fps: inputs.number("expfps"),
                rtt_ms: inputs.number("rtt_ms"),
                buffer_ms: inputs.number("buffer_ms"),
                codec: inputs.0["cfg"],
            };
            ("livekit/rtcscore-go video", video.go())
        }
        _ => panic!("a formula that this test does not know: {source}"),
    }
}

/// Half a unit of the last printed digit, plus the error of a decimal that lies on a half.
fn tolerance(printed: &str) -> f64 {
    let digits = printed.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    0.5 * 0.1_f64.powi(digits as i32) + 1e-9
}

#[test]
fn scores_match_every_value_of_the_real_code() {
    let text = crate::common::text("vectors/vendor_mos_vectors.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("source,inputs,expected_R,expected_MOS"));
    let mut held = BTreeMap::new();
    let mut off = Vec::new();
    for line in lines {
        let [source, inputs, "", expected] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (formula, mos) = computed(source, &Inputs::of(inputs));
        if (mos - expected.parse::<f64>().unwrap()).abs() <= tolerance(expected) {
            *held.entry(formula).or_insert(0) += 1;
        } else {
            off.push(format!("{mos}: {line}"));
        }
    }
    assert!(off.is_empty(), "{} rows, first {:#?}", off.len(), &off[..off.len().min(20)]);
    assert_eq!(held.into_iter().collect::<Vec<_>>(), ROWS);
    assert_eq!(ROWS.iter().map(|(_, rows)| rows).sum::<usize>(), 2_230);
}

#[test]
fn values_beyond_the_rows_match_the_packages() {
    let near = |value: f64, expected: f64| assert!((value - expected).abs() <= 1e-9, "{value}, not {expected}");

    // webrtc-issue-detector 1.17.3, `calculateMOS`: round trip, jitter, loss.
    for (rtt_ms, jitter_ms, loss_percent, mos) in [
        (0.0, 0.0, 0.0, 4.404394368375001),
        (50.0, 10.0, 2.0, 4.235165304000001),
        (149.0, 0.0, 0.0, 4.319553277140625),
        (150.0, 0.0, 0.0, 4.318910784),
        (300.0, 30.0, 5.0, 2.8752279490000006),
        (100.0, 5.0, 20.0, 2.073811144),
        (0.0, 0.0, 38.0, 1.019117105875),
        (0.0, 0.0, 45.0, 1.6172212121249996),
        (0.0, 0.0, 60.0, 5.0),
    ] {
        near(issue_detector::mos(rtt_ms, jitter_ms, loss_percent), mos);
    }

    // @observertc/client-monitor-js 4.0.3, `DefaultScoreCalculator`, audio: bitrate, losses of the poll.
    for (bitrate_bps, lost, score) in [
        (32e3, 0.0, 5.0),
        (24e3, 0.0, 4.14),
        (64e3, 1.0, 4.29),
        (32e3, 2.0, 1.84),
        (30e3, 5.0, 0.39),
        (5e3, 0.0, 0.0),
        (28e3, 0.5, 3.58),
    ] {
        near(observertc::audio_score(bitrate_bps, lost).unwrap(), score);
    }
    // The same, stability: round trip, loss ratio.
    for (rtt_ms, loss_ratio, score) in [
        (100.0, 0.0, 5.0),
        (150.0, 0.01, 5.0),
        (200.0, 0.0, 4.0),
        (301.0, 0.02, 2.0),
        (100.0, 0.05, 3.0),
        (400.0, 0.1, 1.0),
    ] {
        near(observertc::stability(rtt_ms, loss_ratio), score);
    }
    // The same, video of a steady frame rate: dropped ratio, corruption.
    for (dropped_ratio, corruption, score) in
        [(0.0, 0.0, 5.0), (0.15, 0.0, 4.0), (0.2, 0.0, 5.0), (0.3, 0.0, 3.0), (0.0, 0.4, 4.2), (0.3, 0.9, 1.2)]
    {
        near(observertc::video_score(1.0, dropped_ratio, corruption), score);
    }
    // The same, `calculateLatencyMOS` beyond the rows: loss.
    for (loss_percent, mos) in [(45.0, 1.6172212121249996), (60.0, 6.344382243375), (70.0, 12.981057305875)] {
        near(observertc::latency_mos(0.0, 0.0, loss_percent), mos);
    }

    // opentok-network-test-js 3.1.6, `calculateAudioScore`: lost, received.
    for (lost, received, mos) in [
        (0.0, 400.0, 4.302757341720992),
        (4.0, 396.0, 4.146915746687397),
        (20.0, 380.0, 3.6231344724202543),
        (40.0, 360.0, 3.1662363367572857),
        (80.0, 320.0, 2.5867857519196895),
        (200.0, 200.0, 1.7758644360954257),
        (400.0, 0.0, 1.2754337916393645),
        (0.0, 0.0, 1.0),
        (-1.0, 400.0, 4.302757341720992),
    ] {
        let window = Window { packets_lost: Some(lost), packets_received: Some(received), ..Window::default() };
        near(shown("OpenTok", &window).unwrap(), mos);
    }
    // The same, `calculateVideoScore`: bitrate, width, height.
    for (bitrate_bps, width, height, mos) in [
        (20e3, 640.0, 480.0, 1.0),
        (100e3, 320.0, 240.0, 2.8987094898341823),
        (300e3, 640.0, 480.0, 3.6283910974440308),
        (500e3, 1_280.0, 720.0, 3.652241249701165),
        (1.5e6, 1_280.0, 720.0, 4.5),
        (3e6, 640.0, 480.0, 4.5),
    ] {
        near(opentok::video_mos(bitrate_bps, width * height), mos);
    }

    // @telnyx/webrtc 2.27.10, the MOS for the warnings of `CallReportCollector`: round trip, jitter, loss.
    for (rtt_ms, jitter_ms, loss_percent, mos) in [
        (0.0, 0.0, 0.0, 4.409285824),
        (50.0, 10.0, 2.0, 4.247073928000001),
        (300.0, 30.0, 5.0, 3.7959877120000005),
        (100.0, 5.0, 20.0, 2.1455808551250004),
        (600.0, 0.0, 40.0, 1.287780864),
    ] {
        near(telnyx::call_report(rtt_ms, jitter_ms, loss_percent), mos);
    }
    // The same, before a call: no number without packets.
    near(telnyx::mos(0.0, 0.0, 85.0, 15.0).unwrap(), 1.9551627120565556);
    assert_eq!(telnyx::mos(0.0, 0.0, 0.0, 0.0), None);
}

#[test]
fn livekit_server_scores_a_connection_by_its_landmarks() {
    // Good begins below 80: without FEC at 2.5 % loss of Opus and at 5 % of RED.
    assert_eq!(livekit::packet_score(0.0, 0.0, 2.5, livekit::loss_weight(false, false)), 80.0);
    assert_eq!(livekit::packet_score(0.0, 0.0, 5.0, livekit::loss_weight(true, false)), 80.0);
    // FEC allows half as much again.
    assert!((livekit::packet_score(0.0, 0.0, 3.75, livekit::loss_weight(false, true)) - 80.0).abs() < 1e-9);
    // Half of the round trip and twice the jitter: 160 ms cost 4, each further 10 ms cost 1.
    assert_eq!(livekit::packet_score(200.0, 30.0, 0.0, 8.0), 96.0);
    assert_eq!(livekit::packet_score(220.0, 30.0, 0.0, 8.0), 95.0);
    assert_eq!(livekit::packet_score(0.0, 0.0, 50.0, 8.0), 0.0);
}

#[test]
fn published_rtcscore_fault_is_reproduced_and_fixed_in_the_port() {
    // Ie of 32 kbit/s, 5 % loss and a buffer of 40 ms, while the round trip grows.
    let at = |rtt_ms| Window {
        rtt_ms: Some(rtt_ms),
        loss_ratio: Some(0.05),
        bitrate_bps: Some(32e3),
        buffer_ms: Some(40.0),
        ..Window::default()
    };
    let published = |rtt_ms| shown("rtcscore unfixed", &at(rtt_ms)).unwrap();
    let port = |rtt_ms| shown("rtcscore-go", &at(rtt_ms)).unwrap();
    assert!(published(100.0) < 3.2, "{}", published(100.0));
    assert_eq!(published(250.0), 4.5);
    assert_eq!(published(100.0), port(100.0));
    assert!(port(250.0) < port(100.0));
}

#[test]
fn window_of_unknowns_has_no_score() {
    let empty = Window { seconds: 8.0, ..Window::default() };
    for baseline in BASELINES {
        assert_eq!((baseline.score)(&empty), None, "{}", baseline.name);
    }
}

#[test]
fn more_loss_lowers_every_score_within_a_few_percent() {
    // Beyond that some scores turn round; their comments say so.
    let of = |loss_ratio: f64| Window {
        rtt_ms: Some(40.0),
        jitter_ms: Some(5.0),
        loss_ratio: Some(loss_ratio),
        packets_lost: Some(400.0 * loss_ratio),
        packets_received: Some(400.0 * (1.0 - loss_ratio)),
        seconds: 8.0,
        bitrate_bps: Some(30e3),
        buffer_ms: Some(60.0),
        concealed_ratio: Some(loss_ratio),
        ..Window::default()
    };
    for baseline in BASELINES {
        let scores: Vec<f64> =
            (0..8).map(|percent| (baseline.score)(&of(f64::from(percent) / 100.0)).unwrap()).collect();
        assert!(scores.windows(2).all(|pair| pair[1] < pair[0]), "{} {scores:?}", baseline.name);
        let (worst, best) = baseline.scale;
        assert!(scores.iter().all(|score| (worst..=best).contains(score)), "{} {scores:?}", baseline.name);
    }
}
