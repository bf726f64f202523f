//! Where a reporter's clock stands on the clock of who collects.

/// A clock may drift by this part of time: five times what quartz does.
const DRIFT: f64 = 5e-4;
/// Beyond this a clock was set back, ms, if it stays so for [`STAYS`] looks; reports that a network held up catch up.
const SET_BACK_MS: f64 = 10_000.0;
const STAYS: u32 = 3;

/// A reporter's clock.
///
/// No report comes before it was made: the collector's time less the reporter's is the difference of the clocks plus the
/// way, and the least of it is nearest to the difference (RFC 5905 clause 10 takes the sample of least delay likewise). A
/// report that comes late is thereby laid where it belongs, and none in the future; of reports that come at one time the
/// last is nearest. A collector whose time never moves tells nothing, and is to be looked at once.
///
/// ```
/// use callgauge::speaker::clock::Clock;
/// let mut clock = Clock::new();
/// clock.look(60_080.0, 0.0); // a minute slow, and 80 ms on the way
/// clock.look(61_020.0, 1_000.0); // 20 ms: nearer
/// clock.look(65_400.0, 2_000.0); // held up for 3 s
/// assert!((clock.place(2_000.0) - 62_020.0).abs() < 3.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clock {
    behind_ms: Option<f64>,
    now_ms: f64,
    far: u32,
}

impl Clock {
    /// A clock of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { behind_ms: None, now_ms: 0.0, far: 0 }
    }

    /// Takes a report: it came in at `now_ms` of the collector's clock, and was made at `reported_ms` of the reporter's.
    pub fn look(&mut self, now_ms: f64, reported_ms: f64) {
        let apart_ms = now_ms - reported_ms;
        let passed_ms = now_ms - self.now_ms;
        let behind_ms = match self.behind_ms {
            None => apart_ms,
            Some(behind_ms) if passed_ms <= 0.0 => apart_ms.min(behind_ms),
            Some(behind_ms) => {
                self.far = if apart_ms > behind_ms + SET_BACK_MS { self.far.saturating_add(1) } else { 0 };
                if self.far >= STAYS { apart_ms } else { apart_ms.min(behind_ms + DRIFT * passed_ms) }
            }
        };
        self.now_ms = self.now_ms.max(now_ms);
        self.behind_ms = Some(behind_ms);
    }

    /// When on the collector's clock it was `reported_ms` on the reporter's; the same where nothing is known.
    #[must_use]
    pub fn place(&self, reported_ms: f64) -> f64 {
        reported_ms + self.behind_ms.unwrap_or(0.0)
    }
}
