//! Stores reported errors and user feedback within the limits. It evaluates neither.

use alloc::string::String;
use alloc::vec::Vec;

use super::feedback::Feedback;
use crate::config::Limits;
use crate::event::{ErrorReport, FailureReason, StoredText, WebRtcFunction};
use crate::id::{FabricId, UserId};
use crate::unit::Timestamp;

/// Stored errors and feedback.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Log {
    pub(crate) errors: Vec<StoredError>,
    /// Errors dropped at the limit.
    pub(crate) refused_errors: u64,
    error_bytes: usize,
    pub(crate) feedback: Vec<StoredFeedback>,
}

/// A stored error.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StoredError {
    pub(crate) at: Timestamp,
    pub(crate) fabric: Option<FabricId>,
    pub(crate) user: Option<UserId>,
    pub(crate) function: WebRtcFunction,
    pub(crate) reason: FailureReason,
    pub(crate) dom_error: Option<String>,
    pub(crate) message: Option<StoredText>,
}

/// Stored feedback.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StoredFeedback {
    pub(crate) user: Option<UserId>,
    pub(crate) about: Option<FabricId>,
    pub(crate) feedback: Feedback,
}

/// The length in bytes at which names of DOM errors are cut.
const MAX_DOM_NAME: usize = 128;

impl Log {
    /// Stores an error if the limits allow it. Returns whether they did, and how many bytes of its message were cut.
    pub(crate) fn take_error(
        &mut self,
        at: Timestamp,
        fabric: Option<FabricId>,
        user: Option<UserId>,
        report: &ErrorReport<'_>,
        limits: Limits,
    ) -> (bool, usize) {
        let message = report.message.map(StoredText::new);
        let dom_error = report.dom_error.map(|name| String::from(crate::event::cut(name, MAX_DOM_NAME).0));
        let cut_bytes = message.as_ref().map_or(0, |message| message.cut_bytes);
        let bytes =
            message.as_ref().map_or(0, |message| message.text.len()) + dom_error.as_ref().map_or(0, String::len);
        if self.errors.len() >= limits.errors() || bytes > limits.error_bytes().saturating_sub(self.error_bytes) {
            self.refused_errors = self.refused_errors.saturating_add(1);
            return (false, cut_bytes);
        }
        self.error_bytes += bytes;
        let (function, reason) = (report.function, report.reason());
        self.errors.push(StoredError { at, fabric, user, function, reason, dom_error, message });
        (true, cut_bytes)
    }
}
