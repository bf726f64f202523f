//! Aggregates of many conferences: integer counts and distributions that merge in any order and grouping. It makes no
//! alerts and does not detect repeated parts.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::diagnosis::{Kind, Severity};
use crate::digest::{Digest, Grid, Stats};
use crate::event::{CallClass, EndReason};
use crate::summary::unused::{Use, unused};
use crate::summary::{ConferenceSummary, DiagnosisSummary, Distributions, FabricSummary};
use crate::unit::{Ratio, Timestamp};

/// A value whose sum does not depend on order.
trait Merge {
    fn merge_with(&mut self, other: &Self);
}

impl Merge for u64 {
    fn merge_with(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }
}

impl<G: Grid> Merge for Digest<G> {
    fn merge_with(&mut self, other: &Self) {
        self.merge(other);
    }
}

impl Merge for Distributions {
    fn merge_with(&mut self, other: &Self) {
        self.merge(other);
    }
}

impl<K: Copy + Ord, V: Default + Merge> Merge for BTreeMap<K, V> {
    fn merge_with(&mut self, other: &Self) {
        for (&key, more) in other {
            self.entry(key).or_default().merge_with(more);
        }
    }
}

/// Declares a tally, so that `merge` cannot omit a field.
macro_rules! tally {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        // A field that an older version did not write is empty.
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
        #[non_exhaustive]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $name {
            /// Adds everything in `other`. This is associative and commutative, and adding [`Default`] changes nothing.
            /// Counts saturate. Cost: linear in the size of the distributions of `other`.
            pub fn merge(&mut self, other: &Self) {
                $(self.$field.merge_with(&other.$field);)*
            }
        }
    };
}

tally! {
    /// Aggregate of a set of conferences.
    ///
    /// Every field is a sum of integers, so merged tallies are equal to the byte in any order of merging. Methods
    /// compute ratios from the sums and return `None` if the denominator is 0.
    Tally {
        /// Conferences that ended or were given up because no participant ever joined.
        conferences: u64,
        /// Of these, how many of each class. The class of the others is unknown.
        classes: BTreeMap<CallClass, u64>,
        /// Conferences by how they ended: [`EndReason::Timeout`] counts those that expired. Conferences that no
        /// participant joined are not counted here.
        ends: BTreeMap<EndReason, u64>,
        /// Named users that joined, counted once for each instance of a conference. Users without a name are not
        /// counted.
        participants: u64,
        /// Participants that joined more than once: callstats' churn.
        rejoined: u64,
        /// Stays: how often participants joined.
        stays: u64,
        /// Time from joining to leaving, summed over all stays, in microseconds. For a user with more stays than
        /// [`Limits::stays_per_user`](crate::Limits::stays_per_user), only the stored stays count.
        stayed_micros: u64,
        /// PeerConnections.
        fabrics: u64,
        /// Of these, how many of each class, without those that never carried media or data beside another one of the same
        /// user that did: their failure is none of the call. Nor are their set-up delays and failures counted.
        fabric_classes: BTreeMap<CallClass, u64>,
        /// Time from opening to connected, ms, of each fabric that connected; each has weight 1.
        setup_delay_ms: Digest,
        /// The mean RTCP round-trip time, ms, of each conference that has one; each has weight 1.
        conference_rtt_ms: Digest,
        /// Figures of all streams, weighted by time.
        streams: Distributions,
        /// Ratings by users, of conferences and connections; each counts once.
        feedback: u64,
        /// The sum of the ratings, which range from 1 to 5.
        feedback_sum: u64,
        /// Ratings of 1 and 2.
        bad_feedback: u64,
        /// Diagnoses by kind; `connectionFailed` and `connectionDropped` count connections, whatever the class of their
        /// conference.
        diagnoses: BTreeMap<Kind, u64>,
    }
}

/// Highest rating that counts as dissatisfied: bad and poor (ITU-T P.800).
const BAD_RATING: u8 = 2;

impl Tally {
    /// The tally of one conference.
    #[must_use]
    pub fn of(summary: &ConferenceSummary, streams: Distributions) -> Self {
        let mut tally = Self { conferences: 1, ..Self::default() };
        count(&mut tally.classes, summary.call_class);
        count(&mut tally.ends, summary.end_reason);
        for user in summary.users.iter().filter(|user| user.joins > 0) {
            tally.participants += 1;
            tally.rejoined += u64::from(user.joins > 1);
            tally.stays = tally.stays.saturating_add(user.joins);
            for stay in &user.stays {
                let ms = stay.left_ms.map_or(0.0, |left_ms| left_ms - stay.joined_ms);
                // Whole microseconds, the clock's unit; the cast saturates.
                tally.stayed_micros = tally.stayed_micros.saturating_add(libm::round(ms * 1e3) as u64);
            }
        }
        let uses: Vec<Use<&str>> = summary.fabrics.iter().map(use_of).collect();
        let unused = unused(&uses);
        for (fabric, is_unused) in summary.fabrics.iter().zip(&unused) {
            tally.fabrics += 1;
            if *is_unused {
                continue;
            }
            count(&mut tally.fabric_classes, fabric.call_class);
            if let Some(delay_ms) = fabric.setup_delay_ms {
                tally.setup_delay_ms.add(delay_ms, 1);
            }
        }
        if let Some(rtt_ms) = streams.rtt_ms.mean() {
            tally.conference_rtt_ms.add(rtt_ms, 1);
        }
        tally.streams = streams;
        for rating in &summary.feedback {
            tally.feedback += 1;
            tally.feedback_sum += u64::from(rating.overall);
            tally.bad_feedback += u64::from(rating.overall <= BAD_RATING);
        }
        // A failure that is only a notice is that of an unused connection.
        let counts = |one: &DiagnosisSummary| one.kind != Kind::ConnectionFailed || one.severity != Severity::Notice;
        for diagnosis in summary.diagnoses.iter().filter(|one| counts(one)) {
            count(&mut tally.diagnoses, Some(diagnosis.kind));
        }
        tally
    }

