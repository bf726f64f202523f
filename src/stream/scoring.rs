//! Scores a stream: the last seconds at each sample, and the pool of scores over the call. The models themselves are in
//! `score`.

use super::outage::PauseOrOutage;
use super::state::STILL_MS;
use crate::config::Config;
use crate::id::{Direction, MediaKind};
use crate::metric::{Interval, IntervalState, Metric};
use crate::score::audio::AudioWindow;
use crate::score::rating::{self, CallstatsRating};
use crate::score::video::VideoWindow;
use crate::score::{Micros, NoScore, Score, ScorePool, StreamScores, WorstTenSeconds};
use crate::unit::StatTime;

/// The score of a stream, now and over the call.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamScorer {
    window: Window,
    scores: StreamScores,
    /// The latest score, until the next sample shows that the stream did not come to rest in the middle of its
    /// interval.
    latest: Option<LatestInputs>,
    worst: WorstTenSeconds,
    /// The stream rested: the next interval is the end of the rest.
    rested: bool,
    /// Active time at either end of a rest: not scored, since the transition resembles loss.
    pub(crate) transition: Micros,
    standstill: PauseOrOutage,
    /// Time in which an active stream received nothing while other packets arrived, or had never received anything: its
    /// sender paused without reporting it.
    pub(crate) sender_idle: Micros,
    /// The latest part of it, while nothing else arrives over the path either.
    idle_run: Micros,
    /// Time without received media for which no report ever stated whether anything was sent.
    unresolved: Micros,
    /// Time with audible or visible media but without a score.
    pub(crate) unscored: Micros,
    /// Time in each rating: excellent, fair, bad, unknown.
    pub(crate) rated: [Micros; 4],
    /// Time without audible content while the stream was active.
    pub(crate) no_speech: Micros,
    /// Frames and milliseconds so far, for the rating.
    frames: (f64, f64),
}

#[derive(Clone, Debug, Default)]
#[allow(clippy::large_enum_variant)] // few streams stay unknown, and a box would be a cost for all others
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Window {
    #[default]
    Unknown,
    Audio(AudioWindow),
    Video(VideoWindow),
}

/// A score and its weight.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct LatestInputs {
    #[cfg_attr(feature = "serde", serde(with = "crate::score::wire"))]
    score: Score,
    span_ms: f64,
    active_ms: f64,
    at: StatTime,
}

/// Evidence for scoring besides the interval.
pub(crate) struct ScoringContext<'a> {
    pub(crate) config: &'a Config,
    pub(crate) codec: Option<&'a str>,
    pub(crate) negotiated: Negotiated,
    /// Round-trip time of the connection by ICE, ms.
    pub(crate) ice_rtt_ms: Option<f64>,
    pub(crate) playout_ms: Option<f64>,
    /// The source's frame rate, for a sent stream.
    pub(crate) source_frames_per_second: Option<f64>,
    pub(crate) screen: bool,
    /// How long nothing has been received, ms.
    pub(crate) still_ms: f64,
    /// Whether anything arrived over the path during the interval; `None` if nothing is counted.
    pub(crate) path_carries: Option<bool>,
    /// Whether nothing arrived over the path during the interval, or there is no path yet.
    pub(crate) is_path_silent: bool,
    /// The remote endpoint sends, by its own report.
    pub(crate) is_sent: bool,
    /// Whether anything was ever received.
    pub(crate) has_received: bool,
    /// The interval began with another codec.
    pub(crate) has_new_codec: bool,
}

impl ScoringContext<'_> {
    /// Whether nothing has been received for longer than a packet or two.
    const fn is_still(&self) -> bool {
        self.still_ms >= STILL_MS
    }
}

/// Negotiated codec settings.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Negotiated {
    pub(crate) error_correction: bool,
    pub(crate) constant_bitrate: bool,
}

impl Negotiated {
    /// Reads the parameters of SDP (`sdpFmtpLine`).
    pub(crate) fn of_fmtp(fmtp: &str) -> Self {
        let [error_correction, constant_bitrate] =
            ["useinbandfec=1", "cbr=1"].map(|wanted| fmtp.split(';').any(|parameter| parameter.trim() == wanted));
        Self { error_correction, constant_bitrate }
    }
}

