//! Diagnoses as a summary shows them. The module defines the schema; it detects nothing.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::diagnosis::{Kind, Severity, Side};
use crate::id::Ssrc;

output! {
    /// A diagnosis.
    DiagnosisSummary {
        /// The kind.
        kind: Kind,
        /// The highest severity it reached.
        severity: Severity,
        /// The PeerConnection's name in the input.
        fabric: String,
        /// The user of the endpoint; `None` if not given.
        user: Option<String>,
        /// The side of that endpoint, `uplink` or `downlink`; `None` if both are affected.
        direction: Option<Side>,
        /// The stream; `None` if the whole connection is affected.
        ssrc: Option<Ssrc>,
        /// When it began, ms on the reporter's clock.
        from_ms: f64,
        /// When it ended; `None` if it lasted to the end of the call.
        to_ms: Option<f64>,
        /// The index in this list of the diagnosis that caused this one, from 0; `None` if it has no known cause.
        follows: Option<u64>,
        /// The measured figures, with units in the names. The first of [`Kind::figure`] and [`Kind::worst_figure`] is
        /// the mean over the diagnosis's time.
        evidence: BTreeMap<String, f64>,
        /// The diagnosis as a sentence.
        sentence: String,
    }
}
