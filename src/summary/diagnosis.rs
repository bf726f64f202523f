//! What went wrong, as it leaves the engine.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::diagnosis::{Kind, Severity, Side};
use crate::id::Ssrc;

output! {
    /// Something that went wrong.
    DiagnosisSummary {
        /// What it was.
        kind: Kind,
        /// How much it mattered: the most it came to.
        severity: Severity,
        /// The PeerConnection's name in the input.
        fabric: String,
        /// Whose endpoint it was; `None` when nobody said.
        user: Option<String>,
        /// Which side of that endpoint: `uplink` or `downlink`; `None` for what was about both.
        direction: Option<Side>,
        /// The stream; `None` for what was about all of a connection.
        ssrc: Option<Ssrc>,
        /// When it began, ms on the reporter's clock.
        from_ms: f64,
        /// When it was over; `None` when it went on to the end.
        to_ms: Option<f64>,
        /// Where in this list the diagnosis stands that it follows from, counted from 0; `None` for what stands for itself.
        follows: Option<u64>,
        /// The figures that say so, with their units in the names. The first of [`Kind::figure`] and
        /// [`Kind::worst_figure`] is the mean over this time.
        evidence: BTreeMap<String, f64>,
        /// All of that in words.
        sentence: String,
    }
}
