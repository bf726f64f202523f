//! Scores of other projects for a window of audio, with their defects, for comparison with callgauge, and the
//! statistics of a comparison.
//!
//! Every formula follows its project's code at the commit that [`Baseline::citation`] names; its comment lists its
//! defects, which are not repaired. Plain functions for one window of counters: smoothing over several polls is left
//! out, as every window here is scored alone.
#![allow(dead_code)] // no program needs all of it

pub(crate) mod issue_detector;
pub(crate) mod livekit;
pub(crate) mod observertc;
pub(crate) mod opentok;
pub(crate) mod rtcscore;
pub(crate) mod statistics;
pub(crate) mod telnyx;
pub(crate) mod twilio;

/// The getStats() figures of one received audio stream over a window. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Window {
    /// Round trip in milliseconds, mean.
    pub(crate) rtt_ms: Option<f64>,
    /// RFC 3550 jitter in milliseconds, mean.
    pub(crate) jitter_ms: Option<f64>,
    /// Lost packets as a share of lost and received packets, 0 to 1.
    pub(crate) loss_ratio: Option<f64>,
    /// Packets lost in the window. Below 0 when late packets took losses back.
    pub(crate) packets_lost: Option<f64>,
    /// Packets received in the window.
    pub(crate) packets_received: Option<f64>,
    /// Length of the window.
    pub(crate) seconds: f64,
    /// Received payload in bits per second.
    pub(crate) bitrate_bps: Option<f64>,
    /// Mean delay of the jitter buffer in milliseconds.
    pub(crate) buffer_ms: Option<f64>,
    /// Whether in-band FEC was negotiated.
    pub(crate) fec: bool,
    /// Whether redundancy (RFC 2198) was on the wire.
    pub(crate) red: bool,
    /// Whether discontinuous transmission was negotiated.
    pub(crate) dtx: bool,
    /// Concealed samples as a share of received samples, 0 to 1.
    pub(crate) concealed_ratio: Option<f64>,
}

impl Window {
    /// Loss in percent: the ratio, or else computed from the two counts. `None` without either, or without packets.
    pub(crate) fn loss_percent(&self) -> Option<f64> {
        let counted = || {
            let lost = self.packets_lost?;
            let all = lost + self.packets_received?;
            (all > 0.0).then(|| lost / all)
        };
        Some(100.0 * self.loss_ratio.or_else(counted)?)
    }

    /// Packets lost in the window: the count, or else computed from the ratio and the received packets.
    fn lost(&self) -> Option<f64> {
        let from_ratio = || {
            let ratio = self.loss_ratio.filter(|&ratio| ratio < 1.0)?;
            Some(self.packets_received? * ratio / (1.0 - ratio))
        };
        self.packets_lost.or_else(from_ratio)
    }
}

/// A project's score of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Baseline {
    pub(crate) name: &'static str,
    /// The project and the commit of the formula.
    pub(crate) citation: &'static str,
    /// The worst and the best score with a defined meaning in the project. Its results may lie outside.
    pub(crate) scale: (f64, f64),
    /// The project's score for the window. `None` where it shows nothing, and where loss is unknown.
    pub(crate) score: fn(&Window) -> Option<f64>,
}

/// Every score for comparison. Higher is better on all of them, as on callgauge's own.
pub(crate) static BASELINES: &[Baseline] = &[
    Baseline {
        name: "Twilio voice.js",
        citation: "twilio/twilio-voice.js@34709fe lib/twilio/rtc/mos.ts",
        scale: (1.0, 4.5),
        score: twilio::of_window,
    },
    Baseline {
        name: "Telnyx",
        citation: "team-telnyx/webrtc@3d8ccb5 utils/mos.ts",
        scale: (1.0, 5.0),
        score: telnyx::of_window,
    },
    Baseline {
        name: "Telnyx call report",
        citation: "team-telnyx/webrtc@3d8ccb5 CallReportCollector",
        scale: (1.0, 4.5),
        score: telnyx::call_report_of_window,
    },
    Baseline {
        name: "rtcscore unfixed",
        citation: "ggarber/rtcscore@c1c277c",
        scale: (1.0, 5.0),
        score: rtcscore::published_of_window,
    },
    Baseline {
        name: "rtcscore-go",
        citation: "livekit/rtcscore-go@6a6442e",
        scale: (1.0, 5.0),
        score: rtcscore::go_of_window,
    },
    Baseline {
        name: "LiveKit server",
        citation: "livekit/livekit@788d4c3 pkg/sfu/connectionquality",
        scale: (0.0, 100.0),
        score: livekit::of_window,
    },
    Baseline {
        name: "ObserveRTC default",
        citation: "ObserveRTC/client-monitor-js@20e8c4d src/scores/DefaultScoreCalculator.ts",
        scale: (0.0, 5.0),
        score: observertc::audio_of_window,
    },
    Baseline {
        name: "ObserveRTC latency MOS",
        citation: "ObserveRTC/client-monitor-js@20e8c4d src/scores/CalculatedScore.ts",
        scale: (1.0, 4.5),
        score: observertc::latency_of_window,
    },
    Baseline {
        name: "webrtc-issue-detector",
        citation: "VLprojects/webrtc-issue-detector@c21f383",
        scale: (0.0, 5.0),
        score: issue_detector::of_window,
    },
    Baseline {
        name: "OpenTok",
        citation: "opentok/opentok-network-test-js@5861efa subscriberMOS.ts",
        scale: (1.0, 4.5),
        score: opentok::of_window,
    },
    Baseline {
        name: "concealed ratio",
        citation: "concealedSamples / totalSamplesReceived, negated",
        scale: (-1.0, 0.0),
        score: |window| Some(-window.concealed_ratio?),
    },
    Baseline {
        name: "loss ratio",
        citation: "packetsLost / (packetsLost + packetsReceived), negated",
        scale: (-1.0, 0.0),
        score: |window| Some(-window.loss_percent()? / 100.0),
    },
];

/// The cubic of G.107 Annex B as other projects write it: for any R, without the ends at 0 and 100. It dips below 1 for
/// R between 0 and 6.5, rises again below 0 and falls above 100.
fn cubic(r: f64) -> f64 {
    1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6
}

/// The reduction of R by delay in the formula that PingPlotter popularised: two lines of an effective latency in
/// milliseconds.
fn two_lines(latency_ms: f64) -> f64 {
    if latency_ms < 160.0 { latency_ms / 40.0 } else { (latency_ms - 120.0) / 10.0 }
}

/// Idd as two lines after Cole and Rosenbluth (2001), from a one-way delay in milliseconds.
fn cole_rosenbluth_idd(delay_ms: f64) -> f64 {
    0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0)
}
