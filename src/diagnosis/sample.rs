//! The input of detectors: samples of a stream, of a sender and of a connection. It computes no metric.

use super::detector::Reading;
use crate::id::{StreamKey, UserId};
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::{Entry, Num, Text};
use crate::unit::{StatTime, Timestamp};

/// A sample of a stream that closed an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamSample<'a> {
    pub(crate) interval: &'a Interval,
    /// The stream's own entry.
    pub(crate) entry: Entry<'a>,
    /// The media source of a sent stream: camera, screen or microphone.
    pub(crate) source: Option<Entry<'a>>,
    /// The remote endpoint's report on the stream.
    pub(crate) remote: Option<Entry<'a>>,
    /// The user of the stream, if known.
    pub(crate) owner: Option<UserId>,
    /// Whether the application reports it as muted; `None` if the application never reports mutes.
    pub(crate) is_muted: Option<bool>,
    /// The remote endpoint sent a new report since the previous sample.
    pub(crate) has_new_report: bool,
    /// Time since its last report on any stream, ms, counting only time in which something was sent.
    pub(crate) rtcp_ms: Option<f64>,
    /// The level of the far end at the previous sample: the loudest received stream.
    pub(crate) far_level: Option<f64>,
}

impl<'a> StreamSample<'a> {
    /// A sample with only the stream's own figures.
    pub(crate) const fn new(interval: &'a Interval, entry: Entry<'a>) -> Self {
        Self {
            interval,
            entry,
            source: None,
            remote: None,
            owner: None,
            is_muted: None,
            has_new_report: false,
            rtcp_ms: None,
            far_level: None,
        }
    }

    pub(super) fn get(&self, metric: Metric) -> Option<f64> {
        self.interval.get(metric)
    }

    /// The reading if the stream is not measured.
    pub(super) fn rest(&self) -> Option<Reading> {
        match self.interval.state {
            // A short silence between words.
            IntervalState::Silent => Some(Reading::Unknown),
            _ => self.rest_unless_silent(),
        }
    }

    /// The same for detectors of silence.
    ///
    /// No diagnosis follows from a stream whose packets are not counted: only they show that it is on hold or paused.
    pub(super) fn rest_unless_silent(&self) -> Option<Reading> {
        match self.interval.state {
            IntervalState::Active | IntervalState::Silent if self.get(Metric::PacketRatePps).is_none() => {
                Some(Reading::Unknown)
            }
            IntervalState::Active | IntervalState::Silent => None,
            // A reset or a gap gives no information, and neither does a stream of a lost connection.
            IntervalState::Reset | IntervalState::Gap | IntervalState::Lost => Some(Reading::Unknown),
            IntervalState::Muted | IntervalState::Held | IntervalState::Paused => Some(Reading::Resting),
        }
    }

    pub(super) fn is_screen(&self) -> bool {
        self.entry.text(Text::ContentType) == Some("screenshare")
    }

    pub(super) fn source_frames_per_second(&self) -> Option<f64> {
        self.source?.get(Num::FramesPerSecond)
    }

    /// The time from capture to playout, between the sender's clock and the reporter's, ms.
    pub(super) fn lag_ms(&self) -> Option<f64> {
        Some(self.interval.at.as_millis() - self.entry.get(Num::EstimatedPlayoutTimestamp)?)
    }
}

/// The lag of playout after capture. Clock offsets cancel out between two streams of one sender.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Playing {
    pub(super) lag_ms: Option<f64>,
    /// The number of streams.
    pub(super) streams: u32,
    pub(super) rests: bool,
}

impl Playing {
    /// Adds a stream.
    pub(super) const fn add(&mut self, lag_ms: Option<f64>, rests: bool) {
        self.streams = self.streams.saturating_add(1);
        self.rests |= rests;
        self.lag_ms = lag_ms;
    }
}

/// Audio and video of one sender in a snapshot.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pair {
    pub(super) span_ms: f64,
    pub(super) sound: Playing,
    pub(super) picture: Playing,
    pub(super) stream: Option<StreamKey>,
}

/// Packets lost and expected in one snapshot, over all streams. Whole thousandths, so the order of streams does not
/// matter.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Losses {
    lost: u64,
    expected: u64,
    /// The remote endpoint counts lost packets and this one counts sent packets: not the same packets.
    pub(super) is_reported: bool,
    /// Some streams are resting.
    pub(super) rests: bool,
}

