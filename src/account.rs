//! The account of one RTP stream: its looks turned into intervals, and what they come to over the call.
//!
//! Sums are pooled before they are divided, averages weigh by time, and what was muted, held, paused, reset or behind
//! a gap is in the totals of traffic but in no average of quality.

use alloc::string::String;

use crate::digest::Digest;
use crate::id::{Direction, MediaKind, Ssrc};
use crate::metric::{Formula, Interval, Metric, State};
use crate::report::{Entry, Flag, Num, Text};
use crate::stream::{Delta, Step, Track};
use crate::unit::{Ratio, StatTime};

/// RTCP figures are held between two reports, but not longer than this (edge case 31).
const RTCP_HOLD_MS: f64 = 30_000.0;
/// An interval is a gap when it is longer than this and more than twice as long as is usual (edge case 5).
const GAP_MS: f64 = 5_000.0;
/// Nothing sent or received for this long is a pause; below, it may be silence between two packets of DTX.
const STILL_MS: f64 = 900.0;
/// For this long after a pause, jitter is that of the pause: RFC 3550 forgets 1/16 with each packet.
const SETTLING_MS: f64 = 900.0;
/// Fewer packets per second than any audio frame length makes (120 ms, RFC 6716) are DTX.
const DTX_BELOW_PPS: f64 = 1_000.0 / 120.0;
/// Louder than this (−40 dBov) is speech, however few packets carry it.
const DTX_BELOW_LEVEL: f64 = 0.01;
/// Names beyond this many bytes are cut: one long text in a report may be the codec of thousands of streams.
const MAX_NAME: usize = 128;

/// One RTP stream over the whole call.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) direction: Direction,
    pub(crate) ssrc: Ssrc,
    pub(crate) kind: Option<MediaKind>,
    pub(crate) codec: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) start: StatTime,
    pub(crate) end: StatTime,
    pub(crate) looks: u64,
    /// Looks that brought nothing new, or came too late.
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
    pub(crate) epochs: u64,
    pub(crate) resets: u64,
    pub(crate) gaps: u64,
    pub(crate) totals: Totals,
    pub(crate) times: Times,
    pub(crate) digests: Digests,
    pub(crate) size: Option<(f64, f64)>,
    media: Track,
    source: Option<Track>,
    rtcp: Rtcp,
    codec_id: Option<String>,
    cadence: Cadence,
    pace: Pace,
    still_ms: f64,
    /// How long jitter is still to settle.
    settling_ms: f64,
    /// How far the reporter's clock stepped back, in all.
    turned_back_ms: f64,
}

/// What a look at a stream brought.
#[allow(clippy::large_enum_variant)] // consumed where it is made
pub(crate) enum Look {
    /// The first one: nothing to compare with.
    First,
    /// The same moment again.
    Repeated,
    /// An older moment than the last one; it was left out.
    Late,
    /// An interval.
    Closed(Interval),
}

/// How often a connection is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cadence(Option<f64>);

/// What passed. `None` until both ends of some interval said it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) packets: Option<f64>,
    pub(crate) lost: Option<f64>,
    pub(crate) bytes: Option<f64>,
    /// Packets sent that the other end's reports cover.
    pub(crate) reported_on: Option<f64>,
    pub(crate) retransmitted: Option<f64>,
    pub(crate) samples: Option<f64>,
    pub(crate) concealed: Option<f64>,
    pub(crate) silent_concealed: Option<f64>,
    pub(crate) concealments: Option<f64>,
    pub(crate) stretched: Option<f64>,
    pub(crate) fec_packets: Option<f64>,
    pub(crate) fec_discarded: Option<f64>,
    pub(crate) discarded: Option<f64>,
    pub(crate) frames: Option<f64>,
    pub(crate) frames_dropped: Option<f64>,
    pub(crate) key_frames: Option<f64>,
    pub(crate) freezes: Option<f64>,
    pub(crate) frozen_s: Option<f64>,
    pub(crate) nacks: Option<f64>,
    pub(crate) plis: Option<f64>,
    pub(crate) limited_s: [Option<f64>; 3],
}

/// How long the stream was in each state that is not measured, in ms.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) muted: f64,
    pub(crate) held: f64,
    pub(crate) paused: f64,
    pub(crate) silent: f64,
    pub(crate) gap: f64,
}

