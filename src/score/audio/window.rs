//! Collects the last seconds of an audio stream as inputs of the model. It does not score them.

use super::{AudioInputs, PACKET_MS};
use crate::id::Direction;
use crate::metric::{Interval, Metric};
use crate::score::mean::Mean;
use crate::score::{LEAST_MS, either};
use crate::unit::{Bitrate, Ratio};

/// Below this level, −50 dBov, there is no speech: speech is near −26 dBov (the level that P.830 asks for), residual
/// noise after suppression below −60.
const SPEECH_FLOOR: f64 = 0.003_162;
/// An interval with this fraction of the recently loudest power is all speech: speech itself pauses.
const FULL_SPEECH: f64 = 0.6;
/// Time over which power is averaged, ms: longer than a syllable and than the holes that fade to silence.
const LEVEL_MS: f64 = 300.0;
/// Time constant with which the loudest power is forgotten, ms: talkers move, and change.
const LOUDEST_MS: f64 = 30_000.0;
/// A loss ratio over fewer packets is not used: hardly any are sent during discontinuous transmission.
const LEAST_PACKETS: f64 = 10.0;
/// How long the remote endpoint's loss report is valid, ms: as its other figures are.
const LOSS_HOLDS_MS: f64 = 30_000.0;

/// The last seconds of an audio stream.
///
/// Audible media count, pooled before any division. An interval's weight depends on its age and on how much speech was
/// in it.
///
/// - **Time.** A figure that is `t` ms old has the weight e^(−t/2000): nine tenths of the weight are in the last five
///   seconds. With a longer window an outage would affect the seconds after it; with a shorter one a score would depend
///   on single packets. An interval of any length counts as if its figures were constant throughout, so the polling
///   rate does not change the window.
/// - **Speech.** A level below −50 dBov is inaudible and has no weight; above, the weight of an interval is its power
///   relative to the recently loudest interval, full from 0.6 of it. Concealed audio counts like the audio before it: a
///   hole in speech fades to silence. Without a level everything counts.
///
/// While nothing arrives, it is unknown whether anything was sent. Such intervals are [pending](Self::add_pending_outage) until
/// packets arrive again, which makes them an outage, or until the sender turns out to have paused
/// ([`clear`](Self::clear)), which discards them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AudioWindow {
    /// Nothing is forgotten.
    pooling: bool,
    level_known: bool,
    /// The power of the last moments, and its recent maximum.
    power: f64,
    loudest: f64,
    heard_ms: f64,
    means: [Mean; Figure::COUNT],
    /// How long the remote endpoint has not reported loss, ms.
    unreported_ms: f64,
    /// Concealment while nothing arrived, ms, if known, and how long that has lasted.
    pending_outage: Option<(Option<f64>, f64)>,
}

/// A figure of which the window computes a mean.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Figure {
    Concealed,
    Concealments,
    Stretched,
    Bitrate,
    Redundancy,
    Recovered,
    Lost,
    Discarded,
    PacketRate,
    JitterMs,
    JitterBufferMs,
}

impl Figure {
    const COUNT: usize = Self::JitterBufferMs as usize + 1;
}

impl AudioWindow {
    /// Time constant of forgetting, ms.
    pub const FORGETS_MS: f64 = 2_000.0;

    /// An empty window that forgets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty window that forgets nothing: for a stretch of time that the caller chooses.
    #[must_use]
    pub fn pooling() -> Self {
        Self { pooling: true, ..Self::default() }
    }

