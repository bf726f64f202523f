//! The table of detectors, and the samples of streams, senders and the connection that feed it. It contains no
//! detector.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::detector::clock::{ClockSkew, StatsGap};
use super::detector::congestion::{DownlinkCongestion, UplinkCongestion};
use super::detector::delay::{BufferStress, HighJitter, HighRtt};
use super::detector::flow::{NoMedia, OneWayMedia};
use super::detector::life::{ConnectionDropped, ConnectionFailed};
use super::detector::loss::HighLoss;
use super::detector::microphone::{Echo, SilentMicrophone, SpeakingWhileMuted};
use super::detector::path::{IceDisrupted, IceFlapping, RelayOverTcp, SlowSetup};
use super::detector::picture::{FrozenVideo, KeyFrameStorm, LowFrameRate, LowResolution, NullDecoder, StuckDecoder};
use super::detector::processor::{CpuLimitedReceiver, CpuLimitedSender};
use super::detector::rtcp::{MediaTimeout, RtcpTimeout};
use super::detector::sound::{AudibleConcealment, RoboticVoice};
use super::detector::sync::AvOutOfSync;
use super::detector::{Detector, Facts};
use super::monitor::{DiagnosisLog, Monitored, Recorder, SampleSpan, Subject, UNKNOWN_MS};
use super::sample::{ConnectionSample, ConnectionStatus, Flow, Losses, Pair, StreamSample};
use super::{Diagnosis, DiagnosisChange, Kind, Side, Thresholds};
use crate::id::{Direction, FabricId, MediaKind, StreamKey, UserId};
use crate::list::push;
use crate::metric::Cadence;
use crate::metric::{Interval, IntervalState, Metric};
use crate::unit::{StatTime, Timestamp};

/// All detectors of a fabric.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Detectors {
    pub(crate) log: DiagnosisLog,
    streams: Vec<MonitoredStream>,
    /// Senders of received media, sorted by user.
    senders: Vec<Sender>,
    last: Option<(StatTime, Timestamp)>,
    cadence: Cadence,
    /// For the current snapshot, by direction: inbound, outbound.
    losses: [Losses; 2],
    flows: [Flow; 2],
    /// Whether a new report of the remote endpoint arrived: a sender report, a receiver report.
    has_new_report: [bool; 2],
    /// Time since any report, and since a report on sent media, ms, counting only time in which something was sent.
    rtcp_ms: Option<f64>,
    report_ms: Option<f64>,
    /// The level of the far end: in the current snapshot so far, and in the previous one.
    far_level: Option<f64>,
    far_level_before: Option<f64>,
    /// The longest round trip by RTCP.
    rtcp_rtt_ms: Option<f64>,
    network: NetworkDetectors,
    flow: FlowDetectors,
    path: PathDetectors,
    setup: SetupDetectors,
    /// Few connections fail.
    life: Option<Box<LifeDetectors>>,
    clock: ClockDetectors,
}

/// A sender, and its detectors.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Sender {
    /// The user of the streams; `None` for all streams without a user.
    user: Option<UserId>,
    pair: Pair,
    detectors: SenderDetectors,
}

/// The detectors of a stream.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct MonitoredStream {
    /// Packets sent since the last report of loss.
    unreported_sent: f64,
    /// The time of the last report of the remote endpoint.
    reported: Option<StatTime>,
    /// The end of the latest sample.
    end: Option<StatTime>,
    media: StreamDetectors,
}

impl MonitoredStream {
    /// Ends a stream that has had no sample for long, and its diagnoses.
    fn end_missing(&mut self, at: StatTime, recorder: &mut Recorder<'_>) {
        if let Some(end) = self.end
            && at.millis_since(end) >= UNKNOWN_MS
        {
            self.media.forget(end, recorder);
            self.end = None;
        }
    }
}

const BOTH: Option<Side> = None;
const UPLINK: Option<Side> = Some(Side::Uplink);
const DOWNLINK: Option<Side> = Some(Side::Downlink);

/// A sample, or a field of it.
macro_rules! part {
    ($sample:ident) => {
        $sample
    };
    ($sample:ident $part:ident) => {
        &$sample.$part
    };
}

