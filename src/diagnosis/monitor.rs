//! Turns readings into raised, updated and cleared diagnoses, the same way for every detector. It measures time, not
//! the number of samples.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::detector::{Detector, Reading};
use super::{Diagnosis, Evidence, Kind, Severity, Side, Threshold, Thresholds};
use crate::id::{FabricId, StreamKey, UserId};
use crate::list::push;
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
    /// What is in progress, raised or not.
    episodes: EpisodePool,
}

/// How many problems may be in progress at once in a fabric before anything is allocated for one, besides those of its
/// streams.
const EXPECTED_EPISODES: usize = 2;
/// For every so many streams there is room for one more.
const STREAMS_PER_EPISODE: usize = 4;

impl DiagnosisLog {
    /// Allocates in advance for what may be in progress in so many streams.
    pub(super) fn expect_streams(&mut self, streams: usize) {
        self.episodes.reserve(EXPECTED_EPISODES + streams / STREAMS_PER_EPISODE);
    }
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

/// How bad a problem has been recently: what every detector needs all the time. The rest is an [`Episode`].
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Monitor {
    /// The sum of readings while nothing was in progress, and its duration: all of it counts as one reading afterwards.
    idle: WeightedSum,
    idle_ms: f64,
    part: f64,
    whole: f64,
    /// Time since the last known reading.
    pending_ms: f64,
    /// Time, counted or left out, since the stream began or resumed.
    awake_ms: f64,
    /// Something is in progress: a raised diagnosis, a level at or above the clear limit, or unknown readings for a
    /// while. Mostly `None`, so episodes are in a pool.
    episode: Option<EpisodeId>,
}

/// The state of a problem in progress.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Episode {
    beyond_ms: f64,
    below_ms: f64,
    /// The same for unsmoothed readings.
    calm_ms: f64,
    /// When a reading first reached the limit since the level was last below it.
    since: Option<StatTime>,
    /// The sum of readings since then.
    sum: WeightedSum,
    raised: Raised,
    /// The next unused episode, if this one is unused.
    next: Option<EpisodeId>,
}

/// The place of an episode, counted from 1.
type EpisodeId = NonZeroU32;

/// The episodes of one fabric. An unused one is used again, so nothing is allocated unless more problems are in
/// progress at once than ever before.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct EpisodePool {
    episodes: Vec<Episode>,
    /// The first of the unused episodes, each of which knows the next.
    unused: Option<EpisodeId>,
}

impl EpisodePool {
    fn get(&self, id: EpisodeId) -> Option<&Episode> {
        self.episodes.get(id.get() as usize - 1)
    }

    fn get_mut(&mut self, id: EpisodeId) -> Option<&mut Episode> {
        self.episodes.get_mut(id.get() as usize - 1)
    }

    /// An episode that has just begun. `None` when ids are used up.
    fn open(&mut self) -> Option<EpisodeId> {
        if let Some(id) = self.unused
            && let Some(episode) = self.get_mut(id)
        {
            let next = core::mem::take(episode).next;
            self.unused = next;
            return Some(id);
        }
        push(&mut self.episodes, Episode::default());
        u32::try_from(self.episodes.len()).ok().and_then(EpisodeId::new)
    }

    /// Frees an episode.
    fn close(&mut self, id: EpisodeId) {
        let next = self.unused;
        if let Some(episode) = self.get_mut(id) {
            *episode = Episode { next, ..Episode::default() };
            self.unused = Some(id);
        }
    }