    /// Adds an interval in which the stream was measured. Returns how much of it was audible, ms: the weight of its
    /// score in an average over the call. A pending time before it was an outage, and counts as audible, too.
    pub fn add(&mut self, interval: &Interval) -> f64 {
        let span_ms = interval.length_ms();
        if span_ms == 0.0 {
            return 0.0;
        }
        let outage_ms = self.count_pending_outage();
        let concealed = concealed_in(interval);
        let speech = self.speech_in(interval.get(Metric::Level), concealed.unwrap_or(0.0), span_ms);
        let reported = self.note_loss(interval, span_ms);
        let ms = self.pass(span_ms, reported);
        let speech_ms = ms * speech;
        self.heard_ms += speech_ms;
        self.mean(Figure::Concealed, concealed, speech_ms);
        for (figure, metric) in [
            (Figure::Concealments, Metric::ConcealmentsPerSecond),
            (Figure::Stretched, Metric::TimeStretchRatio),
            (Figure::Bitrate, Metric::BitrateBps),
            (Figure::Redundancy, Metric::FecRatio),
            (Figure::Recovered, Metric::RecoveredRatio),
        ] {
            self.mean(figure, interval.get(metric), speech_ms);
        }
        // Weighted by packets: one lost packet during discontinuous transmission is not one lost second.
        let packets = interval.get(Metric::PacketRatePps).map_or(0.0, |pps| pps / 1e3 * speech_ms);
        if let Some(lost) = interval.get(Metric::LossRatio) {
            let expected = if packets > 0.0 { packets / (1.0 - lost.min(0.99)) } else { speech_ms / PACKET_MS };
            self.mean(Figure::Lost, Some(lost), expected);
        }
        let came = match interval.direction {
            Direction::Inbound => interval.get(Metric::LossRatio).map_or(1.0, |lost| 1.0 - lost.min(0.99)),
            Direction::Outbound => 1.0,
        };
        self.mean(Figure::PacketRate, interval.get(Metric::PacketRatePps).map(|pps| pps / came), speech_ms);
        self.mean(Figure::Discarded, interval.get(Metric::DiscardRatio), packets);
        self.mean(Figure::JitterMs, interval.get(Metric::JitterMs), ms);
        self.mean(Figure::JitterBufferMs, interval.get(Metric::JitterBufferDelayMs), ms);
        outage_ms + speech * span_ms
    }

    /// Adds an interval in which nothing arrived, of a received stream, for which it is not yet known whether anything
    /// was sent.
    pub fn add_pending_outage(&mut self, interval: &Interval) {
        let (concealed_ms, ms) = self.pending_outage.unwrap_or((None, 0.0));
        let span_ms = interval.length_ms();
        let concealed = interval.get(Metric::ConcealedRatio).map(|concealed| concealed * span_ms);
        self.pending_outage = Some((either(concealed_ms, concealed, |before, more| before + more), ms + span_ms));
    }

    /// Counts the pending time as an outage. Returns its length, ms.
    pub fn count_pending_outage(&mut self) -> f64 {
        let Some((concealed_ms, span_ms)) = self.pending_outage.take() else { return 0.0 };
        let ms = self.pass(span_ms, true);
        // Missing packets were lost, and their content is unknown: they count as speech.
        self.heard_ms += ms;
        let Some(concealed_ms) = concealed_ms else {
            self.mean(Figure::Lost, Some(1.0), ms / PACKET_MS);
            return span_ms;
        };
        self.mean(Figure::Concealed, Ratio::of(concealed_ms, span_ms).map(Ratio::as_f64), ms);
        // It is one hole.
        self.mean(Figure::Concealments, Some(1e3 / span_ms.max(PACKET_MS)), ms);
        span_ms
    }

    /// Length of the time for which it is unknown whether anything was sent, ms.
    #[must_use]
    pub fn pending_outage_ms(&self) -> f64 {
        self.pending_outage.map_or(0.0, |(_, ms)| ms)
    }

    /// Clears everything but the talker's level: the stream rested, or its counters were reset.
    pub fn clear(&mut self) {
        *self = Self { pooling: self.pooling, loudest: self.loudest, ..Self::default() };
    }

