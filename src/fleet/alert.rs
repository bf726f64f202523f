//! Computes the interval alerts of callstats' webhook from a tally. It stores no state and sends nothing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::rollup::{Period, Tally};
use crate::digest::Digest;
use crate::event::{CallClass, words};
use crate::unit::Ratio;

words! {
    /// The reason for an alert, as callstats' webhook names it.
    AlertReason {
        /// Conferences in which no participant connected though at least one tried, among those whose class is known.
        FailedConferences "failedConferences",
        /// Conferences in which all connected participants were lost unintentionally, among those whose class is known.
        DroppedConferences "droppedConferences",
        /// Conferences in which some participants connected and others did not, among those whose class is known.
        PartiallyFailedConferences "partiallyFailedConferences",
        /// Participants that joined the same conference more than once, among all participants.
        HighChurn "highChurn",
        /// Fabrics with a setup delay above [`AlertRule::with_limit_ms`], among those that were set up.
        HighSetupDelays "highSetupDelays",
        /// Conferences with a mean RTCP round-trip time above [`AlertRule::with_limit_ms`], among those that have one.
        HighRoundTripTime "highRoundTripTime",
        /// Ratings of 1 and 2, among all ratings.
        DissatisfactoryUserFeedback "dissatisfactoryUserFeedback",
    }
}

/// The threshold of an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AlertThreshold {
    /// An alert at this count or more. A count of 0 never raises an alert.
    Absolute(u64),
    /// An alert at this share of the possible cases or more, 0 to 1. Neither a share of 0 nor an undefined share (0 of
    /// 0) raises an alert.
    Fractional(Ratio),
}

/// A rule that raises alerts.
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
    /// The reason.
    pub reason: AlertReason,
    /// The number of cases.
    pub actual_value: u64,
    /// The count or the share at which the alert is raised.
    pub threshold: f64,
    /// `actual_value` as a share of the possible cases, 0 to 1; `None` if unknown.
    pub fractional_value: Option<f64>,
    /// The interval.
    pub period: AlertPeriod,
    /// The alert in words.
    pub text: String,
}

/// The interval of an alert, in ms on the caller's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AlertPeriod {
    /// The start.
    pub start: f64,
    /// The end.
    pub end: f64,
}

/// A setup delay above this is high unless a rule sets another limit: a choice of this engine.
const SETUP_DELAY_MS: f64 = 5_000.0;
/// A round-trip time above this is high unless a rule sets another limit, as for
/// [`Kind::HighRtt`](crate::diagnosis::Kind::HighRtt).
const RTT_MS: f64 = 250.0;

impl AlertRule {
    /// A rule with a reason and a threshold.
    #[must_use]
    pub const fn new(reason: AlertReason, threshold: AlertThreshold) -> Self {
        let limit_ms = match reason {
            AlertReason::HighSetupDelays => SETUP_DELAY_MS,
            _ => RTT_MS,
        };
        Self { reason, threshold, limit_ms }
    }

    /// Sets the setup delay or round-trip time above which a fabric or a conference counts, ms. The default is 5 000
    /// for [`AlertReason::HighSetupDelays`] and 250 for [`AlertReason::HighRoundTripTime`]; other reasons ignore it.
    /// The comparison is exact to within 0.78 %, the resolution of a [`Digest`].
    #[must_use]
    pub const fn with_limit_ms(mut self, limit_ms: f64) -> Self {
        self.limit_ms = limit_ms;
        self
    }

    /// The alert that this rule raises for a tally of a period, if any. The result depends only on the rule, the period
    /// and the tally.
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

    /// The alerts of several rules, in their order.
    #[must_use]
    pub fn alerts(rules: &[Self], period: Period, tally: &Tally) -> Vec<Alert> {
        rules.iter().filter_map(|rule| rule.alert(period, tally)).collect()
    }

    /// The number of cases, and the number of possible cases.
    fn of(&self, tally: &Tally) -> (u64, u64) {
        match self.reason {
            AlertReason::FailedConferences => of_class(tally, CallClass::Failed),
            AlertReason::DroppedConferences => of_class(tally, CallClass::Dropped),
            AlertReason::PartiallyFailedConferences => of_class(tally, CallClass::PartiallyFailed),
            AlertReason::HighChurn => (tally.rejoined, tally.participants),
            AlertReason::HighSetupDelays => self.above_limit(&tally.setup_delay_ms),
            AlertReason::HighRoundTripTime => self.above_limit(&tally.conference_rtt_ms),
            AlertReason::DissatisfactoryUserFeedback => (tally.bad_feedback, tally.feedback),
        }
    }

    /// The cases among values of weight 1.
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

/// The conferences of a class, and those of a known class.
fn of_class(tally: &Tally, class: CallClass) -> (u64, u64) {
    (tally.class(class), tally.classed())
}
