//! What one look at all streams of a fabric comes to.

use crate::unit::{StatTime, Timestamp};

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
    /// Since any report of the other end came in, ms in which something was sent; `None` before the first.
    pub(super) rtcp_ms: Option<f64>,
    /// The same of reports on what is sent.
    pub(super) report_ms: Option<f64>,
    /// Since the look before, ms of the caller's clock.
    pub(super) now_ms: f64,
    /// How far the reporter's clock is ahead of the caller's, give or take where they began.
    pub(super) ahead_ms: f64,
}
