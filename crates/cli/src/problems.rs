//! What reading and replaying left out of a file, in words.
//! It only complains: what is left out, and what is counted, other modules decide.

use crate::records::Input;
use crate::wording::plural;

impl Input {
    /// Says on standard error what was skipped.
    pub(crate) fn complain(&self) {
        for problem in &self.problems {
            eprintln!("callgauge: {}: {problem}", self.file);
        }
        let more = self.skipped_lines.saturating_sub(self.problems.len() as u64);
        if more > 0 {
            eprintln!("callgauge: {}: and {} more that could not be read", self.file, plural(more, "line"));
        }
        if self.skipped_entries > 0 {
            eprintln!("callgauge: {}: left out {}", self.file, plural(self.skipped_entries, "entry"));
        }
        if self.bad_fields > 0 {
            let values = plural(self.bad_fields, "impossible value");
            eprintln!("callgauge: {}: left out {values}{}", self.file, self.which());
        }
        if self.refused_snapshots > 0 {
            let snapshots = plural(self.refused_snapshots, "snapshot");
            eprintln!("callgauge: {}: left out {snapshots} of connections beyond the limit", self.file);
        }
        if self.refused_entries > 0 {
            let entries = plural(self.refused_entries, "entry");
            eprintln!("callgauge: {}: left out {entries} of streams beyond the limit of a connection", self.file);
        }
        if let Some(refused) = self.refused() {
            eprintln!("callgauge: {}: {refused}", self.file);
        }
        if self.snapshots == 0 && self.problems.is_empty() {
            eprintln!("callgauge: {}: holds no snapshot of stats", self.file);
        }
    }

    /// `refused 3 events: 2 × the fabric was terminated before, …`; `None` where the conference refused none.
    pub(crate) fn refused(&self) -> Option<String> {
        let reasons: Vec<_> = self.refused_events.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
        let events = plural(self.refused_events.total(), "event");
        (!reasons.is_empty()).then(|| format!("refused {events}: {}", reasons.join("; ")))
    }

    /// ` (jitter)`: which members had impossible values, as far as they are numbers.
    pub(crate) fn which(&self) -> String {
        if self.bad_numbers.is_empty() { String::new() } else { format!(" ({})", self.bad_numbers.join(", ")) }
    }
}