/// Declares the figures whose distribution is kept.
macro_rules! digests {
    ($($field:ident $metric:ident,)*) => {
        /// Distributions over time of the figures that a summary shows.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Digests { $(pub(crate) $field: Digest,)* }

        impl Digests {
            fn add(&mut self, interval: &Interval, weight: u64) {
                $(if let Some(value) = interval.get(Metric::$metric) {
                    self.$field.add(value, weight);
                })*
            }
        }
    };
}

digests! {
    jitter_ms JitterMs,
    rtt_ms RttMs,
    bitrate_bps BitrateBps,
    loss_ratio LossRatio,
    jitter_buffer_delay_ms JitterBufferDelayMs,
    level Level,
    frames_per_second FramesPerSecond,
    qp Qp,
    decode_ms DecodeMs,
    encode_ms EncodeMs,
    target_bitrate_bps TargetBitrateBps,
}

/// What the other end's RTCP reports say, and since when.
#[derive(Clone, Debug, Default)]
struct Rtcp {
    track: Option<Track>,
    /// The latest round-trip time, and when it was reported.
    rtt_ms: Option<(f64, StatTime)>,
    jitter_ms: Option<f64>,
    /// Packets sent when the latest report came in.
    sent: Option<f64>,
    /// Lost and expected packets since the report before, until an interval takes them.
    news: Option<(f64, f64)>,
    /// When the sender was last heard to send nothing.
    sender_rests: Option<StatTime>,
    /// The stream's own counters began anew since the latest report: the next one is a new base.
    rebase: bool,
}

/// How many packets pass, over about a second: a shorter look cannot tell few packets from none.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    packets: f64,
    ms: f64,
    /// The rate over the last stretch that was long enough.
    pps: Option<f64>,
}

impl Account {
    /// Opens the account of a stream at its first look. `None` when the entry has no SSRC or no time.
    pub(crate) fn open(direction: Direction, entry: Entry<'_>) -> Option<Self> {
        let media = Track::new(entry)?;
        let at = media.at();
        Some(Self {
            direction,
            ssrc: entry.ssrc()?,
            kind: entry.media(),
            codec: None,
            label: None,
            start: at,
            end: at,
            looks: 0,
            duplicates: 0,
            late: 0,
            epochs: 1,
            resets: 0,
            gaps: 0,
            totals: Totals::default(),
            times: Times::default(),
            digests: Digests::default(),
            size: None,
            media,
            source: None,
            rtcp: Rtcp::default(),
            codec_id: None,
            cadence: Cadence::default(),
            pace: Pace::default(),
            still_ms: 0.0,
            settling_ms: 0.0,
            turned_back_ms: 0.0,
        })
    }

    /// Begins with another entry than the one it was opened with, while that is all it has seen.
    pub(crate) fn reopen(&mut self, entry: Entry<'_>) {
        if self.looks == 0
            && let Some(account) = Self::open(self.direction, entry)
        {
            *self = Self { duplicates: self.duplicates, ..account };
        }
    }

    /// From the first look to the last, in ms. A clock that stepped back does not shorten it; what passed while it did
    /// is not known and counts as nothing.
    pub(crate) fn duration_ms(&self) -> f64 {
        self.end.millis_since(self.start) + self.turned_back_ms
    }