/// The score and the rating of an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntervalScore {
    pub(crate) score: Result<Score, NoScore>,
    pub(crate) rating: CallstatsRating,
}

impl StreamScorer {
    /// Scores an interval.
    pub(crate) fn score_interval(&mut self, interval: &Interval, context: &ScoringContext<'_>) -> IntervalScore {
        self.follow(interval.kind);
        let rtt_ms = interval.get(Metric::RttMs).or(context.ice_rtt_ms);
        let is_still = context.is_still() && interval.direction == Direction::Inbound;
        let idles = interval.state == IntervalState::Active
            && is_still
            && (!context.has_received
                || self.standstill.rests(interval.span_ms, context.path_carries, context.is_sent));
        let is_over = match interval.state {
            IntervalState::Active => !is_still || (idles && self.standstill.is_outage()),
            IntervalState::Reset | IntervalState::Gap => self.standstill.is_outage(),
            _ => false,
        };
        if is_over {
            self.settle(interval, context, rtt_ms);
        }
        if !is_still {
            self.standstill = PauseOrOutage::default();
        }
        if !is_still || !context.is_path_silent {
            self.idle_run = Micros::default();
        }
        if context.has_new_codec {
            self.renew();
        }
        let score = match interval.state {
            IntervalState::Active if idles => {
                self.sender_idle.add(Micros::of_millis(interval.span_ms));
                if context.is_path_silent {
                    self.idle_run.add(Micros::of_millis(interval.span_ms));
                }
                self.rest(interval, IntervalState::Paused);
                Err(NoScore::Resting)
            }
            IntervalState::Active if self.rested => {
                self.rested = false;
                if let Window::Video(window) = &mut self.window {
                    window.skip(interval);
                }
                self.transition.add(Micros::of_millis(interval.span_ms));
                Err(NoScore::Resting)
            }
            IntervalState::Active if context.has_new_codec => {
                self.keep(Err(NoScore::NewCodec), interval.span_ms, interval.span_ms, interval.at)
            }
            IntervalState::Active => self.score(interval, context, rtt_ms),
            // A short silence between words: audio before it still counts.
            IntervalState::Silent => Err(NoScore::Resting),
            state => {
                self.rest(interval, state);
                Err(NoScore::Resting)
            }
        };
        let rating = self.rate(interval, rtt_ms, score.ok());
        IntervalScore { score, rating }
    }

    /// The time right before a lost interval in which nothing arrived either, ms: it was lost, too, and is in no sum of
    /// the score any more. 0 for other states. Call it before the interval is scored.
    pub(crate) fn take_lost_run(&mut self, state: IntervalState) -> f64 {
        if state != IntervalState::Lost {
            return 0.0;
        }
        let idle = core::mem::take(&mut self.idle_run);
        self.sender_idle = self.sender_idle.less(idle);
        // The window forgets the pending outage when it rests.
        idle.as_millis() + self.pending_outage().as_millis()
    }

    /// Audio scores say nothing about video: a stream that turns out to be of another kind starts over.
    fn follow(&mut self, kind: Option<MediaKind>) {
        let window = match (&self.window, kind) {
            (Window::Audio(_), Some(MediaKind::Audio)) | (Window::Video(_), Some(MediaKind::Video)) | (_, None) => {
                return;
            }
            (_, Some(MediaKind::Audio)) => Window::Audio(AudioWindow::new()),
            (_, Some(MediaKind::Video)) => Window::Video(VideoWindow::new()),
        };
        let mut unscored = self.unscored;
        unscored.add(self.scores.active());
        unscored.add(Micros::of_millis(self.decided().map_or(0.0, |latest| latest.active_ms)));
        *self = Self {
            window,
            transition: self.transition,
            sender_idle: self.sender_idle,
            no_speech: self.no_speech,
            rated: self.rated,
            unresolved: self.unresolved(),
            unscored,
            ..Self::default()
        };
    }

    /// The total time for which it is undecided whether anything was sent.
    pub(crate) fn unresolved(&self) -> Micros {
        let (mut unresolved, pending_outage) = (self.unresolved, self.pending_outage());
        if pending_outage > Micros::default() {
            unresolved.add(pending_outage);
            // The score before depends on that decision.
            unresolved.add(self.latest.map_or_else(Micros::default, |latest| Micros::of_millis(latest.active_ms)));
        }
        unresolved
    }

