//! Which detectors look at what: those of each stream, and those of a whole fabric.

use alloc::vec::Vec;

use super::congestion::{DownlinkCongestion, UplinkCongestion};
use super::delay::{BufferStress, HighJitter, HighRtt};
use super::loss::{HighLoss, Losses};
use super::meter::{Book, Desk, Span, Watched};
use super::picture::{FrozenVideo, KeyFrameStorm, LowFrameRate, LowResolution, NullDecoder, StuckDecoder};
use super::processor::{CpuLimitedReceiver, CpuLimitedSender};
use super::sound::{AudibleConcealment, RoboticVoice};
use super::{Change, Diagnosis, Reading, Side, Thresholds};
use crate::id::{Direction, FabricId, MediaKind, StreamKey, UserId};
use crate::metric::{Interval, Metric, State};
use crate::report::{Entry, Num, Text};
use crate::unit::StatTime;

/// A look at a stream that closed an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLook<'a> {
    pub(crate) interval: &'a Interval,
    /// The stream's own entry.
    pub(crate) entry: Entry<'a>,
    /// What is filmed, shared or said, of a stream that is sent.
    pub(crate) source: Option<Entry<'a>>,
}

impl StreamLook<'_> {
    pub(super) fn get(&self, metric: Metric) -> Option<f64> {
        self.interval.get(metric)
    }

    /// What to read where the stream is not measured.
    pub(super) fn rest(&self) -> Option<Reading> {
        match self.interval.state {
            State::Active => None,
            // The talker goes on in a moment; a reset or a gap says nothing.
            State::Silent | State::Reset | State::Gap => Some(Reading::Unknown),
            State::Muted | State::Held | State::Paused => Some(Reading::Resting),
        }
    }

    pub(super) fn is_screen(&self) -> bool {
        self.entry.text(Text::ContentType) == Some("screenshare")
    }

    pub(super) fn source_frames_per_second(&self) -> Option<f64> {
        self.source?.get(Num::FramesPerSecond)
    }
}

/// A look at a whole fabric, after those at its streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FabricLook {
    /// The time of the snapshot, on the reporter's clock.
    pub(crate) at: Option<StatTime>,
    /// The round trip by ICE, ms.
    pub(crate) ice_rtt_ms: Option<f64>,
    /// What congestion control believes that can be sent.
    pub(crate) available_bps: Option<f64>,
}

/// What one look at all streams came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    pub(super) span_ms: f64,
    pub(super) rtt_ms: Option<f64>,
    pub(super) available_bps: Option<f64>,
    pub(super) sends_video: bool,
    pub(super) receives_video: bool,
    pub(super) sent_video_bps: Option<f64>,
    pub(super) received_video_bps: Option<f64>,
}

/// All detectors of a fabric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub(crate) book: Book,
    streams: Vec<StreamWatch>,
    last: Option<StatTime>,
    /// Of the look at hand, by direction: inbound, outbound.
    losses: [Losses; 2],
    /// Bits per second of video, whole, by direction; `None` while no stream rests or flows.
    video_bps: [Option<u64>; 2],
    /// The longest round trip by RTCP.
    rtcp_rtt_ms: Option<f64>,
    high_loss: [Watched<HighLoss>; 2],
    high_rtt: Watched<HighRtt>,
    uplink: Watched<UplinkCongestion>,
    downlink: Watched<DownlinkCongestion>,
}

/// The detectors of a stream.
#[derive(Clone, Debug, Default)]
struct StreamWatch {
    /// Time since loss was last told, ms.
    untold_ms: f64,
    media: Media,
}