    /// The inputs of the window. `None` if too little was audible for a score. The caller adds the codec, the delays of
    /// the network and of playout, and negotiated parameters.
    #[must_use]
    pub fn inputs<'a>(&self) -> Option<AudioInputs<'a>> {
        if self.heard_ms < LEAST_MS {
            return None;
        }
        let mut inputs = AudioInputs::new();
        inputs.concealed = self.ratio_of(Figure::Concealed);
        inputs.concealments_per_second = self.mean_of(Figure::Concealments);
        inputs.stretched = self.ratio_of(Figure::Stretched);
        inputs.bitrate = self.mean_of(Figure::Bitrate).and_then(Bitrate::new);
        inputs.packet_ms = self.mean_of(Figure::PacketRate).and_then(packet_ms);
        inputs.redundancy = self.mean_of(Figure::Redundancy);
        inputs.recovered = self.ratio_of(Figure::Recovered);
        inputs.lost = self.ratio_of(Figure::Lost).filter(|_| self.has_enough_packets(Figure::Lost));
        inputs.discarded = self.ratio_of(Figure::Discarded).filter(|_| self.has_enough_packets(Figure::Discarded));
        inputs.jitter_ms = self.mean_of(Figure::JitterMs);
        inputs.jitter_buffer_ms = self.mean_of(Figure::JitterBufferMs);
        inputs.level_known = self.level_known;
        // On average, a fading window is as old as a plain window of twice the time.
        inputs.active_ms = Some(if self.pooling { self.heard_ms } else { 2.0 * self.heard_ms });
        Some(inputs)
    }

    fn mean_of(&self, figure: Figure) -> Option<f64> {
        self.means.get(figure as usize)?.get()
    }

    fn ratio_of(&self, figure: Figure) -> Option<Ratio> {
        Ratio::clamped(self.mean_of(figure)?)
    }

    fn has_enough_packets(&self, figure: Figure) -> bool {
        self.means.get(figure as usize).is_some_and(|mean| mean.weight() >= LEAST_PACKETS)
    }

    fn mean(&mut self, figure: Figure, value: Option<f64>, weight: f64) {
        if let (Some(value), Some(mean)) = (value, self.means.get_mut(figure as usize)) {
            mean.add(value * weight, weight);
        }
    }

    /// Whether loss was reported, or would have been: the remote endpoint's counts arrive every few seconds, and are
    /// valid until the next ones, but not for long.
    fn note_loss(&mut self, interval: &Interval, span_ms: f64) -> bool {
        if interval.direction == Direction::Inbound || interval.get(Metric::LossRatio).is_some() {
            self.unreported_ms = 0.0;
            return true;
        }
        self.unreported_ms += span_ms;
        if self.unreported_ms > LOSS_HOLDS_MS
            && let Some(lost) = self.means.get_mut(Figure::Lost as usize)
        {
            *lost = Mean::default();
        }
        false
    }

    /// Advances time. Returns the weight of that time, ms. Loss fades only if it could have been reported.
    fn pass(&mut self, span_ms: f64, reported: bool) -> f64 {
        if self.pooling {
            return span_ms;
        }
        let left = libm::exp(-span_ms / Self::FORGETS_MS);
        self.heard_ms *= left;
        for (figure, mean) in self.means.iter_mut().enumerate() {
            if reported || figure != Figure::Lost as usize {
                mean.fade(left);
            }
        }
        Self::FORGETS_MS * (1.0 - left)
    }

    /// The fraction of an interval that was speech, by its level. The level says nothing about concealed audio.
    fn speech_in(&mut self, level: Option<f64>, concealed: f64, span_ms: f64) -> f64 {
        let Some(level) = level else { return 1.0 };
        self.level_known = true;
        self.loudest *= libm::exp(-span_ms / LOUDEST_MS);
        let is_heard = level >= SPEECH_FLOOR;
        let now = if is_heard { level * level } else { 0.0 };
        let before = if self.loudest > 0.0 { self.power } else { now };
        let measured_ms = (1.0 - concealed.clamp(0.0, 1.0)) * span_ms;
        let left = libm::exp(-measured_ms / LEVEL_MS);
        self.power = now + (before - now) * left;
        self.loudest = self.loudest.max(self.power);
        if self.loudest <= 0.0 {
            return 0.0;
        }
        let speech = (self.power / (FULL_SPEECH * self.loudest)).min(1.0);
        if is_heard { speech } else { concealed.clamp(0.0, 1.0) * speech }
    }
}

