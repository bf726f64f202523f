//! What a caller may choose for a fleet.

use alloc::string::String;
use core::time::Duration;

use crate::config::{Config, limits, micros};

limits! {
    /// How much a fleet keeps. Beyond a limit nothing that is known is lost: what is new is refused, and counted. What
    /// each conference keeps is bounded by its own [`Limits`](crate::Limits).
    ///
    /// At most, whatever is put in, a fleet takes what [`Limits`](crate::Limits) say of one conference with its summary,
    /// for each of [`conferences`](Self::conferences) and one more; a summary for each of
    /// [`pending_summaries`](Self::pending_summaries); and for each of [`windows`](Self::windows), and each
    /// [label](Self::labels) in it, up to 300 KB when all their distributions are full, a few KB for a few calls. Windows
    /// are more only if nobody polls, by one for each conference that is known then. Four conferences within
    /// [`Limits::sdk`](crate::Limits::sdk), two summaries, two windows and 32 labels stay within 64 MiB
    /// (`tests/memory.rs`). Within the defaults one client may fill one conference with 352 MiB: who holds many lowers
    /// [`Limits`](crate::Limits), [`streams`](crate::Limits::with_streams) first.
    FleetLimits
    conferences with_conferences 131_072
        /// How many conferences may be known at a time, those that ended and wait for their grace to pass among them.
        ;
    pending_summaries with_pending_summaries 1_024
        /// From how many summaries on that nobody [polled](crate::Fleet::poll_ended) new conferences and new instances
        /// are refused; 0 refuses all. Those that are known go on, and their summaries are kept.
        ;
    windows with_windows 64
        /// From how many windows on whose rollups nobody [polled](crate::Fleet::poll_rollup) new conferences and new
        /// instances are refused; 0 refuses all. Those that are known go on, and count in the windows of their ends.
        ;
    labels with_labels 1_024
        /// How many different labels may be in use at a time, in all conferences and windows together. A label that is in
        /// use may be had by anybody. One that nobody has may be brought while more are left than its conference brought
        /// before, of which each earlier instance counts as
        /// [`labels_per_conference`](Self::labels_per_conference), as far as windows that wait to be polled have so many:
        /// whatever one conference does, half of what it finds is left to others. Who may open many conferences, by ids of
        /// their choosing, may still take all of them.
        ;
    labels_per_conference with_labels_per_conference 16
        /// How many labels one conference may have. Those of an instance are its own.
        ;
    label_bytes with_label_bytes 128
        /// How long a label may be, in bytes: its key, its value and what stands between. A longer one is refused, not
        /// cut.
        ;
}

/// How a fleet is to be run.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    pub(super) conference: Config,
    pub(super) limits: FleetLimits,
    pub(super) shard: String,
    window_micros: u64,
    grace_micros: u64,
}

/// A window lasts as long unless a caller says otherwise, and a grace half of it, µs: a choice of this engine.
const MINUTE: u64 = 60_000_000;

impl FleetConfig {
    /// The defaults: windows of a minute, a grace of 30 s, a shard without a name.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            conference: Config::new(),
            limits: FleetLimits::new(),
            shard: String::new(),
            window_micros: MINUTE,
            grace_micros: MINUTE / 2,
        }
    }

    /// How each conference is measured. [`Config::with_reopening`] does nothing here: what comes after the end belongs
    /// to the next instance.
    #[must_use]
    pub fn with_conference(mut self, config: Config) -> Self {
        self.conference = config;
        self
    }

    /// Other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: FleetLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The name of this fleet among those whose rollups are merged. Another for each, and another when one is started
    /// anew.
    #[must_use]
    pub fn with_shard(mut self, shard: &str) -> Self {
        self.shard = shard.into();
        self
    }

    /// How long a window of rollups is; no shorter than a second. Windows are counted from the epoch of the caller's
    /// clock.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        let micros = micros(window);
        self.window_micros = if micros < 1_000_000 { 1_000_000 } else { micros };
        self
    }

    /// How long a conference that ended is kept for feedback and edits ([`Fleet::enter_ended`](crate::Fleet::revisit)),
    /// unless its next instance begins before; and how long one is kept that nobody has joined.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace_micros = micros(grace);
        self
    }

    /// How each conference is measured.
    #[must_use]
    pub const fn conference(&self) -> &Config {
        &self.conference
    }

    /// The name of this fleet among others; empty when it has none.
    #[must_use]
    pub fn shard(&self) -> &str {
        &self.shard
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> FleetLimits {
        self.limits
    }

    /// How long a window is.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_micros(self.window_micros)
    }

    /// How long a conference that ended is kept.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        Duration::from_micros(self.grace_micros)
    }

    pub(super) const fn window_micros(&self) -> u64 {
        self.window_micros
    }

    pub(super) const fn grace_micros(&self) -> u64 {
        self.grace_micros
    }
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self::new()
    }
}