    /// The number of conferences of a class.
    #[must_use]
    pub fn class(&self, class: CallClass) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }

    /// The number of conferences whose class is known.
    #[must_use]
    pub fn classed(&self) -> u64 {
        self.classes.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The share of a class among the conferences whose class is known; `None` if there are none.
    #[must_use]
    pub fn class_ratio(&self, class: CallClass) -> Option<Ratio> {
        ratio(self.class(class), self.classed())
    }

    /// The share of failed and partially failed conferences, in which some participant could not connect, among those
    /// whose class is known.
    #[must_use]
    pub fn failure_ratio(&self) -> Option<Ratio> {
        let failed = self.class(CallClass::Failed).saturating_add(self.class(CallClass::PartiallyFailed));
        ratio(failed, self.classed())
    }

    /// The share of participants that joined the same conference more than once; `None` without participants.
    #[must_use]
    pub fn churn_ratio(&self) -> Option<Ratio> {
        ratio(self.rejoined, self.participants)
    }

    /// Rejoins per hour of participants' time; `None` if that time is 0.
    #[must_use]
    pub fn rejoins_per_user_hour(&self) -> Option<f64> {
        let rejoins = self.stays.saturating_sub(self.participants);
        (self.stayed_micros > 0).then(|| rejoins as f64 / (self.stayed_micros as f64 / 3.6e9))
    }

    /// The users' time, in seconds.
    #[must_use]
    pub fn user_s(&self) -> f64 {
        self.stayed_micros as f64 / 1e6
    }

    /// The mean rating, 1 to 5; `None` without ratings.
    #[must_use]
    pub fn mean_feedback(&self) -> Option<f64> {
        (self.feedback > 0).then(|| self.feedback_sum as f64 / self.feedback as f64)
    }

    /// The share of ratings of 1 and 2; `None` without ratings.
    #[must_use]
    pub fn bad_feedback_ratio(&self) -> Option<Ratio> {
        ratio(self.bad_feedback, self.feedback)
    }

    /// The mean opinion score, 1 to 4.5, over active time of streams, as [`Distributions::mos`] defines it.
    #[must_use]
    pub fn mos(&self) -> Stats {
        self.streams.mos()
    }
}

fn use_of(fabric: &FabricSummary) -> Use<&str> {
    Use {
        user: fabric.local_user.as_deref(),
        is_used: fabric.carried_media || fabric.carried_data,
        has_streams: !fabric.streams.is_empty(),
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: Option<K>) {
    if let Some(key) = key {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
}

fn ratio(part: u64, whole: u64) -> Option<Ratio> {
    Ratio::of(part as f64, whole as f64)
}

/// Tallies of a set of conferences, in total and by label.
///
/// A conference counts once in the total and once under each of its labels.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Rollup {
    /// The tally of all conferences.
    pub total: Tally,
    /// The tally of each label, `key=value`.
    pub labels: BTreeMap<String, Tally>,
}

impl Rollup {
    /// Adds everything in `other`, like [`Tally::merge`].
    pub fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        for (label, more) in &other.labels {
            match self.labels.get_mut(label) {
                Some(tally) => tally.merge(more),
                None => {
                    self.labels.insert(label.clone(), more.clone());
                }
            }
        }
    }
}

/// A time window on the caller's clock, from `start` inclusive to `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Period {
    /// The start; serialized in µs of the caller's clock.
    #[cfg_attr(feature = "serde", serde(rename = "start_micros"))]
    pub start: Timestamp,
    /// The end; serialized in µs of the caller's clock.
    #[cfg_attr(feature = "serde", serde(rename = "end_micros"))]
    pub end: Timestamp,
}

impl Period {
    /// A window from `start` to `end`.
    #[must_use]
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// The window of the given length, in microseconds, that contains an instant. Windows are counted from the clock's
    /// epoch, so windows of one length agree between all fleets. The last window extends to the end of time.
    pub(super) fn containing(at: Timestamp, micros: u64) -> Self {
        let start = at.as_micros() - at.as_micros().checked_rem(micros).unwrap_or(0);
        Self { start: Timestamp::from_micros(start), end: Timestamp::from_micros(start.saturating_add(micros)) }
    }
}