/// Declares the detectors: those of each type of stream, and groups of others with the sample that a group reads, the
/// side that a diagnosis is about, and the field of the sample if a detector reads only that. Detectors run in the
/// order of the table.
macro_rules! detectors {
    (
        streams { $($variant:ident: $kind:ident $direction:ident { $($field:ident: $detector:ident,)* })* }
        groups { $($group:ident: $sample:ident { $($member:ident: $finder:ident $side:ident $(of $part:ident)?,)* })* }
    ) => {
        /// Boxed, because they differ in size and a stream holds one for the whole call.
        #[derive(Clone, Debug, Default)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        enum StreamDetectors {
            #[default]
            Unknown,
            $($variant(Box<$variant>),)*
        }

        $(
            #[derive(Clone, Debug, Default)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
            struct $variant { $($field: Monitored<$detector>,)* }
        )*

        impl StreamDetectors {
            fn of(interval: &Interval) -> Self {
                match (interval.kind, interval.direction) {
                    (None, _) => Self::Unknown,
                    $((Some(MediaKind::$kind), Direction::$direction) => Self::$variant(Box::default()),)*
                }
            }

            fn step(&mut self, sample: &StreamSample<'_>, span: SampleSpan, subject: Subject, recorder: &mut Recorder<'_>) {
                match self {
                    Self::Unknown => {}
                    $(Self::$variant(all) => { $(all.$field.step(sample, span, subject, recorder);)* })*
                }
            }

            fn forget(&mut self, end: StatTime, recorder: &mut Recorder<'_>) {
                match self {
                    Self::Unknown => {}
                    $(Self::$variant(all) => { $(all.$field.forget(end, recorder);)* })*
                }
            }
        }

        $(
            #[derive(Clone, Debug, Default)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
            struct $group { $($member: Monitored<$finder>,)* }

            impl $group {
                fn step(&mut self, sample: &$sample, span: SampleSpan, stream: Option<StreamKey>, recorder: &mut Recorder<'_>) {
                    $(
                        let subject = Subject { stream, side: $side };
                        self.$member.step(part!(sample $($part)?), span, subject, recorder);
                    )*
                }

                fn forget(&mut self, end: StatTime, recorder: &mut Recorder<'_>) {
                    $(self.$member.forget(end, recorder);)*
                }
            }
        )*

        /// The facts of a kind, by its detector. The compiler rejects a kind without one.
        #[allow(unreachable_patterns)] // one detector may appear several times
        pub(super) const fn facts_of(kind: Kind) -> Facts {
            match kind {
                $($(<$detector as Detector>::KIND => Facts::of::<$detector>(),)*)*
                $($(<$finder as Detector>::KIND => Facts::of::<$finder>(),)*)*
            }
        }
    };
}

detectors! {
    streams {
        AudioIn: Audio Inbound {
            missing: OneWayMedia,
            jitter: HighJitter,
            stress: BufferStress,
            concealment: AudibleConcealment,
            stretch: RoboticVoice,
        }
        AudioOut: Audio Outbound {
            unconfirmed: MediaTimeout,
            silent: SilentMicrophone,
            muted: SpeakingWhileMuted,
            echo: Echo,
        }
        VideoIn: Video Inbound {
            missing: OneWayMedia,
            frozen: FrozenVideo,
            frame_rate: LowFrameRate,
            resolution: LowResolution,
            processor: CpuLimitedReceiver,
            stuck: StuckDecoder,
            null: NullDecoder,
            storm: KeyFrameStorm,
        }
        VideoOut: Video Outbound {
            unconfirmed: MediaTimeout,
            frame_rate: LowFrameRate,
            processor: CpuLimitedSender,
            storm: KeyFrameStorm,
        }
    }
    groups {
        // The only group that runs for a sample after a gap.
        ClockDetectors: ConnectionSample {
            gap: StatsGap BOTH,
            skew: ClockSkew BOTH,
        }
        // They conclude from events, too.
        LifeDetectors: ConnectionSample {
            failed: ConnectionFailed BOTH,
            dropped: ConnectionDropped BOTH,
        }
        SetupDetectors: ConnectionSample {
            setup: SlowSetup BOTH,
        }
        PathDetectors: ConnectionSample {
            disrupted: IceDisrupted BOTH,
            flapping: IceFlapping BOTH,
            relay: RelayOverTcp BOTH,
        }
        FlowDetectors: ConnectionSample {
            no_media: NoMedia DOWNLINK,
            rtcp_timeout: RtcpTimeout BOTH,
        }
        NetworkDetectors: ConnectionSample {
            received_loss: HighLoss DOWNLINK of received_losses,
            sent_loss: HighLoss UPLINK of sent_losses,
            rtt: HighRtt BOTH,
            uplink: UplinkCongestion UPLINK,
            downlink: DownlinkCongestion DOWNLINK,
        }
        SenderDetectors: Pair {
            sync: AvOutOfSync DOWNLINK,
        }
    }
}