    /// Allocates for `all` episodes in advance.
    fn reserve(&mut self, all: usize) {
        self.episodes.reserve_exact(all.saturating_sub(self.episodes.len()));
    }
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
        if self.meter.episode.is_none() && self.meter.idle(reading, span.ms, recorder.thresholds.at(D::KIND)) {
            return;
        }
        let was_raised = matches!(self.meter.raised(recorder.log), Raised::Yes { .. });
        let (ago_ms, usual) = (self.detector.ago_ms(), self.detector.severity());
        let episode = self.meter.step(&Step { kind: D::KIND, usual, reading, ago_ms, span, subject }, recorder);
        if let Raised::Yes { place, .. } = episode.raised {
            if !was_raised {
                self.detector.begin();
            }
            if episode.below_ms == 0.0 {
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
        if let Raised::Yes { place, .. } = self.meter.raised(recorder.log)
            && let Some(diagnosis) = recorder.log.diagnoses.get_mut(place)
        {
            (diagnosis.to, diagnosis.is_refuted) = (Some(diagnosis.from), true);
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
            // It takes no capacity from others; the places of those after it must not change.
            if place + 1 == recorder.log.diagnoses.len() {
                recorder.log.diagnoses.pop();
            }
        }
        self.meter.reset(recorder.log);
        *self = Self::default();
    }
}

impl Monitor {
    /// Whether a diagnosis is raised.
    fn raised(&self, log: &DiagnosisLog) -> Raised {
        self.episode.and_then(|id| log.episodes.get(id)).map_or(Raised::No, |episode| episode.raised)
    }

    /// Takes any reading. Returns the state of what is in progress afterwards.
    #[cold]
    #[inline(never)]
    fn step(&mut self, sample: &Step, recorder: &mut Recorder<'_>) -> Episode {
        if sample.span.ms.is_nan() || sample.span.ms <= 0.0 {
            return self.episode.and_then(|id| recorder.log.episodes.get(id)).copied().unwrap_or_default();
        }
        let Some(id) = self.episode.or_else(|| recorder.log.episodes.open()) else { return Episode::default() };
        self.episode = Some(id);
        let mut episode = recorder.log.episodes.get(id).copied().unwrap_or_default();
        let is_busy = self.advance(&mut episode, sample, recorder);
        match recorder.log.episodes.get_mut(id) {
            Some(kept) if is_busy => *kept = episode,
            _ => self.close(recorder.log),
        }
        episode
    }

    /// Takes a reading during an episode. Returns whether anything is still in progress.
    fn advance(&mut self, episode: &mut Episode, sample: &Step, recorder: &mut Recorder<'_>) -> bool {
        let span = sample.span;
        let (sum, ms) = match sample.reading {
            Reading::Unknown => {
                self.pending_ms += span.ms;
                if self.pending_ms < UNKNOWN_MS {
                    return true;
                }
                self.forget(span.at, self.pending_ms, recorder);
                *episode = Episode::default();
                return false;
            }
            Reading::Resting => {
                self.forget(span.at, span.ms, recorder);
                *episode = Episode::default();
                return false;
            }
            Reading::Level(level) => (WeightedSum { part: level * span.ms, whole: span.ms }, span.ms),
            // The counts cover the time since the last known reading.
            Reading::Share(part, whole) => (WeightedSum { part, whole }, span.ms + self.pending_ms),
        };
        self.pending_ms = 0.0;
        let settles = self.settles(ms, recorder.thresholds.at(sample.kind).settling_ms);
        if settles || !(sum.part.is_finite() && sum.whole.is_finite() && sum.whole > 0.0) {
            return true;
        }
        let state = self.measure(episode, sum, ms, sample, recorder.thresholds.at(sample.kind));
        match episode.raised {
            Raised::No => return episode.raise(state, sample, recorder),
            Raised::Refused if state.is_over => episode.raised = Raised::No,
            Raised::Refused => {}
            Raised::Yes { .. } => {
                let is_over = episode.update(state, sample, recorder);
                if is_over && state.is_calm {
                    self.part = 0.0;
                }
            }
        }
        true
    }

