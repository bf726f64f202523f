//! Turns readings into raised, updated and cleared diagnoses, the same way for every detector. It measures time, not
//! the number of samples.

use alloc::vec::Vec;

use super::detector::{Detector, Reading};
use super::{Diagnosis, Evidence, Kind, Severity, Side, Threshold, Thresholds};
use crate::id::{FabricId, StreamKey, UserId};
use crate::unit::StatTime;

/// A raised diagnosis is cleared after this long without a known reading, ms: RTCP figures expire after this time, too.
pub(super) const UNKNOWN_MS: f64 = 30_000.0;

/// After this many time constants without a bad reading a diagnosis is over, whatever its level was.
const CALM: f64 = 2.0;

/// Initial capacity for diagnoses; it then doubles.
const BLOCK: usize = 4;

/// A change of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiagnosisChange {
    Raised,
    Updated,
    Cleared,
}

/// The diagnoses of one fabric, in the order in which they were raised.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct DiagnosisLog {
    pub(crate) diagnoses: Vec<Diagnosis>,
    /// Diagnoses beyond the limit.
    pub(crate) refused: u64,
}

/// Records diagnoses.
pub(crate) struct Recorder<'a> {
    pub(crate) log: &'a mut DiagnosisLog,
    pub(crate) limit: usize,
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) notify: &'a mut dyn FnMut(DiagnosisChange, &Diagnosis),
    pub(crate) fabric: FabricId,
    pub(crate) user: Option<UserId>,
}

/// The end of a sample, and its duration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleSpan {
    pub(crate) at: StatTime,
    pub(crate) ms: f64,
}

/// A detector with its monitor.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Monitored<D> {
    pub(crate) detector: D,
    meter: Monitor,
}

/// How bad a problem has been recently.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Monitor {
    /// Something is in progress: a raised diagnosis, a level at or above the clear limit, or unknown readings for a
    /// while.
    is_busy: bool,
    /// The sum of readings while nothing was in progress, and its duration: all of it counts as one reading afterwards.
    idle: WeightedSum,
    idle_ms: f64,
    part: f64,
    whole: f64,
    /// Time since the last known reading.
    pending_ms: f64,
    /// Time, counted or left out, since the stream began or resumed.
    awake_ms: f64,
    beyond_ms: f64,
    below_ms: f64,
    /// The same for unsmoothed readings.
    calm_ms: f64,
    /// When a reading first reached the limit since the level was last below it.
    since: Option<StatTime>,
    /// The sum of readings since then.
    sum: WeightedSum,
    raised: Raised,
}

/// A sum of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct WeightedSum {
    part: f64,
    whole: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Raised {
    #[default]
    No,
    /// The limit of diagnoses was reached; it is not tried again until the problem is over.
    Refused,
    Yes {
        place: usize,
        worst: f64,
        /// The end of the latest sample that was bad by itself, and the sum of all readings then.
        last: StatTime,
        sum: WeightedSum,
    },
}

/// The input of one step of a monitor: the kind, and where and when it was read.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: Kind,
    /// The severity below the threshold for severe.
    usual: Severity,
    reading: Reading,
    /// How long before the end of the sample the problem began, ms; `None`: with the sample.
    ago_ms: Option<f64>,
    span: SampleSpan,
    subject: Subject,
}

/// The subject of a diagnosis: a stream, or a side of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) stream: Option<StreamKey>,
    pub(super) side: Option<Side>,
}

/// How bad the problem is after a sample.
#[derive(Clone, Copy, Debug)]
struct Assessment {
    /// The smoothed level.
    level: f64,
    /// The level of this reading alone.
    alone: f64,
    is_calm: bool,
    is_over: bool,
    severity: Severity,
}

impl<D: Detector + Default> Monitored<D> {
    /// Reads a sample, and raises, updates or clears the diagnosis.
    pub(super) fn step(
        &mut self,
        sample: &D::Sample<'_>,
        span: SampleSpan,
        subject: Subject,
        recorder: &mut Recorder<'_>,
    ) {
        let reading = self.detector.read(sample);
        // Nearly every reading is good, and costs only a few additions.
        if !self.meter.is_busy && self.meter.idle(reading, span.ms, recorder.thresholds.at(D::KIND)) {
            return;
        }
        let was_raised = self.is_raised();
        let (ago_ms, usual) = (self.detector.ago_ms(), self.detector.severity());
        self.meter.step(&Step { kind: D::KIND, usual, reading, ago_ms, span, subject }, recorder);
        if let Raised::Yes { place, .. } = self.meter.raised {
            if !was_raised {
                self.detector.begin();
            }
            if self.meter.below_ms == 0.0 {
                self.detector.note();
            }
            if let Some(diagnosis) = recorder.log.diagnoses.get_mut(place) {
                self.detector.explain(&mut diagnosis.evidence);
            }
            if !was_raised && let Some(diagnosis) = recorder.log.diagnoses.get(place) {
                (recorder.notify)(DiagnosisChange::Raised, diagnosis);
            }
        }
    }