impl Detectors {
    /// Accepts a sample of the stream in this slot of the fabric.
    pub(crate) fn sample_stream(&mut self, slot: usize, mut sample: StreamSample<'_>, parts: RecorderParts<'_>) {
        while self.streams.len() <= slot {
            push(&mut self.streams, MonitoredStream::default());
            self.log.expect_streams(self.streams.len());
        }
        let interval = sample.interval;
        self.note_rtcp(slot, &mut sample);
        self.add_up(slot, interval);
        self.add_playing(&sample, parts.fabric);
        let Self { streams, log, .. } = self;
        let stream = &mut streams[slot];
        if let StreamDetectors::Unknown = stream.media {
            stream.media = StreamDetectors::of(interval);
        }
        stream.end = Some(interval.at);
        let mut recorder = parts.at(log);
        let key = StreamKey::new(recorder.fabric, interval.direction, interval.ssrc);
        let span = SampleSpan { at: interval.at, ms: interval.span_ms };
        let subject = Subject { stream: Some(key), side: Some(Side::from(interval.direction)) };
        stream.media.step(&sample, span, subject, &mut recorder);
    }

    /// Forgets the time of the latest sample, which was wrong.
    pub(crate) const fn forget_last(&mut self) {
        self.last = None;
    }

    /// Accepts a sample of the fabric, after those of its streams.
    pub(crate) fn sample_connection(&mut self, sample: &ConnectionStatus, parts: RecorderParts<'_>) {
        let [received_losses, sent_losses] = core::mem::take(&mut self.losses);
        let [received, sent] = core::mem::take(&mut self.flows);
        let [hears_sender, hears_receiver] = core::mem::take(&mut self.has_new_report);
        let rtcp_rtt_ms = self.rtcp_rtt_ms.take();
        self.far_level_before = self.far_level.take();
        let Some(at) = sample.at else { return };
        let Some((last, before)) = self.last.replace((at, sample.now)) else { return };
        let span_ms = at.millis_since(last);
        if span_ms <= 0.0 {
            // The new time replaces the last one: after a step back, the next interval starts here.
            return;
        }
        let is_gap = self.cadence.is_gap(span_ms);
        self.cadence.note(span_ms);
        self.rtcp_ms = report_age(self.rtcp_ms, hears_sender || hears_receiver, sent, span_ms);
        self.report_ms = report_age(self.report_ms, hears_receiver, sent, span_ms);
        let sample = ConnectionSample {
            span_ms,
            is_gap,
            fabric: *sample,
            rtt_ms: sample.ice_rtt_ms.or(rtcp_rtt_ms),
            rtcp_rtt_ms,
            received,
            sent,
            received_losses,
            sent_losses,
            rtcp_ms: self.rtcp_ms,
            report_ms: self.report_ms,
            now_ms: sample.now.micros_since(before) as f64 / 1e3,
            ahead_ms: sample.ahead_ms.unwrap_or(at.as_millis() - sample.now.as_micros() as f64 / 1e3),
        };
        self.step(&sample, SampleSpan { at, ms: span_ms }, parts);
    }

    /// Accepts a change of the connection's state at once: no snapshot may follow. The time on the reporter's clock
    /// follows from the latest snapshot; without one, the clocks are taken for the same.
    pub(crate) fn conclude(&mut self, status: &ConnectionStatus, parts: RecorderParts<'_>) {
        let at_ms = match self.last {
            Some((at, now)) => at.as_millis() + status.now.micros_since(now) as f64 / 1e3,
            None => status.now.as_micros() as f64 / 1e3,
        };
        let Some(at) = StatTime::from_millis(at_ms) else { return };
        let sample = ConnectionSample { fabric: *status, ..ConnectionSample::default() };
        // It has only just changed; the state before does not matter.
        Self::step_life(&mut self.life, &sample, SampleSpan { at, ms: 1.0 }, &mut parts.at(&mut self.log));
    }