#[derive(Clone, Debug, Default)]
#[allow(clippy::large_enum_variant)] // hardly any stream stays unknown, and a box would cost each of the others
enum Media {
    #[default]
    Unknown,
    Heard {
        jitter: Watched<HighJitter>,
        stress: Watched<BufferStress>,
        concealment: Watched<AudibleConcealment>,
        stretch: Watched<RoboticVoice>,
    },
    Said,
    Seen {
        frozen: Watched<FrozenVideo>,
        frame_rate: Watched<LowFrameRate>,
        resolution: Watched<LowResolution>,
        processor: Watched<CpuLimitedReceiver>,
        stuck: Watched<StuckDecoder>,
        null: Watched<NullDecoder>,
        storm: Watched<KeyFrameStorm>,
    },
    Shown {
        frame_rate: Watched<LowFrameRate>,
        processor: Watched<CpuLimitedSender>,
        storm: Watched<KeyFrameStorm>,
    },
}

impl Media {
    fn of(interval: &Interval) -> Self {
        match (interval.kind, interval.direction) {
            (None, _) => Self::Unknown,
            (Some(MediaKind::Audio), Direction::Inbound) => Self::Heard {
                jitter: Watched::default(),
                stress: Watched::default(),
                concealment: Watched::default(),
                stretch: Watched::default(),
            },
            (Some(MediaKind::Audio), Direction::Outbound) => Self::Said,
            (Some(MediaKind::Video), Direction::Inbound) => Self::Seen {
                frozen: Watched::default(),
                frame_rate: Watched::default(),
                resolution: Watched::default(),
                processor: Watched::default(),
                stuck: Watched::default(),
                null: Watched::default(),
                storm: Watched::default(),
            },
            (Some(MediaKind::Video), Direction::Outbound) => {
                Self::Shown { frame_rate: Watched::default(), processor: Watched::default(), storm: Watched::default() }
            }
        }
    }
}

impl Watch {
    /// Takes a look at the stream that has this slot among the fabric's.
    pub(crate) fn see_stream(&mut self, slot: usize, look: &StreamLook<'_>, parts: DeskParts<'_>) {
        if self.streams.len() <= slot {
            self.streams.resize_with(slot + 1, StreamWatch::default);
        }
        self.add_up(slot, look.interval);
        let Self { streams, book, .. } = self;
        let Some(stream) = streams.get_mut(slot) else { return };
        let interval = look.interval;
        if let Media::Unknown = stream.media {
            stream.media = Media::of(interval);
        }
        let mut desk = parts.at(book);
        let key = Some(StreamKey::new(desk.fabric, interval.direction, interval.ssrc));
        let side = Some(Side::from(interval.direction));
        let span = Span { at: interval.at, ms: interval.span_ms };
        match &mut stream.media {
            Media::Unknown | Media::Said => {}
            Media::Heard { jitter, stress, concealment, stretch } => {
                jitter.look(look, span, key, side, &mut desk);
                stress.look(look, span, key, side, &mut desk);
                concealment.look(look, span, key, side, &mut desk);
                stretch.look(look, span, key, side, &mut desk);
            }
            Media::Seen { frozen, frame_rate, resolution, processor, stuck, null, storm } => {
                frozen.look(look, span, key, side, &mut desk);
                frame_rate.look(look, span, key, side, &mut desk);
                resolution.look(look, span, key, side, &mut desk);
                processor.look(look, span, key, side, &mut desk);
                stuck.look(look, span, key, side, &mut desk);
                null.look(look, span, key, side, &mut desk);
                storm.look(look, span, key, side, &mut desk);
            }
            Media::Shown { frame_rate, processor, storm } => {
                frame_rate.look(look, span, key, side, &mut desk);
                processor.look(look, span, key, side, &mut desk);
                storm.look(look, span, key, side, &mut desk);
            }
        }
    }