    /// The time that is undecided so far.
    fn pending_outage(&self) -> Micros {
        Micros::of_millis(match &self.window {
            Window::Audio(window) => window.pending_outage_ms(),
            Window::Video(window) => window.pending_outage_ms(),
            Window::Unknown => 0.0,
        })
    }

    /// Whether there is any score so far.
    pub(crate) fn is_scored(&self) -> bool {
        let latest = self.decided().map(|latest| Micros::of_millis(latest.active_ms));
        self.scores.active().max(latest.unwrap_or_default()) > Micros::default()
    }

    /// The latest score, unless it depends on an open decision.
    fn decided(&self) -> Option<LatestInputs> {
        self.latest.filter(|_| self.pending_outage() == Micros::default())
    }

    /// The scores so far. Cost: a copy of the whole distribution.
    pub(crate) fn scores(&self) -> ScorePool {
        let (mut scores, mut worst) = (self.scores.clone(), self.worst.clone());
        if let Some(latest) = self.decided() {
            latest.join(&mut scores, &mut worst);
        }
        scores.pool(worst.get())
    }

    /// Restores the ids of the audio and the video model, which a state does not contain.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self, [audio_model, video_model]: [crate::score::ModelId; 2]) {
        let model = match self.window {
            Window::Unknown => return,
            Window::Audio(_) => audio_model,
            Window::Video(_) => video_model,
        };
        self.scores.restore_models(model);
        if let Some(latest) = &mut self.latest {
            latest.score.model = model;
        }
    }

    /// Handles a rest of the stream, a reset of its counters, or a gap.
    fn rest(&mut self, interval: &Interval, state: IntervalState) {
        let pending_outage = self.pending_outage();
        if matches!(state, IntervalState::Muted | IntervalState::Held | IntervalState::Paused | IntervalState::Lost) {
            self.rested = true;
            // The stream came to rest in the middle of this interval.
            if let Some(latest) = self.latest.take() {
                self.transition.add(Micros::of_millis(latest.active_ms));
            }
            if state != IntervalState::Lost {
                self.transition.add(pending_outage);
            }
        } else {
            self.unresolved.add(pending_outage);
        }
        self.worst.rest();
        match &mut self.window {
            Window::Audio(window) => window.clear(),
            Window::Video(window) => {
                let mut interval = *interval;
                interval.state = state;
                window.add(&interval);
            }
            Window::Unknown => {}
        }
    }

    /// Clears the window, because earlier figures say nothing about a new codec.
    fn renew(&mut self) {
        self.unresolved.add(self.pending_outage());
        match &mut self.window {
            Window::Audio(window) => window.clear(),
            Window::Video(window) => window.clear(),
            Window::Unknown => {}
        }
    }

    /// Settles a pending outage: it counts by itself, however long the next interval is.
    fn settle(&mut self, interval: &Interval, context: &ScoringContext<'_>, rtt_ms: Option<f64>) {
        let Window::Audio(window) = &mut self.window else { return };
        let outage_ms = window.count_pending_outage();
        if outage_ms > 0.0 {
            let score = score_window(window, interval, context, rtt_ms);
            if self.keep(score, outage_ms, outage_ms, interval.at).is_ok() {
                self.join_latest();
            }
        }
    }

    fn score(
        &mut self,
        interval: &Interval,
        context: &ScoringContext<'_>,
        rtt_ms: Option<f64>,
    ) -> Result<Score, NoScore> {
        let before_ms = self.pending_outage().as_millis();
        let (result, active_ms) = match &mut self.window {
            Window::Unknown => (Err(NoScore::UnknownKind), interval.span_ms),
            Window::Audio(window) => score_audio(window, interval, context, rtt_ms),
            Window::Video(window) => score_video(window, interval, context),
        };
        let decided_ms = before_ms - self.pending_outage().as_millis();
        if decided_ms < 0.0 {
            return Err(NoScore::Unresolved);
        }
        self.no_speech.add(Micros::of_millis(interval.span_ms + decided_ms - active_ms));
        // A pause begins like an outage: until they can be distinguished, one score covers both intervals.
        if context.still_ms > 0.0
            && let (Ok(score), Some(latest)) = (result, &mut self.latest)
        {
            *latest = LatestInputs {
                score,
                span_ms: latest.span_ms + interval.span_ms,
                active_ms: latest.active_ms + active_ms,
                at: interval.at,
            };
            return result;
        }
        self.keep(result, interval.span_ms, active_ms, interval.at)
    }

    /// Stores the score of a span of time, or the reason why there is none.
    fn keep(
        &mut self,
        result: Result<Score, NoScore>,
        span_ms: f64,
        active_ms: f64,
        at: StatTime,
    ) -> Result<Score, NoScore> {
        self.join_latest();
        match result {
            Ok(score) => {
                self.latest = Some(LatestInputs { score, span_ms, active_ms, at });
            }
            Err(reason) => {
                self.unscored.add(Micros::of_millis(active_ms));
                self.scores.miss(reason);
            }
        }
        result
    }

    /// Adds the latest score to the pool: the next interval confirmed it.
    fn join_latest(&mut self) {
        if let Some(latest) = self.latest.take() {
            latest.join(&mut self.scores, &mut self.worst);
        }
    }

    fn rate(&mut self, interval: &Interval, rtt_ms: Option<f64>, score: Option<Score>) -> CallstatsRating {
        if !interval.state.is_measured() {
            return CallstatsRating::Unknown;
        }
        let (frames, ms) = self.frames;
        let usual = (ms > 0.0).then(|| frames / (ms / 1e3));
        if let Some(rate) = interval.get(Metric::FramesPerSecond) {
            self.frames = (frames + rate * interval.span_ms / 1e3, ms + interval.span_ms);
        }
        let rating = rating::rate(interval, rtt_ms, usual).beside(score.map(|score| score.rx));
        if let Some(held) = self.rated.get_mut(rating as usize) {
            held.add(Micros::of_millis(interval.span_ms));
        }
        rating
    }
}

