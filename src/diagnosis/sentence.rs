//! Writes a diagnosis as a sentence. Each detector provides its own sentence; this adds the times.

use alloc::format;
use alloc::string::String;

use super::Diagnosis;
use super::detectors::facts_of;

impl Diagnosis {
    /// The diagnosis as a sentence, as summaries have it: `bob's uplink lost 10 % between 0:08 and 1:20`, or `from 0:08
    /// on` while it lasts. `who`: the displayed name of the endpoint's user; `start_ms`: the beginning of the call on
    /// the reporter's clock, from which the times count.
    ///
    /// ```
    /// use callgauge::{Conference, Config, Event};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// // The application ingests reports here; the first is of 1 700 000 000 000 ms.
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
            Some(to) => format!("{what} between {from} and {}", clock(to.as_millis() - start_ms)),
            None => format!("{what} from {from} on"),
        }
    }
}

/// `1:05`: a time in the call, from its beginning.
fn clock(ms: f64) -> String {
    let seconds = libm::floor(ms.max(0.0) / 1e3);
    let minutes = libm::floor(seconds / 60.0);
    format!("{minutes:.0}:{:02.0}", seconds - minutes * 60.0)
}
