//! The record of one RTP stream: it turns samples into intervals, and adds them up over the call. It knows no users and
//! no other streams.
//!
//! Sums are pooled before they are divided, and averages are weighted by time. Muted, held, paused, lost and reset time
//! and gaps count in the traffic totals, but in no average of quality.

mod app_time;
mod losses;
mod outage;
mod rated;
mod rtcp;
mod scoring;
mod state;
mod totals;

use alloc::boxed::Box;
use alloc::string::String;

pub(crate) use app_time::AppTime;
pub(crate) use scoring::{IntervalScore, StreamScorer};
pub(crate) use totals::{Totals, add};

use crate::config::Config;
use crate::digest::{Digest, DigestSet};
use crate::id::{Direction, MediaKind, Ssrc};
use crate::metric::counter::{Delta, EntryTracker, Progress};
use crate::metric::{Cadence, Formula, Interval, IntervalState, Metric, is_thousandfold};
use crate::report::{Entry, Fields, Flag, Num, Text, TimeMap};
use crate::score::Micros;
use crate::unit::StatTime;
use losses::ReceivedLimit;
use rated::UnratedSpans;
use rtcp::Rtcp;
use scoring::{Negotiated, ScoringContext};
use state::{Context, Pace, STILL_MS, state_of};
use totals::LossCount;

/// How long after a pause jitter still reflects the pause: RFC 3550 forgets 1/16 with each packet.
const SETTLING_MS: f64 = 900.0;
/// The least mean time from one sample to the next, ms: Chromium caches its reports for 50 ms.
const LEAST_SPAN_MS: f64 = 10.0;
/// The samples from which on that mean says something: a user may ask for two reports at once.
const SEVERAL: u64 = 5;
/// The length in bytes at which names are cut: one long text in a report may be the codec of thousands of streams.
const MAX_NAME: usize = 128;

/// One RTP stream over the whole call.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamRecord {
    pub(crate) direction: Direction,
    pub(crate) ssrc: Ssrc,
    pub(crate) kind: Option<MediaKind>,
    pub(crate) codec: Option<Box<str>>,
    pub(crate) label: Option<Box<str>>,
    /// The time of the first sample. If the time of this stream alone goes back, it is moved back as far.
    pub(crate) start: StatTime,
    pub(crate) samples: u64,
    /// Samples that repeated a timestamp.
    pub(crate) duplicates: u64,
    /// Samples older than the last one.
    pub(crate) late: u64,
    pub(crate) resets: u64,
    /// The resets among them at which only the reporter's clock stepped.
    pub(crate) clock_steps: u64,
    pub(crate) gaps: u64,
    pub(crate) totals: Totals,
    unrated: UnratedSpans,
    pub(crate) times: Times,
    pub(crate) digests: Digests,
    pub(crate) size: Option<(f64, f64)>,
    pub(crate) doubted: Doubted,
    pub(crate) quality: StreamScorer,
    media: EntryTracker,
    /// Boxed: only sent audio has one.
    source: Option<Box<EntryTracker>>,
    rtcp: Rtcp,
    received_limit: ReceivedLimit,
    /// `active` was true once, so its `false` is no filler.
    was_active: bool,
    codec_id: Option<Box<str>>,
    /// Members that gave impossible figures in the last interval, and those that ever did so twice in succession.
    impossible: Fields,
    wrong_unit: Fields,
    /// Whether the codec changed since the last interval.
    has_new_codec: bool,
    negotiated: Negotiated,
    cadence: Cadence,
    pace: Pace,
    still_ms: f64,
    /// Nothing has passed since lost time.
    was_lost: bool,
    rest_run: RestRun,
    /// The remaining time until jitter settles.
    settling_ms: f64,
}

/// The result of a sample of a stream.
#[allow(clippy::large_enum_variant)] // consumed where it is created
pub(crate) enum Observation {
    /// The first sample: there is nothing to compare it with.
    First,
    /// The sample repeats the last timestamp.
    Repeated,
    /// The sample is older than the last one, and was ignored.
    Late,
    /// The sample closed an interval, to be [scored](StreamRecord::score_interval).
    Closed(Interval),
}