    /// The codec's id, when it is another than at the last look: the caller then finds the codec and calls
    /// [`Account::set_codec`].
    pub(crate) fn new_codec_id<'a>(&self, entry: Entry<'a>) -> Option<&'a str> {
        entry.text(Text::CodecId).filter(|&id| self.codec_id.as_deref() != Some(id))
    }

    /// Remembers the codec behind an id by its MIME type.
    pub(crate) fn set_codec(&mut self, id: &str, mime: &str) {
        // An id that is too long to be kept is looked up every time.
        self.codec_id = (id.len() <= MAX_NAME).then(|| id.into());
        self.codec = Some(codec_name(mime));
    }

    /// Takes what the other end reports of this stream. To be called before [`Account::look`] of the same snapshot.
    pub(crate) fn hear(&mut self, remote: Entry<'_>, own: Entry<'_>) {
        let rtcp = &mut self.rtcp;
        let sent = own.get(Num::PacketsSent);
        let Some(track) = &mut rtcp.track else {
            rtcp.track = Track::new(remote);
            rtcp.take_rtt(remote, None, remote.timestamp());
            rtcp.take_jitter(remote);
            rtcp.sent = sent;
            return;
        };
        let (delta, advanced) = match track.step(remote) {
            Step::NoNews | Step::Stale => return,
            Step::Restart(delta) => (delta, false),
            Step::Advance(delta) => (delta, true),
        };
        if advanced {
            // That reports come in while nothing else does tells a rest from an outage.
            let rests = delta.of(Num::PacketsSent) == Some(0.0) && self.still_ms > 0.0;
            rtcp.sender_rests = own.timestamp().filter(|_| rests);
        }
        if self.direction == Direction::Outbound
            && !rtcp.rebase
            && let Some(lost) = delta.passed(Num::PacketsLost)
        {
            add(&mut self.totals.lost, Some(lost));
            let lost = lost.max(0.0);
            let expected = match delta.passed(Num::PacketsReceived) {
                Some(received) => Some(lost + received),
                None => sent.zip(rtcp.sent).map(|(now, then)| now - then).filter(|&sent| sent >= 0.0),
            };
            if let Some(expected) = expected {
                add(&mut self.totals.reported_on, Some(expected));
                let (lost_before, expected_before) = rtcp.news.unwrap_or((0.0, 0.0));
                rtcp.news = Some((lost_before + lost, expected_before + expected));
            }
        }
        let measured = delta.of(Num::RoundTripTimeMeasurements);
        let mean_rtt = Formula::Mean(Num::TotalRoundTripTime, Num::RoundTripTimeMeasurements, 1e3).of(&delta);
        // A round trip that came without a new time stamp is news of the moment.
        let reported = if delta.span_ms() == 0.0 { own.timestamp() } else { remote.timestamp() };
        track.accept(remote);
        // A gauge that no measurement stands behind is the one of before.
        if mean_rtt.is_some() || measured != Some(0.0) {
            rtcp.take_rtt(remote, mean_rtt, reported);
        }
        rtcp.take_jitter(remote);
        rtcp.sent = sent;
        rtcp.rebase = false;
    }

    /// Whether `entry` says that nothing is being played of this audio, not even concealment. `None` for what is no
    /// received audio, or never carried any: it cannot tell a connection on hold from one that was never used.
    pub(crate) fn playout_stands(&self, entry: Entry<'_>) -> Option<bool> {
        let carries = self.kind == Some(MediaKind::Audio) && self.media.last(Num::PacketsReceived) > Some(0.0);
        match self.media.step(entry) {
            Step::Advance(delta) if carries => Some(delta.of(Num::TotalSamplesReceived)? == 0.0),
            _ => None,
        }
    }

    /// Takes a look at the stream's own entry and closes an interval, unless it is the first look. `source` is the media
    /// source of a stream that is sent; `playout_stands` is about the connection.
    pub(crate) fn look(&mut self, entry: Entry<'_>, source: Option<Entry<'_>>, playout_stands: bool) -> Look {
        let source_level = self.source_level(source);
        let kind = entry.media().or(self.kind);
        if self.looks == 0 {
            (self.looks, self.kind) = (1, kind);
            self.note_names(entry);
            return Look::First;
        }
        let (delta, restart) = match self.media.step(entry) {
            Step::NoNews => {
                self.duplicates += 1;
                return Look::Repeated;
            }
            // What passed without time passing is counted when time has passed.
            Step::Advance(delta) if delta.span_ms() == 0.0 => {
                self.duplicates += 1;
                return Look::Repeated;
            }
            Step::Stale => {
                self.late += 1;
                return Look::Late;
            }
            Step::Restart(delta) => (delta, true),
            Step::Advance(delta) => (delta, false),
        };
        self.totals.add(&delta, self.direction);
        let at = entry.timestamp().unwrap_or(self.end);
        let mut interval = Interval::new(at, delta.span_ms(), self.direction, self.ssrc, kind);
        if restart {
            interval.state = State::Reset;
            self.rtcp.news = None;
            self.rtcp.rebase |= delta.is_from_zero();
        } else {
            interval.derive(&delta);
            if source_level.is_some() {
                interval.set(Metric::Level, source_level);
            }
            let packets = packets(&delta, self.direction);
            if packets > Some(0.0) && self.still_ms >= STILL_MS {
                self.settling_ms = SETTLING_MS;
            }
            let settling = self.direction == Direction::Inbound && self.settling_ms > 0.0;
            self.settling_ms = (self.settling_ms - delta.span_ms()).max(0.0);
            match packets {
                Some(packets) if packets > 0.0 => {
                    self.still_ms = 0.0;
                    self.rtcp.sender_rests = None;
                }
                Some(_) => self.still_ms += delta.span_ms(),
                None => {}
            }
            fill_losses(&mut interval, &delta, &mut self.rtcp, packets != Some(0.0) && !settling);
            interval.state = state_of(
                &delta,
                &interval,
                &Context {
                    gap: self.cadence.is_gap(delta.span_ms()),
                    still: self.still_ms >= STILL_MS,
                    playout_stands,
                    sender_rests: self.rtcp.sender_rests.is_some_and(|heard| is_held(heard, at)),
                    source_level,
                    few_packets: self.pace.are_few(packets, delta.span_ms()),
                },
            );
        }
        self.kind = kind;
        self.looks += 1;
        self.note_names(entry);
        self.media.accept(entry);
        self.close(&interval, entry);
        Look::Closed(interval)
    }

    /// Whether `entry` is the look taken last.
    pub(crate) fn is_at(&self, entry: Entry<'_>) -> bool {
        entry.timestamp() == Some(self.media.at())
    }

    fn close(&mut self, interval: &Interval, entry: Entry<'_>) {
        self.end = interval.at;
        if interval.state == State::Reset {
            self.resets += 1;
            self.epochs += 1;
            self.still_ms = 0.0;
            self.pace = Pace::default();
            self.turned_back_ms += (-interval.span_ms).max(0.0);
        } else {
            self.cadence.note(interval.span_ms);
        }
        match interval.state {
            State::Muted => self.times.muted += interval.span_ms,
            State::Held => self.times.held += interval.span_ms,
            State::Paused => self.times.paused += interval.span_ms,
            State::Silent => self.times.silent += interval.span_ms,
            State::Gap => {
                self.times.gap += interval.span_ms;
                self.gaps += 1;
            }
            _ => {}
        }
        if let (Some(width), Some(height)) = (entry.get(Num::FrameWidth), entry.get(Num::FrameHeight)) {
            self.size = Some((width, height));
        }
        if interval.state.is_measured() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive; saturates
            let weight = (interval.span_ms * 1e3) as u64;
            self.digests.add(interval, weight);
        }
    }

    fn note_names(&mut self, entry: Entry<'_>) {
        if self.label.is_none() {
            self.label = entry.text(Text::Rid).or_else(|| entry.text(Text::Mid)).map(kept);
        }
        if self.codec.is_none() {
            self.codec = entry.text(Text::MimeType).map(codec_name);
        }
    }

    /// The level of the source during the interval: RMS where energy is known.
    fn source_level(&mut self, source: Option<Entry<'_>>) -> Option<f64> {
        let source = source?;
        let Some(track) = &mut self.source else {
            self.source = Track::new(source);
            return None;
        };
        let level = match track.step(source) {
            Step::Advance(delta) => Formula::Rms(Num::TotalAudioEnergy, Num::TotalSamplesDuration).of(&delta),
            Step::Restart(_) => None,
            Step::NoNews | Step::Stale => return None,
        };
        track.accept(source);
        level.or_else(|| source.get(Num::AudioLevel))
    }
}