    /// Resets after the sample that ended at `end`. A raised diagnosis ends with the last known reading.
    pub(super) fn forget(&mut self, end: StatTime, recorder: &mut Recorder<'_>) {
        self.meter.forget(end, self.meter.pending_ms, recorder);
    }

    /// Withdraws a raised diagnosis: it never was.
    #[cold]
    pub(super) fn withdraw(&mut self, recorder: &mut Recorder<'_>) {
        if let Raised::Yes { place, .. } = self.meter.raised
            && let Some(diagnosis) = recorder.log.diagnoses.get_mut(place)
        {
            (diagnosis.to, diagnosis.is_refuted) = (Some(diagnosis.from), true);
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
            // It takes no capacity from others; the places of those after it must not change.
            if place + 1 == recorder.log.diagnoses.len() {
                recorder.log.diagnoses.pop();
            }
        }
        *self = Self::default();
    }

    fn is_raised(&self) -> bool {
        matches!(self.meter.raised, Raised::Yes { .. })
    }
}

impl Monitor {
    fn step(&mut self, sample: &Step, recorder: &mut Recorder<'_>) {
        let span = sample.span;
        if span.ms.is_nan() || span.ms <= 0.0 {
            return;
        }
        self.is_busy = true;
        let (sum, ms) = match sample.reading {
            Reading::Unknown => {
                self.pending_ms += span.ms;
                if self.pending_ms >= UNKNOWN_MS {
                    self.forget(span.at, self.pending_ms, recorder);
                }
                return;
            }
            Reading::Resting => return self.forget(span.at, span.ms, recorder),
            Reading::Level(level) => (WeightedSum { part: level * span.ms, whole: span.ms }, span.ms),
            // The counts cover the time since the last known reading.
            Reading::Share(part, whole) => (WeightedSum { part, whole }, span.ms + self.pending_ms),
        };
        self.pending_ms = 0.0;
        let settles = self.settles(ms, recorder.thresholds.at(sample.kind).settling_ms);
        if settles || !(sum.part.is_finite() && sum.whole.is_finite() && sum.whole > 0.0) {
            return;
        }
        let state = self.measure(sum, ms, sample, recorder.thresholds.at(sample.kind));
        match self.raised {
            Raised::No => self.raise(state, sample, recorder),
            Raised::Refused if state.is_over => self.raised = Raised::No,
            Raised::Refused => {}
            Raised::Yes { .. } => self.update(state, sample, recorder),
        }
    }

    /// Smooths a reading of `ms`, and measures how long the level has been beyond the limits.
    fn measure(&mut self, sum: WeightedSum, ms: f64, sample: &Step, threshold: &Threshold) -> Assessment {
        let smoothing_ms = threshold.smoothing_ms.max(1.0);
        let (idle, idle_ms) = (core::mem::take(&mut self.idle), core::mem::take(&mut self.idle_ms));
        self.smooth(idle, idle_ms, smoothing_ms);
        self.smooth(sum, ms, smoothing_ms);
        let (level, alone) = (self.part / self.whole, sum.part / sum.whole);
        let is_raised = matches!(self.raised, Raised::Yes { .. });
        if level < threshold.clear && alone < threshold.raise && !is_raised {
            self.since = None;
        } else if self.since.is_none() && alone >= threshold.raise {
            self.since = StatTime::from_millis(sample.span.at.as_millis() - sample.ago_ms.unwrap_or(ms));
            self.sum = WeightedSum::default();
        }
        self.sum = WeightedSum { part: self.sum.part + sum.part, whole: self.sum.whole + sum.whole };
        if level >= threshold.raise {
            self.beyond_ms += ms;
            self.below_ms = 0.0;
        } else {
            self.beyond_ms = 0.0;
            self.below_ms = if level < threshold.clear { self.below_ms + ms } else { 0.0 };
        }
        self.calm_ms = if alone < threshold.clear { self.calm_ms + ms } else { 0.0 };
        // The level falls slowly from a high value: good readings clear the diagnosis, too.
        let is_calm = self.calm_ms > 0.0 && self.calm_ms >= threshold.clear_after_ms + CALM * smoothing_ms;
        let is_over = is_calm || self.below_ms > 0.0 && self.below_ms >= threshold.clear_after_ms;
        let severity = if level >= threshold.severe { Severity::Severe } else { sample.usual };
        Assessment { level, alone, is_calm, is_over, severity }
    }

