//! Errors that an application reports (`reportError`), and their reasons. Their effect on a fabric is decided in
//! `fabric`.

use alloc::string::String;

use super::words::words;
use crate::id::UserId;

words! {
    /// The WebRTC function that failed (`webRTCFunctions`), or a log of the application.
    WebRtcFunction {
        /// Requesting a camera or microphone.
        GetUserMedia "getUserMedia",
        /// Creating an offer.
        CreateOffer "createOffer",
        /// Creating an answer.
        CreateAnswer "createAnswer",
        /// Setting the local description.
        SetLocalDescription "setLocalDescription",
        /// Setting the remote description.
        SetRemoteDescription "setRemoteDescription",
        /// Adding a remote candidate.
        AddIceCandidate "addIceCandidate",
        /// ICE reached `failed`.
        IceConnectionFailure "iceConnectionFailure",
        /// The application's own signaling failed.
        SignalingError "signalingError",
        /// A log, not a failure.
        ApplicationLog "applicationLog",
        /// The former name of `applicationLog`.
        ApplicationError "applicationError",
    }

    /// Why a fabric failed.
    FailureReason {
        /// The media constraints cannot be met.
        MediaConfigError "MediaConfigError",
        /// Access to the camera or microphone was denied.
        MediaPermissionError "MediaPermissionError",
        /// The device does not exist, or does not work.
        MediaDeviceError "MediaDeviceError",
        /// An offer, answer or candidate was refused.
        NegotiationFailure "NegotiationFailure",
        /// No offer or answer could be created.
        SdpGenerationError "SDPGenerationError",
        /// The transport above ICE failed: DTLS.
        TransportFailure "TransportFailure",
        /// Signaling failed.
        SignalingError "SignalingError",
        /// No path was found.
        IceConnectionFailure "IceConnectionFailure",
        /// None: an application log.
        ApplicationLog "ApplicationLog",
    }
}

/// The reason of each function's failure.
///
/// callstats' own sources contradict each other: its JavaScript client files a failed `createOffer` under negotiation
/// and a failed `setLocalDescription` under generation, its Android documentation does the opposite. Here a failure to
/// *create* a description is generation, and a failure to *apply* a description or a candidate is negotiation.
const REASONS: &[(WebRtcFunction, FailureReason)] = &[
    (WebRtcFunction::GetUserMedia, FailureReason::MediaConfigError), // unless its DOM error is more specific
    (WebRtcFunction::CreateOffer, FailureReason::SdpGenerationError),
    (WebRtcFunction::CreateAnswer, FailureReason::SdpGenerationError),
    (WebRtcFunction::SetLocalDescription, FailureReason::NegotiationFailure),
    (WebRtcFunction::SetRemoteDescription, FailureReason::NegotiationFailure),
    (WebRtcFunction::AddIceCandidate, FailureReason::NegotiationFailure),
    (WebRtcFunction::IceConnectionFailure, FailureReason::IceConnectionFailure),
    (WebRtcFunction::SignalingError, FailureReason::SignalingError),
    (WebRtcFunction::ApplicationLog, FailureReason::ApplicationLog),
    (WebRtcFunction::ApplicationError, FailureReason::ApplicationLog),
];

/// The reason of each DOM error of `getUserMedia`, including old names (W3C mediacapture-streams 10.2; Chromium and
/// Firefox before it).
const MEDIA_REASONS: &[(&str, FailureReason)] = &[
    ("NotAllowedError", FailureReason::MediaPermissionError),
    ("SecurityError", FailureReason::MediaPermissionError),
    ("PermissionDeniedError", FailureReason::MediaPermissionError),
    ("PermissionDismissedError", FailureReason::MediaPermissionError),
    ("NotFoundError", FailureReason::MediaDeviceError),
    ("DevicesNotFoundError", FailureReason::MediaDeviceError),
    ("NotReadableError", FailureReason::MediaDeviceError),
    ("TrackStartError", FailureReason::MediaDeviceError),
    ("SourceUnavailableError", FailureReason::MediaDeviceError),
    ("AbortError", FailureReason::MediaDeviceError),
    ("OverconstrainedError", FailureReason::MediaConfigError),
    ("ConstraintNotSatisfiedError", FailureReason::MediaConfigError),
    ("TypeError", FailureReason::MediaConfigError),
];

impl WebRtcFunction {
    /// The reason of the function's failure; `dom_error` is the error's `name`, if there is one.
    #[must_use]
    pub fn reason(self, dom_error: Option<&str>) -> FailureReason {
        if self == Self::GetUserMedia
            && let Some(dom_error) = dom_error
            && let Some(&(_, reason)) = MEDIA_REASONS.iter().find(|(name, _)| *name == dom_error)
        {
            return reason;
        }
        let row = REASONS.iter().find(|(function, _)| *function == self);
        row.map_or(FailureReason::ApplicationLog, |&(_, reason)| reason)
    }