/// The state of the connection at a sample of one of its streams.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionContext<'a> {
    pub(crate) config: &'a Config,
    pub(crate) clock: &'a TimeMap,
    /// The clock stepped since the last sample: the interval has no rate.
    pub(crate) has_clock_stepped: bool,
    /// Whether playout of all received audio stands still.
    pub(crate) is_playout_stopped: bool,
    /// Round-trip time by ICE, ms.
    pub(crate) ice_rtt_ms: Option<f64>,
    /// Playout delay, from the decoder to the loudspeaker, ms.
    pub(crate) playout_ms: Option<f64>,
    /// Whether anything arrived over the path since the last sample; `None` if nothing is counted.
    pub(crate) path_carries: Option<bool>,
    /// Whether nothing arrived over the path since the last sample, or there is no path yet.
    pub(crate) is_path_silent: bool,
    /// Whether the connection is lost, or has not been set up for long.
    pub(crate) is_lost: bool,
}

/// The time of the stream in each state that is not measured, ms.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Times {
    pub(crate) muted: f64,
    pub(crate) held: f64,
    pub(crate) paused: f64,
    pub(crate) silent: f64,
    /// Nothing passed because the connection was lost or not set up.
    pub(crate) lost: f64,
    /// The counters were reset, so that nothing is known.
    pub(crate) reset: f64,
    pub(crate) gap: f64,
}

/// The rest that a stream is in, while nothing else arrives over its path, ms in each state: if it turns out that the
/// connection was lost, it was lost all that time.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct RestRun {
    held: f64,
    paused: f64,
    silent: f64,
}

/// Values that were reported and are not believed.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Doubted {
    pub(crate) values: u64,
    pub(crate) members: Fields,
}

impl Doubted {
    /// Counts the members of one sample.
    pub(crate) fn note(&mut self, members: Fields) {
        if !members.is_empty() {
            self.values = self.values.saturating_add(members.len() as u64);
            self.members = self.members.or(members);
        }
    }

    /// The values of both.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { values: self.values.saturating_add(other.values), members: self.members.or(other.members) }
    }
}