/// Audio per packet at this packet rate during speech, ms. `None` unless it is near a duration that codecs use:
/// discontinuous transmission and delayed packets give other rates.
fn packet_ms(pps: f64) -> Option<f64> {
    const NEAR: f64 = 0.1;
    [10.0, 20.0, 30.0, 40.0, 60.0, 120.0].into_iter().find(|ms| (1e3 / pps / ms - 1.0).abs() <= NEAR)
}

/// The audible concealment of an interval. Silence played because nothing was sent is inaudible; silence played for
/// lost packets is the tail of a long hole, and no longer than the lost packets.
fn concealed_in(interval: &Interval) -> Option<f64> {
    let all = interval.get(Metric::ConcealedRatio)?;
    let Some(audible) = interval.get(Metric::AudibleConcealedRatio) else { return Some(all) };
    let lost = interval.get(Metric::LossRatio).unwrap_or(0.0);
    let discarded = interval.get(Metric::DiscardRatio).unwrap_or(0.0);
    if lost == 0.0 && discarded == 0.0 {
        return Some(audible);
    }
    let Some(pps) = interval.get(Metric::PacketRatePps).filter(|&pps| pps > 0.0 && lost < 1.0) else {
        return Some(all);
    };
    let missing = (lost / (1.0 - lost) + discarded) * pps * (PACKET_MS / 1e3);
    Some(all.min(audible + missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MediaKind, Ssrc};
    use crate::unit::StatTime;
    use proptest::prelude::*;

    /// An interval of received audio with some figures.
    fn interval(span_ms: f64, figures: &[(Metric, f64)]) -> Interval {
        let at = StatTime::from_millis(span_ms).unwrap();
        let mut interval = Interval::new(at, span_ms, Direction::Inbound, Ssrc::new(7), Some(MediaKind::Audio));
        for &(metric, value) in figures {
            interval.set(metric, Some(value));
        }
        interval
    }

    /// Speech at a level, with some concealment.
    fn speech(span_ms: f64, level: f64, concealed: f64) -> Interval {
        interval(
            span_ms,
            &[
                (Metric::Level, level),
                (Metric::AudibleConcealedRatio, concealed),
                (Metric::ConcealedRatio, concealed),
                (Metric::ConcealmentsPerSecond, 10.0 * concealed),
                (Metric::TimeStretchRatio, concealed / 3.0),
                (Metric::BitrateBps, 30_000.0),
                (Metric::PacketRatePps, 50.0),
                (Metric::LossRatio, concealed / 2.0),
                (Metric::JitterMs, 3.0),
                (Metric::JitterBufferDelayMs, 60.0),
            ],
        )
    }

    fn concealed(window: &AudioWindow) -> f64 {
        window.inputs().unwrap().concealed.unwrap().as_f64()
    }

    proptest! {
        #[test]
        fn the_polling_rate_does_not_change_the_window(
            intervals in prop::collection::vec((100.0..5_000.0_f64, 0.0..0.5_f64), 1..12), level in 0.01..0.3_f64, cuts in 1..20_u32,
        ) {
            let (mut whole, mut sliced) = (AudioWindow::new(), AudioWindow::new());
            for (span_ms, lost) in intervals {
                whole.add(&speech(span_ms, level, lost));
                for _ in 0..cuts {
                    sliced.add(&speech(span_ms / f64::from(cuts), level, lost));
                }
            }
            let (whole, sliced) = (whole.inputs(), sliced.inputs());
            prop_assert_eq!(whole.is_some(), sliced.is_some());
            if let (Some(whole), Some(sliced)) = (whole, sliced) {
                let near = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * a.abs() + 1e-12);
                prop_assert!(near(whole.concealed.map(Ratio::as_f64), sliced.concealed.map(Ratio::as_f64)));
                prop_assert!(near(whole.concealments_per_second, sliced.concealments_per_second));
                prop_assert!(near(whole.lost.map(Ratio::as_f64), sliced.lost.map(Ratio::as_f64)));
                prop_assert!(near(whole.jitter_buffer_ms, sliced.jitter_buffer_ms));
                prop_assert!(near(whole.active_ms, sliced.active_ms));
            }
        }

        #[test]
        fn inaudible_concealment_has_no_weight(
            heard in 0.05..0.3_f64, quiet in 0.0..0.003_f64, lost in 0.0..0.5_f64, quiet_lost in 0.0..1.0_f64,
        ) {
            let mut window = AudioWindow::new();
            window.add(&speech(1_000.0, heard, lost));
            let before = concealed(&window);
            prop_assert_eq!(window.add(&speech(500.0, quiet, 0.0)), 0.0);
            prop_assert!((concealed(&window) - before).abs() < 1e-12);
            window.add(&speech(4_500.0, quiet, 0.0));
            // The talker has fallen silent: this hole is in silence.
            prop_assert!(window.add(&speech(500.0, quiet, quiet_lost)) < 0.001);
        }

        #[test]
        fn packet_duration_follows_from_the_packet_rate(lost in 0.0..0.3_f64, which in 0..4_usize) {
            let ms = [10.0, 20.0, 40.0, 60.0][which];
            let mut window = AudioWindow::new();
            let came = 1e3 / ms * (1.0 - lost);
            window.add(&interval(1_000.0, &[(Metric::PacketRatePps, came), (Metric::LossRatio, lost)]));
            prop_assert_eq!(window.inputs().unwrap().packet_ms, Some(ms));
            // No codec has frames of 25 ms: packets of other kinds are among them.
            let mut window = AudioWindow::new();
            window.add(&interval(1_000.0, &[(Metric::PacketRatePps, 40.0)]));
            prop_assert_eq!(window.inputs().unwrap().packet_ms, None);
        }

        #[test]
        fn a_hole_in_speech_is_audible_at_any_level(
            heard in 0.05..0.3_f64, quiet in 0.0..0.003_f64, lost in 0.9..1.0_f64, ms in 100.0..2_000.0_f64,
        ) {
            let mut window = AudioWindow::new();
            window.add(&speech(2_000.0, heard, 0.0));
            prop_assert!(window.add(&speech(ms, quiet, lost)) > 0.6 * ms);
        }

        #[test]
        fn any_figures_make_possible_inputs(
            figures in prop::collection::vec((0..Metric::COUNT, any::<f64>()), 0..30), span_ms in 0.0..1e7_f64,
        ) {
            let mut window = AudioWindow::new();
            let mut one = interval(span_ms, &[]);
            for (metric, value) in figures {
                one.set(Metric::ALL[metric], Some(value));
            }
            let weight = window.add(&one);
            prop_assert!((0.0..=span_ms).contains(&weight));
            if let Some(inputs) = window.inputs() {
                prop_assert!(inputs.concealments_per_second.is_none_or(f64::is_finite));
                prop_assert!(inputs.active_ms.is_some_and(f64::is_finite));
            }
        }
    }

    #[test]
    fn the_last_five_seconds_have_nine_tenths_of_the_weight() {
        let mut window = AudioWindow::new();
        for _ in 0..60 {
            window.add(&speech(1_000.0, 0.2, 0.0));
        }
        for _ in 0..5 {
            window.add(&speech(1_000.0, 0.2, 0.1));
        }
        let share = concealed(&window) / 0.1;
        assert!((0.9..0.95).contains(&share), "{share}");
    }

    #[test]
    fn an_interval_with_half_speech_counts_half() {
        let mut window = AudioWindow::pooling();
        window.add(&speech(1_000.0, 0.2, 0.0));
        // Half of the time at the same level is half of the power: 0.5 of 0.6.
        let weight = window.add(&speech(1_000.0, 0.2 / 2.0_f64.sqrt(), 0.1));
        // A little more: the loudest power has faded slightly after a second, and the smoothed power has not fallen
        // completely.
        assert!((0.5 / 0.6..0.5 / 0.6 * 1.1).contains(&(weight / 1_000.0)), "{weight}");
    }

    #[test]
    fn pending_time_is_an_outage_unless_the_sender_rested() {
        let silence = [(Metric::ConcealedRatio, 1.0), (Metric::PacketRatePps, 0.0), (Metric::Level, 0.0)];
        let mut window = AudioWindow::new();
        window.add(&speech(2_000.0, 0.2, 0.0));
        window.add_pending_outage(&interval(1_000.0, &silence));
        window.add_pending_outage(&interval(1_000.0, &silence));
        assert_eq!((window.pending_outage_ms(), concealed(&window)), (2_000.0, 0.0));

        let mut outage = window;
        assert_eq!(outage.add(&speech(1_000.0, 0.2, 0.0)), 3_000.0);
        assert!(concealed(&outage) > 0.3);
        // One hole, not many.
        assert!(outage.inputs().unwrap().concealments_per_second < Some(0.5));

        window.clear();
        assert_eq!((window.pending_outage_ms(), window.inputs()), (0.0, None));
        window.add(&speech(1_000.0, 0.2, 0.0));
        assert_eq!(concealed(&window), 0.0);
    }

    #[test]
    fn reported_loss_is_valid_for_thirty_seconds() {
        let mut window = AudioWindow::new();
        let sent = |figures: &[(Metric, f64)]| {
            let mut interval = interval(1_000.0, &[&[(Metric::PacketRatePps, 50.0)], figures].concat());
            interval.direction = Direction::Outbound;
            interval
        };
        let lost = |window: &AudioWindow| window.inputs().unwrap().lost.map(Ratio::as_f64);
        window.add(&sent(&[(Metric::LossRatio, 0.1)]));
        for _ in 0..29 {
            window.add(&sent(&[]));
            assert!((lost(&window).unwrap() - 0.1).abs() < 1e-12);
        }
        window.add(&sent(&[]));
        window.add(&sent(&[]));
        assert_eq!(lost(&window), None);
    }

    #[test]
    fn one_lost_of_two_packets_is_no_loss_of_half() {
        let mut window = AudioWindow::new();
        window.add(&interval(1_000.0, &[(Metric::PacketRatePps, 1.0), (Metric::LossRatio, 0.5)]));
        assert_eq!(window.inputs().unwrap().lost, None);
        window.add(&interval(1_000.0, &[(Metric::PacketRatePps, 50.0), (Metric::LossRatio, 0.0)]));
        assert!(window.inputs().unwrap().lost.unwrap().as_f64() < 0.05);
    }

    #[test]
    fn silence_counts_as_concealment_only_for_lost_packets() {
        let figures = [(Metric::ConcealedRatio, 0.5), (Metric::AudibleConcealedRatio, 0.1)];
        let of = |more: &[(Metric, f64)]| {
            let mut window = AudioWindow::new();
            window.add(&interval(1_000.0, &[&figures, more].concat()));
            concealed(&window)
        };
        assert!((of(&[(Metric::LossRatio, 0.0)]) - 0.1).abs() < 1e-12);
        assert!((of(&[(Metric::LossRatio, 0.2)]) - 0.5).abs() < 1e-12);
        assert!((of(&[(Metric::DiscardRatio, 0.2)]) - 0.5).abs() < 1e-12);
    }
}