impl Rtcp {
    /// The mean of the round trips since the report before, or the latest where only that is told.
    fn take_rtt(&mut self, remote: Entry<'_>, mean: Option<f64>, at: Option<StatTime>) {
        let measured = remote.get(Num::RoundTripTimeMeasurements) != Some(0.0);
        let gauge = remote.get(Num::RoundTripTime).filter(|_| measured).map(|seconds| seconds * 1e3);
        self.rtt_ms = mean.or(gauge).zip(at).or(self.rtt_ms);
    }

    fn take_jitter(&mut self, remote: Entry<'_>) {
        self.jitter_ms = remote.get(Num::Jitter).map(|seconds| seconds * 1e3);
    }

    /// The round-trip time, while it is to be believed.
    fn rtt_at(&self, now: StatTime) -> Option<f64> {
        self.rtt_ms.filter(|&(_, at)| is_held(at, now)).map(|(rtt_ms, _)| rtt_ms)
    }

    /// Whether the latest report is still to be believed at `now`.
    fn is_fresh(&self, now: StatTime) -> bool {
        self.track.as_ref().is_some_and(|track| is_held(track.at(), now))
    }
}

/// Whether what RTCP said at a time still counts. After a clock that stepped back, a time to come is as far away.
fn is_held(at: StatTime, now: StatTime) -> bool {
    now.millis_since(at).abs() <= RTCP_HOLD_MS
}

