//! What detectors see: samples of a stream, of a sender and of a connection.

use super::detector::Reading;
use crate::id::{StreamKey, UserId};
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::{Entry, Num, Text};
use crate::unit::{StatTime, Timestamp};

/// A look at a stream that closed an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamSample<'a> {
    pub(crate) interval: &'a Interval,
    /// The stream's own entry.
    pub(crate) entry: Entry<'a>,
    /// What is filmed, shared or said, of a stream that is sent.
    pub(crate) source: Option<Entry<'a>>,
    /// What the other end says of it.
    pub(crate) remote: Option<Entry<'a>>,
    /// Whose it is, where somebody said.
    pub(crate) owner: Option<UserId>,
    /// Whether it is muted by the application's word; `None` where the application never tells of mutes.
    pub(crate) is_muted: Option<bool>,
    /// The other end said something new since the look before.
    pub(crate) has_news: bool,
    /// Since it said anything of any stream, ms in which something was sent.
    pub(crate) rtcp_ms: Option<f64>,
    /// How loud the far end was at the look before: the loudest of what is received.
    pub(crate) far_level: Option<f64>,
}

impl<'a> StreamSample<'a> {
    /// A look at nothing but the stream's own figures.
    pub(crate) const fn new(interval: &'a Interval, entry: Entry<'a>) -> Self {
        Self {
            interval,
            entry,
            source: None,
            remote: None,
            owner: None,
            is_muted: None,
            has_news: false,
            rtcp_ms: None,
            far_level: None,
        }
    }

    pub(super) fn get(&self, metric: Metric) -> Option<f64> {
        self.interval.get(metric)
    }

    /// What to read where the stream is not measured.
    pub(super) const fn rest(&self) -> Option<Reading> {
        match self.interval.state {
            // The talker goes on in a moment.
            IntervalState::Silent => Some(Reading::Unknown),
            _ => self.rest_unless_silent(),
        }
    }

    /// The same where it is silence that is looked for.
    pub(super) const fn rest_unless_silent(&self) -> Option<Reading> {
        match self.interval.state {
            IntervalState::Active | IntervalState::Silent => None,
            // A reset or a gap says nothing.
            IntervalState::Reset | IntervalState::Gap => Some(Reading::Unknown),
            IntervalState::Muted | IntervalState::Held | IntervalState::Paused => Some(Reading::Resting),
        }
    }

    pub(super) fn is_screen(&self) -> bool {
        self.entry.text(Text::ContentType) == Some("screenshare")
    }

    pub(super) fn source_frames_per_second(&self) -> Option<f64> {
        self.source?.get(Num::FramesPerSecond)
    }

    /// How long ago what is played was captured, by the reporter's clock and the sender's, ms.
    pub(super) fn lag_ms(&self) -> Option<f64> {
        Some(self.interval.at.as_millis() - self.entry.get(Num::EstimatedPlayoutTimestamp)?)
    }
}

/// When something is played, after it was captured. Clocks cancel out between two of one sender.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Playing {
    pub(super) lag_ms: Option<f64>,
    /// How many streams there are.
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

/// The sound and the picture of one sender in a look.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pair {
    pub(super) span_ms: f64,
    pub(super) sound: Playing,
    pub(super) picture: Playing,
    pub(super) stream: Option<StreamKey>,
}

/// Packets lost and expected in one look, over all streams. Whole thousandths, so that no order of streams matters.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Losses {
    lost: u64,
    expected: u64,
    /// The other end counts what is lost, and this one what is sent: not of the same packets.
    pub(super) is_reported: bool,
    /// There are streams that rest.
    pub(super) rests: bool,
}

impl Losses {
    /// Adds a stream's.
    pub(super) fn add(&mut self, loss_ratio: f64, expected: f64) {
        // Positive; saturates.
        self.lost = self.lost.saturating_add((loss_ratio * expected * 1e3) as u64);
        self.expected = self.expected.saturating_add((expected * 1e3) as u64);
    }

    /// Adds a stream that rests.
    pub(super) const fn rest(&mut self) {
        self.rests = true;
    }

    pub(super) fn packets(self) -> (f64, f64) {
        (self.lost as f64 / 1e3, self.expected as f64 / 1e3)
    }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Connection {
    /// Nothing tells.
    #[default]
    Unknown,
    /// It is being set up, or on hold.
    Coming,
    Up,
    /// It was up and is not any more.
    Lost,
    Over,
}

/// A look at a whole fabric, after those at its streams.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionStatus {
    /// The time of the snapshot, on the reporter's clock.
    pub(crate) at: Option<StatTime>,
    /// The same on the caller's.
    pub(crate) now: Timestamp,
    /// The round trip by ICE, ms.
    pub(crate) ice_rtt_ms: Option<f64>,
    /// How many of them were measured since the look before; `None` where they are not counted.
    pub(crate) rtt_samples: Option<f64>,
    /// What congestion control believes that can be sent.
    pub(crate) available_bps: Option<f64>,
    /// Checks of the path since the last one that was answered.
    pub(crate) unanswered: Option<f64>,
    /// Whether anything came by the path since the look before, RTCP included.
    pub(crate) arrives: Option<bool>,
    pub(crate) connection: Connection,
    /// For how long it has been lost, ms.
    pub(crate) lost_ms: Option<f64>,
    /// How long it took to find a path at first, or has taken so far, ms.
    pub(crate) connects_ms: Option<f64>,
    /// It failed before a path was found.
    pub(crate) has_failed: bool,
    /// How often the path was lost, and how often it became another one, in all.
    pub(crate) disruptions: u64,
    pub(crate) switches: u64,
    /// Packets take the way of a relay that is reached by TCP or TLS.
    pub(crate) relays_over_tcp: bool,
}

/// What flows in one direction.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Flow {
    /// There are streams that should flow.
    pub(super) is_due: bool,
    /// There are streams that rest.
    pub(super) rests: bool,
    /// Packets passed.
    pub(super) passes: bool,
    /// Bits per second of video, whole; `None` where there is no video that should flow.
    pub(super) video_bps: Option<u64>,
}

impl Flow {
    pub(super) fn video_bps(self) -> Option<f64> {
        self.video_bps.map(|bps| bps as f64)
    }
}

/// What one look at all streams came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionSample {
    /// Since the look before, ms of the reporter's clock.
    pub(super) span_ms: f64,
    /// Much longer than looks are apart here.
    pub(super) is_gap: bool,
    pub(super) fabric: ConnectionStatus,
    /// The round trip by ICE, or where that is not known by RTCP, ms.
    pub(super) rtt_ms: Option<f64>,
    /// The longest of any stream by RTCP, ms.
    pub(super) rtcp_rtt_ms: Option<f64>,
    pub(super) received: Flow,
    pub(super) sent: Flow,
    pub(super) received_losses: Losses,
    pub(super) sent_losses: Losses,
    /// Since any report of the other end came in, ms in which something was sent; `None` before the first.
    pub(super) rtcp_ms: Option<f64>,
    /// The same of reports on what is sent.
    pub(super) report_ms: Option<f64>,
    /// Since the look before, ms of the caller's clock.
    pub(super) now_ms: f64,
    /// How far the reporter's clock is ahead of the caller's, give or take where they began.
    pub(super) ahead_ms: f64,
}
