//! A diagnosis as a sentence.

use alloc::format;
use alloc::string::String;

use super::Diagnosis;
use super::detectors::facts_of;

impl Diagnosis {
    /// The conclusion in words, as summaries have it: `bob's uplink lost 10 % between 0:08 and 1:20`, or `from 0:08 on` as
    /// long as it lasts. `who`: whose endpoint it is, by the name that is to be read; `start_ms`: when the call began on the
    /// reporter's clock, from which its places count.
    ///
    /// ```
    /// use callgauge::{Conference, Config, Event};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// // What happens is put in; the first report was of 1 700 000 000 000 ms.
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

/// `1:05`: a place in the call, from its beginning.
fn clock(ms: f64) -> String {
    let seconds = libm::floor(ms.max(0.0) / 1e3);
    let minutes = libm::floor(seconds / 60.0);
    format!("{minutes:.0}:{:02.0}", seconds - minutes * 60.0)
}