    /// Takes a look at the fabric, after those at its streams.
    pub(crate) fn see_fabric(&mut self, look: &FabricLook, parts: DeskParts<'_>) {
        let losses = core::mem::take(&mut self.losses);
        let video = core::mem::take(&mut self.video_bps);
        let rtcp_rtt_ms = self.rtcp_rtt_ms.take();
        let Some(at) = look.at else { return };
        let Some(last) = self.last.replace(at) else { return };
        let span_ms = at.millis_since(last);
        if span_ms <= 0.0 {
            // Kept to be told from when the clock has passed it again; a clock that stepped back begins anew.
            return;
        }
        let span = Span { at, ms: span_ms };
        let [received, sent] = video;
        let bps = |bps: Option<u64>| bps.map(|bps| bps as f64);
        let round = Round {
            span_ms,
            rtt_ms: look.ice_rtt_ms.or(rtcp_rtt_ms),
            available_bps: look.available_bps,
            sends_video: sent.is_some(),
            receives_video: received.is_some(),
            sent_video_bps: bps(sent),
            received_video_bps: bps(received),
        };
        let Self { book, high_loss, high_rtt, uplink, downlink, .. } = self;
        let mut desk = parts.at(book);
        for ((loss, losses), side) in high_loss.iter_mut().zip(&losses).zip([Side::Downlink, Side::Uplink]) {
            loss.look(losses, span, None, Some(side), &mut desk);
        }
        high_rtt.look(&round, span, None, None, &mut desk);
        uplink.look(&round, span, None, Some(Side::Uplink), &mut desk);
        downlink.look(&round, span, None, Some(Side::Downlink), &mut desk);
    }

    /// Adds a stream's figures to those of all streams.
    fn add_up(&mut self, slot: usize, interval: &Interval) {
        let Some(stream) = self.streams.get_mut(slot) else { return };
        stream.untold_ms += interval.span_ms.max(0.0);
        let direction = interval.direction as usize;
        if !interval.state.is_measured() {
            stream.untold_ms = 0.0;
            if !matches!(interval.state, State::Reset | State::Gap)
                && let Some(losses) = self.losses.get_mut(direction)
            {
                losses.rest();
            }
            return;
        }
        let packets_per_second = interval.get(Metric::PacketRatePps).filter(|&rate| rate > 0.0);
        if let (Some(loss), Some(rate)) = (interval.get(Metric::LossRatio), packets_per_second)
            && let Some(losses) = self.losses.get_mut(direction)
        {
            let passed = rate * core::mem::take(&mut stream.untold_ms) / 1e3;
            // What is sent is all that was expected; of what is received, the lost ones are missing.
            let expected = match interval.direction {
                Direction::Inbound if loss < 1.0 => passed / (1.0 - loss),
                _ => passed,
            };
            losses.add(loss, expected);
        }
        if interval.kind == Some(MediaKind::Video)
            && let Some(bps) = interval.get(Metric::BitrateBps)
            && let Some(sum) = self.video_bps.get_mut(direction)
        {
            // What repairs takes nothing from what the picture is made of.
            let repairs = [Metric::RetransmittedRatio, Metric::FecRatio].iter().filter_map(|&part| interval.get(part));
            let media = (1.0 - repairs.sum::<f64>()).max(0.0);
            // Positive; saturates.
            *sum = Some(sum.unwrap_or(0).saturating_add((bps * media) as u64));
        }
        if let Some(rtt_ms) = interval.get(Metric::RttMs) {
            self.rtcp_rtt_ms = Some(self.rtcp_rtt_ms.map_or(rtt_ms, |other| other.max(rtt_ms)));
        }
    }
}

/// A desk without its book.
pub(crate) struct DeskParts<'a> {
    pub(crate) limit: usize,
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) tell: &'a mut dyn FnMut(Change, &Diagnosis),
    pub(crate) fabric: FabricId,
    pub(crate) user: Option<UserId>,
}

impl<'a> DeskParts<'a> {
    fn at<'b>(self, book: &'b mut Book) -> Desk<'b>
    where
        'a: 'b,
    {
        let Self { limit, thresholds, tell, fabric, user } = self;
        Desk { book, limit, thresholds, tell, fabric, user }
    }
}