    /// Raises a diagnosis if the level has been beyond the limit for long enough.
    fn raise(&mut self, state: Assessment, sample: &Step, recorder: &mut Recorder<'_>) {
        let Step { kind, span, subject: Subject { stream, side }, .. } = *sample;
        let threshold = recorder.thresholds.at(kind);
        let Assessment { level, severity, .. } = state;
        let is_due = level >= threshold.raise && self.beyond_ms >= threshold.raise_after_ms;
        if !is_due {
            self.is_busy = self.since.is_some() || level >= threshold.clear;
            return;
        }
        let place = recorder.log.diagnoses.len();
        if place >= recorder.limit {
            recorder.log.refused = recorder.log.refused.saturating_add(1);
            self.raised = Raised::Refused;
            return;
        }
        let from = self.since.unwrap_or(span.at);
        let mut evidence = Evidence::default();
        evidence.set(kind.figure(), Some(self.sum.part / self.sum.whole));
        evidence.set(kind.worst_figure(), Some(level.max(self.sum.part / self.sum.whole)));
        let (fabric, user) = (recorder.fabric, recorder.user);
        let diagnosis =
            Diagnosis { kind, severity, fabric, stream, user, side, from, to: None, evidence, is_refuted: false };
        if place == recorder.log.diagnoses.capacity() {
            recorder.log.diagnoses.reserve(BLOCK);
        }
        recorder.log.diagnoses.push(diagnosis);
        self.raised = Raised::Yes { place, worst: level, last: span.at, sum: self.sum };
    }

    /// Updates a raised diagnosis, and clears it if it is over.
    fn update(&mut self, state: Assessment, sample: &Step, recorder: &mut Recorder<'_>) {
        let Raised::Yes { place, worst, last, sum } = &mut self.raised else { return };
        let kind = sample.kind;
        if state.alone >= recorder.thresholds.at(kind).clear {
            (*last, *sum) = (sample.span.at, self.sum);
        }
        *worst = worst.max(state.level).max(sum.part / sum.whole);
        let Some(diagnosis) = recorder.log.diagnoses.get_mut(*place) else { return };
        diagnosis.evidence.set(kind.figure(), Some(sum.part / sum.whole));
        diagnosis.evidence.set(kind.worst_figure(), Some(*worst));
        if state.is_over {
            // After a clock stepped back, a diagnosis still does not end before it began.
            diagnosis.to = Some(if *last < diagnosis.from { diagnosis.from } else { *last });
            self.raised = Raised::No;
            self.since = None;
            if state.is_calm {
                (self.part, self.beyond_ms) = (0.0, 0.0);
            }
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
        } else if state.severity > diagnosis.severity {
            diagnosis.severity = state.severity;
            (recorder.notify)(DiagnosisChange::Updated, diagnosis);
        }
    }

    /// Accepts a good reading while nothing is in progress; returns `false` for any other.
    #[inline]
    fn idle(&mut self, reading: Reading, ms: f64, threshold: &Threshold) -> bool {
        let (part, whole, ms) = match reading {
            Reading::Level(level) if level < threshold.clear => (level * ms, ms, ms),
            Reading::Share(part, whole) if part < threshold.clear * whole => (part, whole, ms + self.pending_ms),
            Reading::Unknown if ms > 0.0 && self.pending_ms + ms < UNKNOWN_MS => {
                self.pending_ms += ms;
                return true;
            }
            _ => return false,
        };
        if ms.is_nan() || ms <= 0.0 || !part.is_finite() || !whole.is_finite() {
            return false;
        }
        self.pending_ms = 0.0;
        if !self.settles(ms, threshold.settling_ms) {
            self.idle = WeightedSum { part: self.idle.part + part, whole: self.idle.whole + whole };
            self.idle_ms += ms;
        }
        true
    }

    /// Whether a sample of `ms` is too near the beginning to count. A sample that lies mostly after settling counts.
    fn settles(&mut self, ms: f64, settling_ms: f64) -> bool {
        let settles = self.awake_ms + ms / 2.0 < settling_ms;
        self.awake_ms += ms;
        settles
    }

    /// Adds the sum of readings of `ms`, as if each had been constant: the slicing into samples makes no difference.
    fn smooth(&mut self, sum: WeightedSum, ms: f64, smoothing_ms: f64) {
        if ms > 0.0 {
            let old_weight = libm::exp(-ms / smoothing_ms);
            let new_weight = (1.0 - old_weight) * smoothing_ms / ms;
            self.part = self.part * old_weight + sum.part * new_weight;
            self.whole = self.whole * old_weight + sum.whole * new_weight;
        }
    }

    /// Resets; a raised diagnosis ended before the sample of `ms` that ends at `at`.
    fn forget(&mut self, at: StatTime, ms: f64, recorder: &mut Recorder<'_>) {
        if let Raised::Yes { place, .. } = self.raised
            && let Some(diagnosis) = recorder.log.diagnoses.get_mut(place)
        {
            let began = StatTime::from_millis(at.as_millis() - ms).unwrap_or(at);
            diagnosis.to = Some(if began < diagnosis.from { diagnosis.from } else { began });
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
        }
        *self = Self::default();
    }
}
