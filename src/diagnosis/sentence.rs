//! Words a diagnosis as an English sentence. It decides nothing about the diagnosis.

use alloc::format;
use alloc::string::String;

use super::Diagnosis;
use super::detectors::facts_of;

impl Diagnosis {
    /// The diagnosis in words, as in a summary: `bob's uplink lost 10 % of packets, 0:08–1:20`, or `…, since 0:08` while it
    /// lasts. `who` is the name to print for the endpoint. `start_ms` is the start of the call on the reporter's clock: the
    /// printed times count from it. [`Conference::sentence`](crate::Conference::sentence) knows both.
    ///
    /// ```
    /// use callgauge::{Conference, Config, Event};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// // Snapshots are ingested here; the first has the time 1 700 000 000 000 ms.
    /// while let Some(event) = call.poll_event() {
    ///     if let Event::DiagnosisRaised { diagnosis, .. } = event {
    ///         println!("{}", diagnosis.sentence("Bob", 1_700_000_000_000.0));
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn sentence(&self, who: &str, start_ms: f64) -> String {
        let what = (facts_of(self.kind).sentence)(self, who);
        let from = clock(self.from.as_millis() - start_ms);
        match self.to {
            Some(to) => format!("{what}, {from}–{}", clock(to.as_millis() - start_ms)),
            None => format!("{what}, since {from}"),
        }
    }
}

/// `1:05`: a place in the call, from its beginning.
fn clock(ms: f64) -> String {
    let seconds = libm::floor(ms.max(0.0) / 1e3);
    let minutes = libm::floor(seconds / 60.0);
    format!("{minutes:.0}:{:02.0}", seconds - minutes * 60.0)
}