    /// Whether the connection cannot be set up after it. A log is no failure, and a candidate that is refused is one of
    /// many: candidates fail in healthy calls.
    #[must_use]
    pub const fn fails_setup(self) -> bool {
        !self.is_log() && !matches!(self, Self::AddIceCandidate)
    }

    /// Whether it is a log rather than a failure.
    #[must_use]
    pub const fn is_log(self) -> bool {
        matches!(self, Self::ApplicationLog | Self::ApplicationError)
    }
}

/// An error, or a log of the application.
///
/// ```
/// use callgauge::event::{ErrorReport, FailureReason, WebRtcFunction};
/// let report = ErrorReport::new(WebRtcFunction::GetUserMedia).with_dom_error("NotAllowedError", "Permission denied");
/// assert_eq!(report.reason(), FailureReason::MediaPermissionError);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReport<'a> {
    pub(crate) function: WebRtcFunction,
    pub(crate) dom_error: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) user: Option<UserId>,
}

impl<'a> ErrorReport<'a> {
    /// A failure with only the function known.
    #[must_use]
    pub const fn new(function: WebRtcFunction) -> Self {
        Self { function, dom_error: None, message: None, user: None }
    }

    /// A line of the application's log, plain or JSON.
    #[must_use]
    pub const fn log(message: &'a str) -> Self {
        Self { message: Some(message), ..Self::new(WebRtcFunction::ApplicationLog) }
    }

    /// Adds the `name` and `message` of the DOM error.
    #[must_use]
    pub const fn with_dom_error(mut self, name: &'a str, message: &'a str) -> Self {
        (self.dom_error, self.message) = (Some(name), Some(message));
        self
    }

    /// Sets the user, for a report without a fabric.
    #[must_use]
    pub const fn with_user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// The reason of the failure.
    #[must_use]
    pub fn reason(&self) -> FailureReason {
        self.function.reason(self.dom_error)
    }
}

/// The result of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reported {
    /// The reason of the failure.
    pub reason: FailureReason,
    /// Bytes cut off because the message was longer than [`MAX_TEXT`].
    pub cut_bytes: usize,
    /// Whether the fabric's set-up failed by this error.
    pub has_failed_setup: bool,
    /// Whether it is stored for the summary; false if [`Limits::errors`](crate::Limits::errors) or
    /// [`Limits::error_bytes`](crate::Limits::error_bytes) is reached. It is then only counted.
    pub is_stored: bool,
}

/// The length in bytes at which texts of the application are cut: callstats' 20 KB.
pub const MAX_TEXT: usize = 20 * 1024;

/// Cuts a text to at most `max` bytes at a character boundary. Returns it with the number of bytes cut off.
pub(crate) fn cut(text: &str, max: usize) -> (&str, usize) {
    if text.len() <= max {
        return (text, 0);
    }
    let end = (0..=max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let stored = text.get(..end).unwrap_or("");
    (stored, text.len() - stored.len())
}

/// A stored text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StoredText {
    pub(crate) text: String,
    pub(crate) cut_bytes: usize,
}

impl StoredText {
    pub(crate) fn new(text: &str) -> Self {
        let (text, cut_bytes) = cut(text, MAX_TEXT);
        Self { text: text.into(), cut_bytes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_function_has_one_reason_and_only_logs_have_none() {
        for &function in WebRtcFunction::ALL {
            assert_eq!(REASONS.iter().filter(|(named, _)| *named == function).count(), 1, "{function:?}");
            assert_eq!(function.reason(None) == FailureReason::ApplicationLog, function.is_log(), "{function:?}");
        }
        // callstats' Android documentation, and the W3C names of refusals by a user or a device.
        for (function, dom_error, reason) in [
            ("createOffer", None, "SDPGenerationError"),
            ("createAnswer", None, "SDPGenerationError"),
            ("setLocalDescription", None, "NegotiationFailure"),
            ("setRemoteDescription", Some("InvalidStateError"), "NegotiationFailure"),
            ("getUserMedia", Some("NotAllowedError"), "MediaPermissionError"),
            ("getUserMedia", Some("NotFoundError"), "MediaDeviceError"),
            ("getUserMedia", Some("OverconstrainedError"), "MediaConfigError"),
            ("getUserMedia", Some("SomethingNew"), "MediaConfigError"),
            ("createOffer", Some("NotAllowedError"), "SDPGenerationError"),
        ] {
            let function = WebRtcFunction::from_name(function).unwrap();
            assert_eq!(function.reason(dom_error).name(), reason, "{function:?} {dom_error:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_is_the_longest_beginning_that_fits(text in "[a-zäß€😀]{0,40}", max in 0..60_usize) {
            let (stored, cut_bytes) = cut(&text, max);
            prop_assert!(stored.len() <= max && text.starts_with(stored));
            prop_assert_eq!(stored.len() + cut_bytes, text.len());
            let next = text[stored.len()..].chars().next().map_or(0, char::len_utf8);
            prop_assert!(cut_bytes == 0 || stored.len() + next > max);
        }
    }
}