/// Scores audio. Returns also the audible part of the interval, ms.
fn score_audio(
    window: &mut AudioWindow,
    interval: &Interval,
    context: &ScoringContext<'_>,
    rtt_ms: Option<f64>,
) -> (Result<Score, NoScore>, f64) {
    if context.is_still() && interval.direction == Direction::Inbound {
        window.add_pending_outage(interval);
        return (Err(NoScore::Unresolved), 0.0);
    }
    let path_active_ms = window.add(interval);
    (score_window(window, interval, context, rtt_ms), path_active_ms)
}

/// Scores the recent audio.
fn score_window(
    window: &AudioWindow,
    interval: &Interval,
    context: &ScoringContext<'_>,
    rtt_ms: Option<f64>,
) -> Result<Score, NoScore> {
    let received = interval.direction == Direction::Inbound;
    window.inputs().ok_or(NoScore::TooLittle).and_then(|mut inputs| {
        inputs.codec = context.codec;
        inputs.constant_bitrate = context.negotiated.constant_bitrate;
        // The parameters of a received stream say what this end can decode, not what the sender adds: its use shows in
        // the packets recovered.
        inputs.error_correction = context.negotiated.error_correction && !received;
        inputs.lost_at_far_end = !received;
        inputs.rtt_ms = rtt_ms;
        inputs.playout_ms = context.playout_ms.filter(|_| received);
        let model = context.config.audio_model();
        model.score(&inputs).map(|score| Score { model: model.id(), ..score })
    })
}

/// Scores video. Returns also the visible part of the interval, ms.
fn score_video(
    window: &mut VideoWindow,
    interval: &Interval,
    context: &ScoringContext<'_>,
) -> (Result<Score, NoScore>, f64) {
    let shown_ms = window.add(interval);
    let score = window.inputs().ok_or(NoScore::TooLittle).and_then(|mut inputs| {
        inputs.codec = context.codec;
        inputs.screen = context.screen;
        inputs.source_frames_per_second = context.source_frames_per_second;
        let model = context.config.video_model();
        model.score(&inputs).map(|score| Score { model: model.id(), ..score })
    });
    (score, shown_ms)
}

impl LatestInputs {
    fn join(&self, scores: &mut StreamScores, worst: &mut WorstTenSeconds) {
        scores.add(&self.score, Micros::of_millis(self.active_ms));
        worst.add(self.score.rx, self.span_ms, self.active_ms, self.at);
    }
}
