//! Configuration and limits of a fleet. It holds what the caller chooses and no state.

use alloc::string::String;
use core::time::Duration;

use crate::config::{Config, limits, micros};

limits! {
    /// Limits on the memory of a fleet. Beyond a limit the fleet refuses and counts new input, and loses nothing that
    /// it has. Each conference is bounded by its own [`Limits`](crate::Limits).
    ///
    /// For any input, a fleet takes at most what [`Limits`](crate::Limits) state for one conference with its summary,
    /// times [`conferences`](Self::conferences) plus one; a summary for each of
    /// [`pending_summaries`](Self::pending_summaries); and for each of [`windows`](Self::windows), and each
    /// [label](Self::labels) in it, up to 300 KB when all their distributions are full, or a few KB for a few calls.
    /// Only if the application does not poll can there be more windows: one more for each conference known at that time.
    /// Four conferences within [`Limits::sdk`](crate::Limits::sdk), two summaries, two windows and 32 labels stay
    /// within 64 MiB (`tests/cost/memory.rs`). Within the defaults one client can fill one conference with 352 MiB: an
    /// application with many conferences should lower [`Limits`](crate::Limits), starting with
    /// [`streams`](crate::Limits::with_streams).
    FleetLimits
    conferences with_conferences 131_072
        /// Maximum number of known conferences, including ended ones in their grace.
        ;
    pending_summaries with_pending_summaries 1_024
        /// Number of summaries not yet [polled](crate::Fleet::poll_ended) from which the fleet refuses new conferences
        /// and new instances; 0 refuses all. Known conferences continue, and their summaries are stored.
        ;
    windows with_windows 64
        /// Number of windows with rollups not yet [polled](crate::Fleet::poll_rollup) from which the fleet refuses new
        /// conferences and new instances; 0 refuses all. Known conferences continue, and count in the windows of their
        /// ends.
        ;
    labels with_labels 1_024
        /// Maximum number of different labels in use at a time, over all conferences and windows. Any conference may
        /// use a label that is already in use. A conference may add a label that is not in use while more labels are
        /// left than it added before. Each earlier instance counts as
        /// [`labels_per_conference`](Self::labels_per_conference) added labels, up to the number of labels in unpolled
        /// windows. So a single conference always leaves half of the labels it finds to others. A client that can open
        /// many conferences, with ids of its choosing, can still use up all labels.
        ;
    labels_per_conference with_labels_per_conference 16
        /// Maximum number of labels of one conference. Each instance has its own labels.
        ;
    label_bytes with_label_bytes 128
        /// Maximum length of a label in bytes: its key, its value and the `=` between them. A longer label is refused,
        /// not truncated.
        ;
}

/// Configuration of a fleet.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    pub(super) conference: Config,
    pub(super) limits: FleetLimits,
    pub(super) shard: String,
    window_micros: u64,
    grace_micros: u64,
}

/// Default length of a window, and twice the default grace, µs: a choice of this engine.
const MINUTE: u64 = 60_000_000;

impl FleetConfig {
    /// The defaults: windows of a minute, a grace of 30 s, and an empty shard name.
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

    /// Sets the configuration of each conference. [`Config::with_reopening`] has no effect here: input after the end
    /// belongs to the next instance.
    #[must_use]
    pub fn with_conference(mut self, config: Config) -> Self {
        self.conference = config;
        self
    }

    /// Sets other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: FleetLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the name of this fleet among those whose rollups are merged. Each fleet needs a different name, and a new
    /// one after a restart from an empty state.
    #[must_use]
    pub fn with_shard(mut self, shard: &str) -> Self {
        self.shard = shard.into();
        self
    }

    /// Sets the length of a rollup window, at least one second. Windows are counted from the epoch of the caller's
    /// clock.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        let micros = micros(window);
        self.window_micros = if micros < 1_000_000 { 1_000_000 } else { micros };
        self
    }

    /// Sets how long the fleet retains an ended conference for feedback and edits
    /// ([`Fleet::enter_ended`](crate::Fleet::enter_ended)), unless its next instance begins earlier, and how long it
    /// retains a conference that no participant has joined.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace_micros = micros(grace);
        self
    }

    /// The configuration of each conference.
    #[must_use]
    pub const fn conference(&self) -> &Config {
        &self.conference
    }

    /// The name of this fleet among others; empty by default.
    #[must_use]
    pub fn shard(&self) -> &str {
        &self.shard
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> FleetLimits {
        self.limits
    }

    /// The length of a window.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_micros(self.window_micros)
    }

    /// How long an ended conference is retained.
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