/// Declares the figures with a stored distribution.
macro_rules! digests {
    ($($field:ident $metric:ident,)*) => {
        /// Distributions over time of the figures that a summary shows.
        #[derive(Clone, Debug, Default)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub(crate) struct Digests(DigestSet);

        impl Digests {
            $(pub(crate) fn $field(&self) -> Digest {
                self.0.get(Metric::$metric as u8)
            })*

            fn add(&mut self, interval: &Interval, weight: u64, cells: usize) {
                $(if let Some(value) = interval.get(Metric::$metric) {
                    self.0.add_within(Metric::$metric as u8, value, weight, cells);
                })*
            }

            /// The mean of one of the figures. Unlike the distribution, it allocates nothing.
            pub(crate) fn mean(&self, metric: Metric) -> Option<f64> {
                self.0.mean(metric as u8)
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

impl StreamRecord {
    /// Opens the record of a stream at its first sample. `None` if the entry has no SSRC or no timestamp.
    pub(crate) fn open(direction: Direction, entry: Entry<'_>) -> Option<Self> {
        let media = EntryTracker::new(entry)?;
        Some(Self {
            direction,
            ssrc: entry.ssrc()?,
            kind: entry.media(),
            codec: None,
            label: None,
            start: media.at(),
            samples: 0,
            duplicates: 0,
            late: 0,
            resets: 0,
            clock_steps: 0,
            gaps: 0,
            totals: Totals::default(),
            unrated: UnratedSpans::default(),
            times: Times::default(),
            digests: Digests::default(),
            size: None,
            doubted: Doubted::default(),
            quality: StreamScorer::default(),
            media,
            source: None,
            rtcp: Rtcp::default(),
            received_limit: ReceivedLimit::of(entry),
            was_active: false,
            codec_id: None,
            impossible: Fields::NONE,
            wrong_unit: Fields::NONE,
            has_new_codec: false,
            negotiated: Negotiated::default(),
            cadence: Cadence::default(),
            pace: Pace::default(),
            still_ms: 0.0,
            was_lost: false,
            rest_run: RestRun::default(),
            settling_ms: 0.0,
        })
    }

    /// Replaces the entry that opened the record, as long as it is the only sample.
    pub(crate) fn reopen(&mut self, entry: Entry<'_>) {
        if self.samples == 0
            && let Some(record) = Self::open(self.direction, entry)
        {
            *self = Self { duplicates: self.duplicates, ..record };
        }
    }

    /// The latest round-trip time by RTCP.
    pub(crate) fn rtcp_rtt_ms(&self) -> Option<f64> {
        self.rtcp.latest_rtt_ms()
    }

    /// The time of the last sample.
    pub(crate) const fn end(&self) -> StatTime {
        self.media.at()
    }

    /// From the first sample to the last, in ms. A clock that stepped back does not shorten it.
    pub(crate) fn duration_ms(&self) -> f64 {
        self.end().millis_since(self.start)
    }

    /// Whether its samples are closer to each other than any browser's: the times hardly advance, or are in another unit.
    pub(crate) fn is_hasty(&self) -> bool {
        self.samples >= SEVERAL && self.duration_ms() < LEAST_SPAN_MS * (self.samples - 1) as f64
    }

    /// The spans of time with known rates, ms, and their bytes. `None` if no rate of the stream is believed. Some spans may
    /// be empty.
    pub(crate) fn rated_spans(&self) -> Option<(impl Iterator<Item = (f64, f64)>, Option<f64>)> {
        let spans = self.unrated.rest(self.start.as_millis(), self.end().as_millis());
        (!self.is_hasty()).then(|| (spans, self.totals.bytes.get().map(|bytes| bytes - self.unrated.bytes())))
    }

    /// Whether any packet or byte was ever counted.
    pub(crate) fn has_traffic(&self) -> bool {
        [Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent]
            .iter()
            .any(|&field| self.media.last(field) > Some(0.0))
    }

    /// The codec's id, if `entry` is a new sample with another codec id than the last one: the caller then finds the
    /// codec and calls [`StreamRecord::set_codec`] before [`StreamRecord::sample`].
    pub(crate) fn new_codec_id<'a>(&self, entry: Entry<'a>) -> Option<&'a str> {
        let is_due = self.samples == 0 || entry.timestamp() > Some(self.end());
        entry.text(Text::CodecId).filter(|&id| is_due && self.codec_id.as_deref() != Some(id))
    }

    /// Stores the codec of an id: its MIME type and its SDP parameters.
    pub(crate) fn set_codec(&mut self, id: &str, mime: &str, fmtp: Option<&str>) {
        // An id that is too long to be stored is searched every time.
        self.codec_id = (id.len() <= MAX_NAME).then(|| id.into());
        let name = codec_name(mime);
        self.has_new_codec |= self.codec.as_ref().is_some_and(|before| !before.eq_ignore_ascii_case(&name));
        self.codec = Some(name);
        self.negotiated = fmtp.map(Negotiated::of_fmtp).unwrap_or_default();
    }

    /// Takes the remote endpoint's report on this stream. Call it before [`StreamRecord::sample`] of the same snapshot.
    pub(crate) fn take_remote(&mut self, remote: Entry<'_>, own: Entry<'_>) {
        self.rtcp.take_remote(remote, own, self.direction, self.still_ms);
    }

    /// Whether `entry` shows that nothing of this audio is played, not even concealment. `None` for other streams than
    /// received audio, and for audio of which no packet came or no sample was played so far: it cannot distinguish a
    /// held connection from an unused one, or from a server, which plays nothing.
    pub(crate) fn is_playout_stopped(&self, entry: Entry<'_>) -> Option<bool> {
        let has = |member| self.media.last(member) > Some(0.0);
        if self.kind != Some(MediaKind::Audio) || !has(Num::PacketsReceived) || !has(Num::TotalSamplesReceived) {
            return None;
        }
        match self.media.step(entry) {
            Progress::Advance(delta) => Some(delta.of(Num::TotalSamplesReceived)? == 0.0),
            _ => None,
        }
    }

    /// Whether counters advance to `entry`, and none is reset, though its time is earlier than the last one.
    pub(crate) fn advances_in_the_past(&self, entry: Entry<'_>) -> bool {
        match self.media.step(entry) {
            Progress::Restart(delta) => delta.span_ms() < 0.0 && delta.has_grown() && !delta.has_resets(),
            _ => false,
        }
    }

    /// Samples the stream's own entry and closes an interval, except at the first sample. `source` is the media source
    /// of a sent stream; `app_time` counts since the last closed interval.
    pub(crate) fn sample(
        &mut self,
        entry: Entry<'_>,
        source: Option<Entry<'_>>,
        app_time: AppTime,
        context: ConnectionContext<'_>,
    ) -> Observation {
        let source_level = self.source_level(source.filter(|source| source.media() == Some(MediaKind::Audio)));
        let kind = entry.media().or(self.kind);
        self.was_active |= entry.flag(Flag::Active) == Some(true);
        if self.samples == 0 {
            (self.samples, self.kind) = (1, kind);
            self.note_names(entry);
            return Observation::First;
        }
        // Counts that advance without the clock are taken when the clock advances.
        if entry.timestamp() == Some(self.end()) && !context.has_clock_stepped {
            self.duplicates = self.duplicates.saturating_add(1);
            return Observation::Repeated;
        }
        // Across a step of the clock, counters go on: the interval has no rate, but it is no reset.
        let (mut delta, is_reset) = match self.media.take(entry) {
            Progress::Unchanged => {
                self.duplicates = self.duplicates.saturating_add(1);
                return Observation::Repeated;
            }
            Progress::Stale => {
                self.late = self.late.saturating_add(1);
                return Observation::Late;
            }
            Progress::Restart(delta) => (delta, true),
            Progress::Advance(delta) => (delta, false),
        };
        let has_no_rate = is_reset || context.has_clock_stepped;
        delta.disbelieve();
        let received = if self.direction == Direction::Inbound {
            let counts_repeated = self.media.last(Num::RetransmittedPacketsReceived).is_some();
            self.received_limit.losses(&mut delta, self.still_ms, counts_repeated)
        } else {
            LossCount::default()
        };
        let delta = &delta;
        self.totals.add(delta);
        let at = entry.timestamp().unwrap_or(self.end());
        let mut interval = Interval::new(at, delta.span_ms(), self.direction, self.ssrc, kind);
        if has_no_rate {
            interval.state = IntervalState::Reset;
            self.wrong_unit = Fields::NONE;
            self.add_losses(received, interval.state, true);
            self.rtcp.restart(delta.is_from_zero());
        } else {
            interval.derive(delta);
            if source_level.is_some() {
                interval.set(Metric::Level, source_level);
            }
            let packets = packets(delta, self.direction);
            if packets > Some(0.0) && self.still_ms >= STILL_MS {
                self.settling_ms = SETTLING_MS;
            }
            let settling = self.direction == Direction::Inbound && self.settling_ms > 0.0;
            self.settling_ms = (self.settling_ms - delta.span_ms()).max(0.0);
            match packets {
                Some(packets) if packets > 0.0 => {
                    self.still_ms = 0.0;
                    self.rtcp.packets_pass();
                }
                Some(_) => self.still_ms += delta.span_ms(),
                None => {}
            }
            self.rtcp.fill(&mut interval, delta, received, packets != Some(0.0) && !settling);
            self.check_durations(&mut interval, context.ice_rtt_ms);
            interval.state = state_of(
                &interval,
                &Context {
                    gap: self.cadence.is_gap(delta.span_ms()),
                    is_lost: context.is_lost && self.still_ms > 0.0,
                    still: self.still_ms >= STILL_MS,
                    is_playout_stopped: context.is_playout_stopped,
                    is_inactive: self.is_inactive(delta),
                    sender_rests: self.rtcp.sender_rests(at),
                    source_level,
                    few_packets: self.pace.are_few(expected(delta, packets), delta.span_ms()),
                },
            );
            if let Some(state) = app_time.state() {
                interval.state = state;
                self.rtcp.skip_next_report();
            }
            self.add_losses(received, interval.state, packets != Some(0.0));
            if interval.state.is_measured() {
                self.totals.add_heard(delta);
            }
        }
        // An interval that is reset has no figure either.
        if interval.state == IntervalState::Gap || interval.get(Metric::BitrateBps).is_none() {
            let bytes = self.totals.add_unrated(delta);
            self.unrated.add(at.as_millis(), delta.span_ms(), bytes);
        }
        let doubted = delta.doubted().or(interval.doubted()).or(self.rtcp.take_doubted());
        if doubted.has(Num::PacketsLost) {
            self.totals.doubt_losses();
        }
        self.doubted.note(doubted);
        self.kind = kind;
        self.samples = self.samples.saturating_add(1);
        self.note_names(entry);
        if context.has_clock_stepped && !is_reset {
            self.clock_steps = self.clock_steps.saturating_add(1);
        }
        self.close(&interval, entry, app_time, context);
        Observation::Closed(interval)
    }

    /// Scores the interval that the latest sample closed. The other arguments are those of the sample.
    pub(crate) fn score_interval(
        &mut self,
        interval: &Interval,
        entry: Entry<'_>,
        source: Option<Entry<'_>>,
        context: ConnectionContext<'_>,
    ) -> IntervalScore {
        if interval.state.is_measured() {
            // Positive; the cast saturates.
            let weight = (interval.span_ms * 1e3) as u64;
            self.digests.add(interval, weight, context.config.limits().digest_cells());
        }
        self.times.lost += self.quality.take_lost_run(interval.state);
        self.quality.score_interval(
            interval,
            &ScoringContext {
                config: context.config,
                codec: self.codec.as_deref(),
                negotiated: self.negotiated,
                ice_rtt_ms: context.ice_rtt_ms,
                playout_ms: context.playout_ms,
                source_frames_per_second: source.and_then(|source| source.get(Num::FramesPerSecond)),
                screen: entry.text(Text::ContentType) == Some("screenshare"),
                still_ms: self.still_ms,
                path_carries: context.path_carries,
                is_path_silent: context.is_path_silent,
                has_received: self.has_received(),
                is_sent: self.rtcp.sender_sends(interval.at),
                has_new_codec: core::mem::take(&mut self.has_new_codec),
            },
        )
    }

    /// Doubts durations in another unit: those of a member that gave impossible ones twice in succession, and a round trip
    /// that is a thousand times the one by ICE.
    fn check_durations(&mut self, interval: &mut Interval, ice_rtt_ms: Option<f64>) {
        if let Some((rtcp_ms, ice_ms)) = interval.get(Metric::RttMs).zip(ice_rtt_ms)
            && is_thousandfold(rtcp_ms, ice_ms)
        {
            interval.doubt(Metric::RttMs);
        }
        let impossible = interval.doubted();
        self.wrong_unit = self.wrong_unit.or(impossible.and(self.impossible));
        self.impossible = impossible;
        if !self.wrong_unit.is_empty() {
            interval.doubt_durations(self.wrong_unit);
        }
    }

    /// Adds the losses of an interval: received ones, or those that reports on a sent stream brought. The first packets
    /// received after lost time show what was lost in it. `passes`: packets may have passed.
    fn add_losses(&mut self, received: LossCount, state: IntervalState, passes: bool) {
        let [counting, at_rest] = self.rtcp.take_unread();
        let is_received = self.direction == Direction::Inbound;
        let losses = if is_received { received } else { counting };
        self.totals.add_losses(losses, state.excludes_losses() || is_received && self.was_lost);
        self.totals.add_losses(at_rest, true);
        self.was_lost = state == IntervalState::Lost || self.was_lost && !passes;
    }

    /// Whether the sender reports the stream as inactive. `active: false` is a filler while bytes pass and it was never
    /// true (see `report::filler`).
    fn is_inactive(&self, delta: &Delta<'_>) -> bool {
        let passes = [Num::BytesSent, Num::PacketsSent].iter().any(|&field| delta.passed(field) > Some(0.0));
        delta.entry().flag(Flag::Active) == Some(false) && (self.was_active || !passes)
    }

    /// Whether anything was ever received; true if it is not counted.
    fn has_received(&self) -> bool {
        self.media.last(Num::PacketsReceived) != Some(0.0) || self.media.last(Num::BytesReceived) > Some(0.0)
    }

    fn close(&mut self, interval: &Interval, entry: Entry<'_>, app_time: AppTime, context: ConnectionContext<'_>) {
        if interval.state == IntervalState::Reset {
            self.resets = self.resets.saturating_add(1);
            self.still_ms = 0.0;
            self.pace = Pace::default();
            self.move_start(interval.span_ms);
        } else {
            self.cadence.note(interval.span_ms);
        }
        self.add_time(interval, app_time, context);
        self.note_size(entry);
    }

    /// Adds the interval to the sum of its state; scoring adds active time. Every millisecond is in exactly one sum.
    fn add_time(&mut self, interval: &Interval, app_time: AppTime, context: ConnectionContext<'_>) {
        if self.still_ms == 0.0 {
            self.rest_run = RestRun::default();
        }
        let span_ms = interval.length_ms();
        let rest_ms = span_ms - app_time.add_to(&mut self.times, span_ms);
        let Self { times, rest_run: run, .. } = self;
        match interval.state {
            IntervalState::Reset => times.reset += rest_ms,
            // The application changed the state in the middle of the interval.
            _ if app_time.state().is_some() => self.quality.transition.add(Micros::of_millis(rest_ms)),
            IntervalState::Muted => times.muted += span_ms,
            IntervalState::Held => (times.held, run.held) = (times.held + span_ms, run.held + span_ms),
            IntervalState::Paused => (times.paused, run.paused) = (times.paused + span_ms, run.paused + span_ms),
            IntervalState::Silent => (times.silent, run.silent) = (times.silent + span_ms, run.silent + span_ms),
            IntervalState::Lost => {
                let RestRun { held, paused, silent } = core::mem::take(run);
                (times.held, times.paused, times.silent) =
                    (times.held - held, times.paused - paused, times.silent - silent);
                times.lost += span_ms + held + paused + silent;
            }
            IntervalState::Gap => {
                times.gap += span_ms;
                self.gaps = self.gaps.saturating_add(1);
            }
            IntervalState::Active => {}
        }
        if !context.is_path_silent {
            self.rest_run = RestRun::default();
        }
    }

    fn note_size(&mut self, entry: Entry<'_>) {
        if let (Some(width), Some(height)) = (entry.get(Num::FrameWidth), entry.get(Num::FrameHeight)) {
            self.size = Some((width, height));
        }
    }

    /// Moves the start back with a time that went back by `-span_ms`: the duration before is not lost.
    fn move_start(&mut self, span_ms: f64) {
        if span_ms < 0.0 {
            let start_ms = (self.start.as_millis() + span_ms).max(0.0);
            let by_ms = start_ms - self.start.as_millis();
            self.start = StatTime::from_millis(start_ms).unwrap_or(self.start);
            self.unrated.shift(by_ms);
        }
    }

    fn note_names(&mut self, entry: Entry<'_>) {
        if self.label.is_none() {
            self.label = entry.text(Text::Rid).or_else(|| entry.text(Text::Mid)).map(stored_name);
        }
        if self.codec.is_none() {
            self.codec = entry.text(Text::MimeType).map(codec_name);
        }
    }

    /// The level of the source during the interval: RMS where energy is known.
    fn source_level(&mut self, source: Option<Entry<'_>>) -> Option<f64> {
        let source = source?;
        let Some(track) = &mut self.source else {
            self.source = EntryTracker::new(source).map(Box::new);
            return None;
        };
        let level = match track.take(source) {
            Progress::Advance(mut delta) => {
                delta.disbelieve();
                self.doubted.note(delta.doubted());
                Formula::Rms(Num::TotalAudioEnergy, Num::TotalSamplesDuration).of(&delta)
            }
            Progress::Restart(_) => None,
            Progress::Unchanged | Progress::Stale => return None,
        };
        level.or_else(|| source.get(Num::AudioLevel))
    }
}

/// The number of packets that passed; `None` if they are not counted.
fn packets(delta: &Delta<'_>, direction: Direction) -> Option<f64> {
    delta.of(match direction {
        Direction::Inbound => Num::PacketsReceived,
        Direction::Outbound => Num::PacketsSent,
    })
}

/// The number of packets that should have passed: lost packets were sent.
fn expected(delta: &Delta<'_>, passed: Option<f64>) -> Option<f64> {
    let lost = delta.of(Num::PacketsLost).map_or(0.0, |lost| lost.max(0.0));
    passed.map(|passed| passed + lost)
}

/// The codec's name as the MIME type spells it: `opus` of `audio/opus`.
fn codec_name(mime: &str) -> Box<str> {
    stored_name(mime.rsplit('/').next().unwrap_or(mime))
}

/// A name for storage: whole, or cut and marked with `…`.
fn stored_name(name: &str) -> Box<str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let end = name.char_indices().map(|(at, _)| at).take_while(|&at| at <= MAX_NAME).last();
    let mut cut = String::from(name.get(..end.unwrap_or(0)).unwrap_or(""));
    cut.push('…');
    cut.into()
}