impl Losses {
    /// Adds a stream's packets.
    pub(super) fn add(&mut self, loss_ratio: f64, expected: f64) {
        // Positive; saturates.
        self.lost = self.lost.saturating_add((loss_ratio * expected * 1e3) as u64);
        self.expected = self.expected.saturating_add((expected * 1e3) as u64);
    }

    /// Adds a resting stream.
    pub(super) const fn rest(&mut self) {
        self.rests = true;
    }

    pub(super) fn packets(self) -> (f64, f64) {
        (self.lost as f64 / 1e3, self.expected as f64 / 1e3)
    }
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ConnectionPhase {
    /// The state is unknown.
    #[default]
    Unknown,
    /// It is being set up, or on hold.
    Coming,
    Up,
    /// It was up and is not any more.
    Lost,
    Over,
}

/// A sample of a whole fabric, after those of its streams.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionStatus {
    /// The time of the snapshot, on the reporter's clock.
    pub(crate) at: Option<StatTime>,
    /// The same on the caller's clock.
    pub(crate) now: Timestamp,
    /// How far the reporter's clock is ahead of the caller's, steps included, ms, plus a constant.
    pub(crate) ahead_ms: Option<f64>,
    /// The round trip by ICE, ms.
    pub(crate) ice_rtt_ms: Option<f64>,
    /// The number of round trips measured since the previous snapshot; `None` if they are not counted.
    pub(crate) rtt_samples: Option<f64>,
    /// The bandwidth estimate of congestion control.
    pub(crate) available_bps: Option<f64>,
    /// Connectivity checks since the last answered one.
    pub(crate) unanswered: Option<f64>,
    /// Whether anything arrived on the path since the previous snapshot, RTCP included.
    pub(crate) arrives: Option<bool>,
    pub(crate) connection: ConnectionPhase,
    /// How long it has been lost, ms.
    pub(crate) lost_ms: Option<f64>,
    /// How long the first path took to find, or has taken so far, ms.
    pub(crate) connects_ms: Option<f64>,
    /// It failed before it was set up; the time from the first checks, or the opening, until then, ms; whether DTLS
    /// failed; connectivity checks sent and answered.
    pub(crate) has_failed: bool,
    pub(crate) failed_after_ms: Option<f64>,
    pub(crate) is_dtls_failure: bool,
    pub(crate) checks: Option<[f64; 2]>,
    /// It failed after it was set up; the time since its last traffic, ms.
    pub(crate) has_dropped: bool,
    pub(crate) down_ms: Option<f64>,
    /// How often the path was lost, and how often it changed, in total.
    pub(crate) disruptions: u64,
    pub(crate) switches: u64,
    /// Packets pass a relay that is reached over TCP or TLS.
    pub(crate) relays_over_tcp: bool,
}

/// The flow in one direction.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Flow {
    /// Some streams should flow.
    pub(super) is_due: bool,
    /// Some streams are resting.
    pub(super) rests: bool,
    /// Packets passed.
    pub(super) passes: bool,
    /// Bits per second of video, whole; `None` without video that should flow.
    pub(super) video_bps: Option<u64>,
}

impl Flow {
    pub(super) fn video_bps(self) -> Option<f64> {
        self.video_bps.map(|bps| bps as f64)
    }
}

/// One snapshot over all streams.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionSample {
    /// Time since the previous snapshot, ms of the reporter's clock.
    pub(super) span_ms: f64,
    /// Much longer than the usual interval.
    pub(super) is_gap: bool,
    pub(super) fabric: ConnectionStatus,
    /// The round trip by ICE, or by RTCP if that is unknown, ms.
    pub(super) rtt_ms: Option<f64>,
    /// The longest round trip of any stream by RTCP, ms.
    pub(super) rtcp_rtt_ms: Option<f64>,
    pub(super) received: Flow,
    pub(super) sent: Flow,
    pub(super) received_losses: Losses,
    pub(super) sent_losses: Losses,
    /// Time since the last report of the remote endpoint, ms, counting only time in which something was sent; `None`
    /// before the first.
    pub(super) rtcp_ms: Option<f64>,
    /// The same for reports on sent media.
    pub(super) report_ms: Option<f64>,
    /// Time since the previous snapshot, ms of the caller's clock.
    pub(super) now_ms: f64,
    /// How far the reporter's clock is ahead of the caller's, plus a constant offset.
    pub(super) ahead_ms: f64,
}