    /// Smooths a reading of `ms`, and measures how long the level has been beyond the limits.
    fn measure(
        &mut self,
        episode: &mut Episode,
        sum: WeightedSum,
        ms: f64,
        sample: &Step,
        threshold: &Threshold,
    ) -> Assessment {
        let smoothing_ms = threshold.smoothing_ms.max(1.0);
        let (idle, idle_ms) = (core::mem::take(&mut self.idle), core::mem::take(&mut self.idle_ms));
        self.smooth(idle, idle_ms, smoothing_ms);
        self.smooth(sum, ms, smoothing_ms);
        let (level, alone) = (self.part / self.whole, sum.part / sum.whole);
        let is_raised = matches!(episode.raised, Raised::Yes { .. });
        if level < threshold.clear && alone < threshold.raise && !is_raised {
            episode.since = None;
        } else if episode.since.is_none() && alone >= threshold.raise {
            episode.since = StatTime::from_millis(sample.span.at.as_millis() - sample.ago_ms.unwrap_or(ms));
            episode.sum = WeightedSum::default();
        }
        episode.sum = WeightedSum { part: episode.sum.part + sum.part, whole: episode.sum.whole + sum.whole };
        if level >= threshold.raise {
            episode.beyond_ms += ms;
            episode.below_ms = 0.0;
        } else {
            episode.beyond_ms = 0.0;
            episode.below_ms = if level < threshold.clear { episode.below_ms + ms } else { 0.0 };
        }
        episode.calm_ms = if alone < threshold.clear { episode.calm_ms + ms } else { 0.0 };
        // The level falls slowly from a high value: good readings clear the diagnosis, too.
        let is_calm = episode.calm_ms > 0.0 && episode.calm_ms >= threshold.clear_after_ms + CALM * smoothing_ms;
        let is_over = is_calm || episode.below_ms > 0.0 && episode.below_ms >= threshold.clear_after_ms;
        let severity = if level >= threshold.severe { Severity::Severe } else { sample.usual };
        Assessment { level, alone, is_calm, is_over, severity }
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
        if let Raised::Yes { place, .. } = self.raised(recorder.log)
            && let Some(diagnosis) = recorder.log.diagnoses.get_mut(place)
        {
            let began = StatTime::from_millis(at.as_millis() - ms).unwrap_or(at);
            diagnosis.to = Some(if began < diagnosis.from { diagnosis.from } else { began });
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
        }
        self.reset(recorder.log);
    }

    /// Starts over, without an episode.
    fn reset(&mut self, log: &mut DiagnosisLog) {
        self.close(log);
        *self = Self::default();
    }

    fn close(&mut self, log: &mut DiagnosisLog) {
        if let Some(id) = self.episode.take() {
            log.episodes.close(id);
        }
    }
}

impl Episode {
    /// Raises a diagnosis if the level has been beyond the limit for long enough. Returns whether anything is in
    /// progress.
    fn raise(&mut self, state: Assessment, sample: &Step, recorder: &mut Recorder<'_>) -> bool {
        let Step { kind, span, subject: Subject { stream, side }, .. } = *sample;
        let threshold = recorder.thresholds.at(kind);
        let Assessment { level, severity, .. } = state;
        let is_due = level >= threshold.raise && self.beyond_ms >= threshold.raise_after_ms;
        if !is_due {
            return self.since.is_some() || level >= threshold.clear;
        }
        let place = recorder.log.diagnoses.len();
        if place >= recorder.limit {
            recorder.log.refused = recorder.log.refused.saturating_add(1);
            self.raised = Raised::Refused;
            return true;
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
        true
    }

    /// Updates a raised diagnosis, and clears it if it is over. Returns whether it was cleared.
    fn update(&mut self, state: Assessment, sample: &Step, recorder: &mut Recorder<'_>) -> bool {
        let Raised::Yes { place, worst, last, sum } = &mut self.raised else { return false };
        let kind = sample.kind;
        if state.alone >= recorder.thresholds.at(kind).clear {
            (*last, *sum) = (sample.span.at, self.sum);
        }
        *worst = worst.max(state.level).max(sum.part / sum.whole);
        let Some(diagnosis) = recorder.log.diagnoses.get_mut(*place) else { return false };
        diagnosis.evidence.set(kind.figure(), Some(sum.part / sum.whole));
        diagnosis.evidence.set(kind.worst_figure(), Some(*worst));
        if state.is_over {
            // After a clock stepped back, a diagnosis still does not end before it began.
            diagnosis.to = Some(if *last < diagnosis.from { diagnosis.from } else { *last });
            self.raised = Raised::No;
            self.since = None;
            if state.is_calm {
                self.beyond_ms = 0.0;
            }
            (recorder.notify)(DiagnosisChange::Cleared, diagnosis);
            return true;
        }
        if state.severity > diagnosis.severity {
            diagnosis.severity = state.severity;
            (recorder.notify)(DiagnosisChange::Updated, diagnosis);
        }
        false
    }
}