    /// Withdraws what followed from a failure that traffic refuted.
    pub(crate) fn withdraw_failure(&mut self, parts: RecorderParts<'_>) {
        let recorder = &mut parts.at(&mut self.log);
        if let Some(life) = &mut self.life {
            life.failed.withdraw(recorder);
            life.dropped.withdraw(recorder);
        }
    }

    /// Runs the detectors of failures if there is or was one.
    fn step_life(
        life: &mut Option<Box<LifeDetectors>>,
        sample: &ConnectionSample,
        span: SampleSpan,
        recorder: &mut Recorder<'_>,
    ) {
        if sample.fabric.has_failed || sample.fabric.has_dropped {
            life.get_or_insert_default();
        }
        if let Some(life) = life {
            life.step(sample, span, None, recorder);
        }
    }

    /// Runs the detectors of the connection and of senders.
    fn step(&mut self, sample: &ConnectionSample, span: SampleSpan, parts: RecorderParts<'_>) {
        let mut recorder = parts.at(&mut self.log);
        self.streams.iter_mut().for_each(|stream| stream.end_missing(span.at, &mut recorder));
        self.clock.step(sample, span, None, &mut recorder);
        Self::step_life(&mut self.life, sample, span, &mut recorder);
        // Nothing is known of the time during a gap.
        if sample.is_gap {
            self.senders.iter_mut().for_each(|sender| sender.pair = Pair::default());
            return;
        }
        self.setup.step(sample, span, None, &mut recorder);
        self.path.step(sample, span, None, &mut recorder);
        self.flow.step(sample, span, None, &mut recorder);
        self.network.step(sample, span, None, &mut recorder);
        for sender in &mut self.senders {
            let pair = Pair { span_ms: span.ms, ..core::mem::take(&mut sender.pair) };
            sender.detectors.step(&pair, span, pair.stream, &mut recorder);
        }
    }

    /// Ends the call: raised diagnoses end with the latest sample. Groups close in the reverse of the order in which
    /// they run.
    pub(crate) fn close(&mut self, parts: RecorderParts<'_>) {
        let Some((end, _)) = self.last else { return };
        let mut recorder = parts.at(&mut self.log);
        for stream in &mut self.streams {
            stream.media.forget(stream.end.unwrap_or(end), &mut recorder);
        }
        for sender in &mut self.senders {
            sender.detectors.forget(end, &mut recorder);
        }
        self.network.forget(end, &mut recorder);
        self.flow.forget(end, &mut recorder);
        self.path.forget(end, &mut recorder);
        self.setup.forget(end, &mut recorder);
        if let Some(life) = &mut self.life {
            life.forget(end, &mut recorder);
        }
        self.clock.forget(end, &mut recorder);
    }

    /// Notes whether the remote endpoint reports something new about a stream, whose slot is there.
    fn note_rtcp(&mut self, slot: usize, sample: &mut StreamSample<'_>) {
        let stream = &mut self.streams[slot];
        let reported = sample.remote.and_then(|remote| remote.timestamp());
        sample.has_new_report = reported.is_some() && reported != stream.reported;
        if sample.has_new_report {
            stream.reported = reported;
            self.has_new_report[sample.interval.direction as usize] = true;
        }
        sample.rtcp_ms = self.rtcp_ms;
        sample.far_level = self.far_level_before;
        let is_far = sample.interval.direction == Direction::Inbound && sample.interval.state.is_measured();
        if let Some(level) = sample.get(Metric::Level).filter(|_| is_far) {
            self.far_level = Some(self.far_level.map_or(level, |other| other.max(level)));
        }
    }

    /// Pairs audio and video of one sender.
    fn add_playing(&mut self, sample: &StreamSample<'_>, fabric: FabricId) {
        let interval = sample.interval;
        if interval.direction == Direction::Outbound || sample.is_screen() {
            return;
        }
        let at = match self.senders.binary_search_by_key(&sample.owner, |sender| sender.user) {
            Ok(at) => at,
            Err(at) => {
                self.senders.insert(at, Sender { user: sample.owner, ..Sender::default() });
                at
            }
        };
        let sender = &mut self.senders[at];
        // During DTX between two words nothing is played, and nothing restarts.
        let rests =
            !interval.state.is_measured() && !matches!(interval.state, IntervalState::Gap | IntervalState::Lost);
        // A stream without packets plays nothing, whether or not its sender says that it rests.
        let plays = interval.state == IntervalState::Active && interval.get(Metric::PacketRatePps) > Some(0.0);
        let lag_ms = sample.lag_ms().filter(|_| plays);
        match interval.kind {
            Some(MediaKind::Audio) => sender.pair.sound.add(lag_ms, rests),
            Some(MediaKind::Video) => {
                sender.pair.picture.add(lag_ms, rests);
                sender.pair.stream = Some(StreamKey::new(fabric, interval.direction, interval.ssrc));
            }
            None => {}
        }
    }