impl Cadence {
    /// Whether nobody looked for much longer than is usual here.
    pub(crate) fn is_gap(self, span_ms: f64) -> bool {
        span_ms > GAP_MS && self.0.is_some_and(|usual| span_ms > 2.0 * usual)
    }

    /// Takes note of an interval. Short ones among long ones are forgotten slowly: looks may be irregular.
    pub(crate) fn note(&mut self, span_ms: f64) {
        self.0 = Some(self.0.map_or(span_ms, |usual| span_ms.max(usual / 2.0)));
    }
}

impl Pace {
    /// Takes note of an interval, and says whether so few packets pass, and some, that they are DTX.
    fn are_few(&mut self, packets: Option<f64>, span_ms: f64) -> bool {
        let Some(packets) = packets else { return false };
        self.packets += packets;
        self.ms += span_ms;
        let mut under_way = self.packets;
        if self.ms >= STILL_MS {
            self.pps = Some(self.packets / (self.ms / 1e3));
            (self.packets, self.ms, under_way) = (0.0, 0.0, 0.0);
        }
        self.pps.is_some_and(|pps| pps > 0.0 && pps < DTX_BELOW_PPS) && under_way < DTX_BELOW_PPS * STILL_MS / 1e3
    }
}

impl Totals {
    fn add(&mut self, delta: &Delta<'_>, direction: Direction) {
        use Num as N;
        let take = |total: &mut Option<f64>, fields: &[Num]| {
            add(total, fields.iter().find_map(|&field| delta.passed(field)));
        };
        take(&mut self.packets, &[N::PacketsReceived, N::PacketsSent]);
        take(&mut self.bytes, &[N::BytesReceived, N::BytesSent]);
        if direction == Direction::Inbound {
            take(&mut self.lost, &[N::PacketsLost]);
        }
        take(&mut self.retransmitted, &[N::RetransmittedPacketsReceived, N::RetransmittedPacketsSent]);
        take(&mut self.samples, &[N::TotalSamplesReceived]);
        take(&mut self.concealed, &[N::ConcealedSamples]);
        take(&mut self.silent_concealed, &[N::SilentConcealedSamples]);
        take(&mut self.concealments, &[N::ConcealmentEvents]);
        take(&mut self.stretched, &[N::InsertedSamplesForDeceleration]);
        take(&mut self.stretched, &[N::RemovedSamplesForAcceleration]);
        take(&mut self.fec_packets, &[N::FecPacketsReceived]);
        take(&mut self.fec_discarded, &[N::FecPacketsDiscarded]);
        take(&mut self.discarded, &[N::PacketsDiscarded]);
        take(&mut self.frames, &[N::FramesDecoded, N::FramesSent, N::FramesEncoded]);
        take(&mut self.frames_dropped, &[N::FramesDropped]);
        take(&mut self.key_frames, &[N::KeyFramesDecoded, N::KeyFramesEncoded]);
        take(&mut self.freezes, &[N::FreezeCount]);
        take(&mut self.frozen_s, &[N::TotalFreezesDuration]);
        take(&mut self.nacks, &[N::NackCount]);
        take(&mut self.plis, &[N::PliCount]);
        let limits = [N::QualityLimitedCpu, N::QualityLimitedBandwidth, N::QualityLimitedOther];
        for (total, field) in self.limited_s.iter_mut().zip(limits) {
            take(total, &[field]);
        }
    }

