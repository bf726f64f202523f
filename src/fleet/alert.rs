//! The interval alerts of callstats' webhook, as a function of what conferences came to.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::rollup::{Period, Tally};
use crate::digest::Digest;
use crate::event::{CallClass, words};
use crate::unit::Ratio;

words! {
    /// Why there is an alert, in the words of callstats' webhook.
    AlertReason {
        /// Conferences in which nobody was connected though it was tried, of those whose class is known.
        FailedConferences "failedConferences",
        /// Conferences in which all who were connected were lost without anybody meaning it, of the same.
        DroppedConferences "droppedConferences",
        /// Conferences in which some were connected and others were not, of the same.
        PartiallyFailedConferences "partiallyFailedConferences",
        /// Participants who joined the same conference more than once, of all participants.
        HighChurn "highChurn",
        /// Fabrics whose setup delay was above [`AlertRule::with_limit_ms`], of those that were set up.
        HighSetupDelays "highSetupDelays",
        /// Conferences whose mean round-trip time by RTCP was above [`AlertRule::with_limit_ms`], of those that have
        /// one.
        HighRoundTripTime "highRoundTripTime",
        /// Ratings of 1 and 2, of all ratings.
        DissatisfactoryUserFeedback "dissatisfactoryUserFeedback",
    }
}

/// From how much on there is an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AlertThreshold {
    /// So many. None are never an alert.
    Absolute(u64),
    /// So large a share of all that could have been, 0 to 1. A share of nothing is none, and never an alert; nor is 0.
    Fractional(Ratio),
}

/// When there is to be an alert.
///
/// ```
/// use callgauge::fleet::{AlertReason, AlertRule, AlertThreshold, Period, Tally};
/// use callgauge::unit::{Ratio, Timestamp};
///
/// let rule = AlertRule::new(AlertReason::HighChurn, AlertThreshold::Fractional(Ratio::new(0.1).unwrap()));
/// let mut tally = Tally::default();
/// (tally.participants, tally.rejoined) = (40, 8);
/// let minute = Period::new(Timestamp::from_millis(0), Timestamp::from_millis(60_000));
/// let alert = rule.alert(minute, &tally).unwrap();
/// assert_eq!((alert.actual_value, alert.fractional_value), (8, Some(0.2)));
/// assert!(alert.text.starts_with("8 of 40 participants joined the same conference more than once"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertRule {
    reason: AlertReason,
    threshold: AlertThreshold,
    limit_ms: f64,
}

/// An alert, with the keys of callstats' webhook.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Alert {
    /// Why.
    pub reason: AlertReason,
    /// How many there were.
    pub actual_value: u64,
    /// From how many on, or from which share on, there is an alert.
    pub threshold: f64,
    /// `actual_value` of all that could have been, 0 to 1; `None` when that is not known.
    pub fractional_value: Option<f64>,
    /// The interval.
    pub period: AlertPeriod,
    /// All of that in words.
    pub text: String,
}

/// The interval of an alert, in ms on the caller's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AlertPeriod {
    /// When it began.
    pub start: f64,
    /// When it was over.
    pub end: f64,
}

/// A setup delay above this is high unless a rule says otherwise: a choice of this engine.
const SETUP_DELAY_MS: f64 = 5_000.0;
/// A round trip above this is high unless a rule says otherwise, as for
/// [`Kind::HighRtt`](crate::diagnosis::Kind::HighRtt).
const RTT_MS: f64 = 250.0;

impl AlertRule {
    /// An alert from a threshold on.
    #[must_use]
    pub const fn new(reason: AlertReason, threshold: AlertThreshold) -> Self {
        let limit_ms = match reason {
            AlertReason::HighSetupDelays => SETUP_DELAY_MS,
            _ => RTT_MS,
        };
        Self { reason, threshold, limit_ms }
    }

    /// Above which delay, or which round-trip time, a fabric or a conference counts, ms: 5 000 for
    /// [`AlertReason::HighSetupDelays`] and 250 for [`AlertReason::HighRoundTripTime`] unless said otherwise, nothing
    /// for others. Values are told from it to within 0.78 %, as a [`Digest`] keeps them.
    #[must_use]
    pub const fn with_limit_ms(mut self, limit_ms: f64) -> Self {
        self.limit_ms = limit_ms;
        self
    }

    /// The alert that a tally of an interval gives by this rule, if any. It follows from these three only.
    #[must_use]
    pub fn alert(&self, period: Period, tally: &Tally) -> Option<Alert> {
        let (actual, total) = self.of(tally);
        let fraction = Ratio::of(actual as f64, total as f64);
        let (is_reached, threshold) = match self.threshold {
            AlertThreshold::Absolute(least) => (actual >= least, least as f64),
            AlertThreshold::Fractional(least) => (fraction >= Some(least), least.as_f64()),
        };
        (is_reached && actual > 0).then(|| Alert {
            reason: self.reason,
            actual_value: actual,
            threshold,
            fractional_value: fraction.map(Ratio::as_f64),
            period: AlertPeriod {
                start: period.start.as_micros() as f64 / 1e3,
                end: period.end.as_micros() as f64 / 1e3,
            },
            text: self.text(actual, total),
        })
    }

    /// The alerts that several rules give, in their order.
    #[must_use]
    pub fn alerts(rules: &[Self], period: Period, tally: &Tally) -> Vec<Alert> {
        rules.iter().filter_map(|rule| rule.alert(period, tally)).collect()
    }

    /// How many, and of how many.
    fn of(&self, tally: &Tally) -> (u64, u64) {
        let of_class = |class| (tally.class(class), tally.classed());
        match self.reason {
            AlertReason::FailedConferences => of_class(CallClass::Failed),
            AlertReason::DroppedConferences => of_class(CallClass::Dropped),
            AlertReason::PartiallyFailedConferences => of_class(CallClass::PartiallyFailed),
            AlertReason::HighChurn => (tally.rejoined, tally.participants),
            AlertReason::HighSetupDelays => self.above_limit(&tally.setup_delay_ms),
            AlertReason::HighRoundTripTime => self.above_limit(&tally.conference_rtt_ms),
            AlertReason::DissatisfactoryUserFeedback => (tally.bad_feedback, tally.feedback),
        }
    }

    /// Of values of weight 1.
    fn above_limit(&self, values: &Digest) -> (u64, u64) {
        (values.weight_above(self.limit_ms), values.n())
    }

    fn text(&self, actual: u64, total: u64) -> String {
        let ms = self.limit_ms;
        let what = match self.reason {
            AlertReason::FailedConferences => String::from("conferences failed"),
            AlertReason::DroppedConferences => String::from("conferences were dropped"),
            AlertReason::PartiallyFailedConferences => {
                String::from("conferences failed in part: some participants were unable to join")
            }
            AlertReason::HighChurn => String::from("participants joined the same conference more than once"),
            AlertReason::HighSetupDelays => format!("fabrics took longer than {ms} ms to set up"),
            AlertReason::HighRoundTripTime => format!("conferences had a mean round-trip time above {ms} ms"),
            AlertReason::DissatisfactoryUserFeedback => String::from("ratings were 1 or 2 of 5"),
        };
        let limit = match self.threshold {
            AlertThreshold::Absolute(least) => format!("{least}"),
            AlertThreshold::Fractional(least) => format!("a share of {least}"),
        };
        format!("{actual} of {total} {what}; the limit is {limit}")
    }
}