    /// Adds a stream's figures to those of all streams. Its slot is there.
    fn add_up(&mut self, slot: usize, interval: &Interval) {
        let direction = interval.direction as usize;
        let (stream, losses, flow) = (&mut self.streams[slot], &mut self.losses[direction], &mut self.flows[direction]);
        if !interval.state.is_measured() {
            stream.unreported_sent = 0.0;
            if interval.state == IntervalState::Lost {
                flow.is_due = true;
            } else if !matches!(interval.state, IntervalState::Reset | IntervalState::Gap) {
                losses.rest();
                flow.rests = true;
            }
            return;
        }
        let packets_per_second = interval.get(Metric::PacketRatePps);
        flow.is_due |= packets_per_second.is_some();
        let packets_per_second = packets_per_second.filter(|&rate| rate > 0.0);
        flow.passes |= packets_per_second.is_some();
        let passed = packets_per_second.unwrap_or(0.0) * interval.length_ms() / 1e3;
        if interval.direction == Direction::Outbound {
            stream.unreported_sent += passed;
        }
        if let (Some(loss), Some(_)) = (interval.get(Metric::LossRatio), packets_per_second) {
            // Outbound: all packets since the last report were expected. Inbound: the rate counts received packets
            // only, so add the lost ones; retransmissions are no packets of their own.
            let repeated = interval.get(Metric::RetransmittedRatio).unwrap_or(0.0);
            let expected = match interval.direction {
                Direction::Inbound if loss < 1.0 => passed * (1.0 - repeated) / (1.0 - loss),
                Direction::Inbound => passed,
                Direction::Outbound => core::mem::take(&mut stream.unreported_sent),
            };
            losses.is_reported = interval.direction == Direction::Outbound;
            losses.add(loss, expected);
        }
        if interval.kind == Some(MediaKind::Video)
            && let Some(bps) = interval.get(Metric::BitrateBps)
        {
            // Repairs do not count as video bitrate.
            let repairs = [Metric::RetransmittedRatio, Metric::FecRatio].iter().filter_map(|&part| interval.get(part));
            let media = (1.0 - repairs.sum::<f64>()).max(0.0);
            // Positive; saturates.
            flow.video_bps = Some(flow.video_bps.unwrap_or(0).saturating_add((bps * media) as u64));
        }
        if let Some(rtt_ms) = interval.get(Metric::RttMs) {
            self.rtcp_rtt_ms = Some(self.rtcp_rtt_ms.map_or(rtt_ms, |other| other.max(rtt_ms)));
        }
    }
}

/// The age of the latest report after `span_ms`. Reports are due while something is sent (RFC 3550 6.4): a resting
/// connection does not age them, and restarts the count.
fn report_age(age_ms: Option<f64>, is_new: bool, sent: Flow, span_ms: f64) -> Option<f64> {
    match age_ms {
        _ if is_new => Some(0.0),
        Some(age) if sent.passes => Some(age + span_ms),
        Some(_) if sent.rests => Some(0.0),
        age => age,
    }
}

/// A recorder without its log.
pub(crate) struct RecorderParts<'a> {
    pub(crate) limit: usize,
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) notify: &'a mut dyn FnMut(DiagnosisChange, &Diagnosis),
    pub(crate) fabric: FabricId,
    pub(crate) user: Option<UserId>,
}

impl<'a> RecorderParts<'a> {
    fn at<'b>(self, log: &'b mut DiagnosisLog) -> Recorder<'b>
    where
        'a: 'b,
    {
        let Self { limit, thresholds, notify, fabric, user } = self;
        Recorder { log, limit, thresholds, notify, fabric, user }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_of_a_stream_and_a_fabric_stay_small() {
        assert!(size_of::<MonitoredStream>() <= 56, "{}", size_of::<MonitoredStream>());
        assert!(size_of::<Detectors>() <= 2_100, "{}", size_of::<Detectors>());
        assert!(size_of::<Diagnosis>() <= 240, "{}", size_of::<Diagnosis>());
    }
}