    /// Lost of expected packets over the call, 0 to 1.
    pub(crate) fn loss_ratio(&self, direction: Direction) -> Option<Ratio> {
        let lost = self.lost?.max(0.0);
        let expected = match direction {
            Direction::Inbound => lost + self.packets?,
            Direction::Outbound => self.reported_on?.max(lost),
        };
        Ratio::of(lost, expected)
    }
}

/// Adds to a sum that exists as soon as anything was added.
fn add(total: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *total = Some(total.unwrap_or(0.0) + value);
    }
}

/// How many packets passed; `None` when they are not counted.
fn packets(delta: &Delta<'_>, direction: Direction) -> Option<f64> {
    delta.of(match direction {
        Direction::Inbound => Num::PacketsReceived,
        Direction::Outbound => Num::PacketsSent,
    })
}

/// Loss, jitter and round-trip time, which are made of several entries.
fn fill_losses(interval: &mut Interval, delta: &Delta<'_>, rtcp: &mut Rtcp, has_jitter: bool) {
    let fresh = rtcp.is_fresh(interval.at);
    interval.set(Metric::RttMs, rtcp.rtt_at(interval.at));
    // Jitter of packets that did not come is the jitter of long ago, and that of the first after a pause is the pause
    // (edge case 22).
    let jitter_ms = match interval.direction {
        Direction::Inbound => delta.entry().get(Num::Jitter).map(|seconds| seconds * 1e3),
        Direction::Outbound => rtcp.jitter_ms.filter(|_| fresh),
    };
    interval.set(Metric::JitterMs, jitter_ms.filter(|_| has_jitter));
    let loss = match interval.direction {
        Direction::Inbound => delta.of(Num::PacketsLost).zip(delta.of(Num::PacketsReceived)).and_then(|(lost, got)| {
            // Packets that were late, or twice there, are taken back later (edge case 10): no negative loss.
            let lost = lost.max(0.0);
            Ratio::of(lost, lost + got)
        }),
        Direction::Outbound => rtcp.news.take().and_then(|(lost, expected)| Ratio::of(lost, expected.max(lost))),
    };
    interval.set(Metric::LossRatio, loss.map(Ratio::as_f64));
}

/// What stands beside a stream's own figures and helps to tell what it was doing.
struct Context {
    /// Nobody looked for long.
    gap: bool,
    /// Nothing has passed for [`STILL_MS`].
    still: bool,
    playout_stands: bool,
    /// The other end says that it sends nothing.
    sender_rests: bool,
    /// The level of the source of a stream that is sent.
    source_level: Option<f64>,
    /// Packets pass as in DTX.
    few_packets: bool,
}

/// What the stream was doing, as far as its own, its source's and its sender's figures tell.
fn state_of(delta: &Delta<'_>, interval: &Interval, context: &Context) -> State {
    let audio = interval.kind == Some(MediaKind::Audio);
    if context.gap {
        return State::Gap;
    }
    if delta.entry().flag(Flag::Active) == Some(false) {
        return State::Paused;
    }
    match interval.direction {
        Direction::Outbound if context.still => State::Paused,
        Direction::Inbound if context.still && context.playout_stands => State::Held,
        Direction::Inbound if context.still && context.sender_rests => State::Paused,
        _ if audio && context.few_packets && is_quiet(interval) => State::Silent,
        Direction::Outbound if audio && context.source_level == Some(0.0) => State::Muted,
        _ => State::Active,
    }
}

/// Whether nothing loud was there.
fn is_quiet(interval: &Interval) -> bool {
    interval.get(Metric::Level).is_some_and(|level| level < DTX_BELOW_LEVEL)
}

/// `opus` of `audio/opus`, as it is spelled.
fn codec_name(mime: &str) -> String {
    kept(mime.rsplit('/').next().unwrap_or(mime))
}

/// A name as it is kept: whole, or cut and marked with `…`.
fn kept(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let end = name.char_indices().map(|(at, _)| at).take_while(|&at| at <= MAX_NAME).last();
    let mut cut = String::from(name.get(..end.unwrap_or(0)).unwrap_or(""));
    cut.push('…');
    cut
}
