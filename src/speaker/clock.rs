//! Maps a reporter's clock to the collector's clock. It corrects the offset and slow drift, and does not synchronize
//! clocks over the network.

/// The most that a clock may drift, as a fraction of time: five times what quartz does.
const DRIFT: f64 = 5e-4;
/// An offset that exceeds the known one by more than this, ms, for [`STAYS`] reports means that the clock was set back;
/// reports that the network delayed catch up.
const SET_BACK_MS: f64 = 10_000.0;
const STAYS: u32 = 3;

/// A reporter's clock.
///
/// No report arrives before it was made: the collector's time less the reporter's time is the clock offset plus the
/// delay on the way, so the least difference is nearest to the offset (RFC 5905 clause 10 takes the sample of least
/// delay likewise). A report that arrives late is thereby placed at its true time, and none is placed in the future; of
/// reports that arrive at one time the last is nearest. A collector whose time never moves gives no information and
/// should be used only once.
///
/// ```
/// use callgauge::speaker::clock::Clock;
/// let mut clock = Clock::new();
/// clock.observe(60_080.0, 0.0); // a minute slow, 80 ms delay
/// clock.observe(61_020.0, 1_000.0); // 20 ms delay: nearer
/// clock.observe(65_400.0, 2_000.0); // delayed by 3 s
/// assert!((clock.to_caller_ms(2_000.0) - 62_020.0).abs() < 3.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clock {
    behind_ms: Option<f64>,
    now_ms: f64,
    far: u32,
}

impl Clock {
    /// A clock without any report.
    #[must_use]
    pub const fn new() -> Self {
        Self { behind_ms: None, now_ms: 0.0, far: 0 }
    }

    /// Accepts a report: it arrived at `now_ms` of the collector's clock, and was made at `reported_ms` of the
    /// reporter's.
    pub fn observe(&mut self, now_ms: f64, reported_ms: f64) {
        let pending_outage_ms = now_ms - reported_ms;
        let passed_ms = now_ms - self.now_ms;
        let behind_ms = match self.behind_ms {
            None => pending_outage_ms,
            Some(behind_ms) if passed_ms <= 0.0 => pending_outage_ms.min(behind_ms),
            Some(behind_ms) => {
                self.far = if pending_outage_ms > behind_ms + SET_BACK_MS { self.far.saturating_add(1) } else { 0 };
                if self.far >= STAYS { pending_outage_ms } else { pending_outage_ms.min(behind_ms + DRIFT * passed_ms) }
            }
        };
        self.now_ms = self.now_ms.max(now_ms);
        self.behind_ms = Some(behind_ms);
    }

    /// Maps `reported_ms` of the reporter's clock to the collector's clock; returns it unchanged before the first
    /// report.
    #[must_use]
    pub fn to_caller_ms(&self, reported_ms: f64) -> f64 {
        reported_ms + self.behind_ms.unwrap_or(0.0)
    }
}
