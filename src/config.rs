//! The configuration that a caller chooses. It holds no state of a call.

use alloc::sync::Arc;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;

use crate::diagnosis::{Kind, Threshold, Thresholds};
use crate::score::Model;
use crate::score::audio::{AudioInputs, AudioModel};
use crate::score::combine::Weights;
use crate::score::video::{VideoInputs, VideoModel};
use crate::speaker::dominant::kept_window_ms;

/// Declares limits: the default of each, and what it bounds.
macro_rules! limits {
    ($(#[$type_doc:meta])* $type:ident $($name:ident $with:ident $default:literal $(#[$doc:meta])*;)*) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $type { $($name: u32,)* }

        impl $type {
            /// The defaults for a collector; each method states its own.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($name: $default,)* }
            }

            $(
                $(#[$doc])*
                #[doc = ""]
                #[doc = concat!("Default: ", stringify!($default), ". What exceeds 32 bits is 2³² − 1.")]
                #[must_use]
                pub const fn $with(mut self, limit: usize) -> Self {
                    self.$name = if limit > u32::MAX as usize { u32::MAX } else { limit as u32 };
                    self
                }

                #[doc = concat!("The limit that [`", stringify!($with), "`](Self::", stringify!($with), ") sets.")]
                #[must_use]
                pub const fn $name(&self) -> usize {
                    self.$name as usize
                }
            )*
        }

        impl Default for $type {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub(crate) use limits;

limits! {
    /// The limits of a conference. At a limit, existing data stays, and new data is refused and counted. Only the event
    /// queue, if it is not polled, drops its oldest events.
    ///
    /// Within the defaults, which suffice for a call of ninety participants that all see and hear each other, a
    /// conference stays within 192 MiB, and with its summary within 352 MiB, for any input (`tests/cost/memory.rs`
    /// feeds as much as it can, and measures). The memory scales with few of the limits; measured separately and
    /// rounded up, in bytes (so that their sum exceeds the bound):
    ///
    /// | each of | uses | plus in the summary |
    /// |---|---|---|
    /// | [`streams`](Self::streams) | 8 000 | 3 000 |
    /// | [`fabrics`](Self::fabrics) | 7 500 | 6 000 |
    /// | [`devices`](Self::devices), twice for each fabric | 1 200 | 1 200 |
    /// | [`ssrcs`](Self::ssrcs) | 60 and two [names](Self::name_bytes) | |
    /// | [`users`](Self::users) | 500 | 4 200 |
    /// | [`stays_per_user`](Self::stays_per_user), for each user | 50 | 40 |
    /// | [`feedback`](Self::feedback), for a comment of 20 KB | 21 000 | 42 000 |
    /// | [`pending_events`](Self::pending_events) | 500 | |
    /// | [`timeline`](Self::timeline) | 120 | 1 200 |
    /// | [`diagnoses`](Self::diagnoses) | 350 | 1 900 |
    Limits
    fabrics with_fabrics 1_024
        /// How many fabrics one conference may open; 0 refuses all.
        ;
    streams_per_fabric with_streams_per_fabric 2_048
        /// How many RTP streams one fabric may have, over the whole call. Samples of streams beyond it are counted in
        /// [`FabricSummary::refused_streams`](crate::summary::FabricSummary::refused_streams).
        ;
    streams with_streams 16_384
        /// How many RTP streams all fabrics together may have, over the whole call, first come, first served; closed
        /// fabrics retain theirs. A stream that passes to another user counts as one more. Samples of streams beyond it
        /// are counted in [`FabricSummary::refused_streams`](crate::summary::FabricSummary::refused_streams).
        ;
    pending_events with_pending_events 4_096
        /// How many events may wait to be polled before the oldest is dropped; 0 stores none. An interval with its
        /// score uses about 400 bytes, another event 350.
        ;
    users with_users 4_096
        /// How many users one conference may have.
        ;
    stays_per_user with_stays_per_user 64
        /// How many stays of a user are stored individually. Further ones are counted, and the last stored one is the
        /// latest.
        ;
    name_bytes with_name_bytes 256
        /// How long a name may be, in bytes: that of a user, of a fabric, of a stream (its label), and the new name of
        /// a conference. A longer name is refused, not cut: two names with the same beginning must stay distinct.
        ;
    ssrcs_per_fabric with_ssrcs_per_fabric 4_096
        /// How many SSRCs of a fabric may be associated, grouped, muted or paused individually, whether seen or not.
        ;
    ssrcs with_ssrcs 32_768
        /// How many such attributes the SSRCs of all fabrics together may have: owner, group, mute and pause count as
        /// one each. Retransmission and FEC attributes from reports use half at most.
        ;
    parts_per_fabric with_parts_per_fabric 1_024
        /// How many times, in total, streams of one fabric may pass from one user to another. Each part has its own
        /// figures of some kilobytes.
        ;
    devices with_devices 16
        /// How many devices are stored per list of a fabric: active devices and connected devices.
        ;
    timeline with_timeline 4_096
        /// How many events are stored for the summary. Further ones can be polled and are counted, but not stored.
        ;
    speakers with_speakers 1_024
        /// How many speakers are followed, at about 1.5 kilobytes each; half of them, rounded up, may be unnamed
        /// streams. Audio of speakers beyond it is counted in
        /// [`TalkSummary::refused_speakers`](crate::summary::TalkSummary::refused_speakers).
        ;
    dominance_spans with_dominance_spans 1_024
        /// How many spans of dominance are stored for the summary, at 12 bytes each. The list starts with a capacity of
        /// 64 as soon as there is audio, and doubles: with a limit of 64, a running call allocates nothing at all.
        /// Further ones can be polled and are counted.
        ;
    errors with_errors 256
        /// How many reported errors and logs are stored for the summary.
        ;
    error_bytes with_error_bytes 262_144
        /// How many bytes the texts of errors and logs may have together.
        ;
    diagnoses_per_fabric with_diagnoses_per_fabric 256
        /// How many diagnoses of one fabric are stored. Diagnoses beyond it are not raised, and are counted in
        /// [`ConferenceSummary::refused_diagnoses`](crate::summary::ConferenceSummary::refused_diagnoses).
        ;
    diagnoses with_diagnoses 2_048
        /// How many diagnoses of all fabrics together are stored. Those beyond it are not raised, and are counted in the
        /// same field. A summary compares diagnoses that share a fabric, so this bounds its cost.
        ;
    digest_cells with_digest_cells 32
        /// How many cells each distribution of a stream's figures has, at 7 bytes each; a stream has four to nine
        /// distributions. A quantile in a summary is off by at most 0.8 % of the value while the cells suffice, and by
        /// 2.3 %, 3.7 %, 6.3 % if values of about one, two, four octaves share 32 cells: each doubling of the cells
        /// halves the error. Means and extremes stay exact.
        ;
    feedback with_feedback 1_024
        /// How many ratings are stored: one per user and subject.
        ;
}

impl Limits {
    /// Limits for an SDK inside an app that measures one call: a conference and its summary stay within 24 MiB for any
    /// input (`tests/cost/memory.rs`). The memory of the reader is not included: [`Reader`](crate::ingest::Reader)
    /// states it.
    #[must_use]
    pub const fn sdk() -> Self {
        Self::new()
            .with_fabrics(16)
            .with_streams_per_fabric(64)
            .with_streams(1_152)
            .with_pending_events(256)
            .with_users(64)
            .with_stays_per_user(8)
            .with_ssrcs_per_fabric(128)
            .with_ssrcs(2_048)
            .with_parts_per_fabric(8)
            .with_devices(16)
            .with_timeline(512)
            .with_speakers(64)
            .with_dominance_spans(256)
            .with_errors(32)
            .with_error_bytes(65_536)
            .with_diagnoses_per_fabric(16)
            .with_digest_cells(128)
            .with_feedback(64)
    }
}

/// The configuration of a conference.
#[derive(Clone, Debug)]
pub struct Config {
    limits: Limits,
    audio_model: Option<Chosen<ScoresAudio>>,
    video_model: Option<Chosen<ScoresVideo>>,
    weights: Weights,
    thresholds: Option<Arc<Thresholds>>,
    reopens: bool,
    keeps_device_labels: bool,
    inactivity_micros: u64,
    speaker_window_ms: u64,
}

/// A chosen model. It is a function without state: a panic leaves nothing incomplete.
#[derive(Debug)]
struct Chosen<M: ?Sized>(Arc<M>);

impl<M: ?Sized> Clone for Chosen<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: ?Sized> UnwindSafe for Chosen<M> {}
impl<M: ?Sized> RefUnwindSafe for Chosen<M> {}

/// A model that scores audio.
pub type ScoresAudio = dyn for<'a> Model<AudioInputs<'a>>;

/// A model that scores video.
pub type ScoresVideo = dyn for<'a> Model<VideoInputs<'a>>;

static AUDIO_MODEL: AudioModel = AudioModel::new();
static VIDEO_MODEL: VideoModel = VideoModel::new();
static THRESHOLDS: Thresholds = Thresholds::new();

/// callstats' window for the dominant speaker.
const SPEAKER_WINDOW_MS: u64 = 10_000;
/// callstats' inactivity timeout; ICE gives up after 31 s.
const SILENCE_MICROS: u64 = 30_000_000;

impl Config {
    /// The defaults: users time out and the conference ends after 30 s of inactivity; input after the end belongs to
    /// another instance; device labels are not stored.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limits: Limits::new(),
            audio_model: None,
            video_model: None,
            weights: Weights::new(),
            thresholds: None,
            reopens: false,
            keeps_device_labels: false,
            inactivity_micros: SILENCE_MICROS,
            speaker_window_ms: SPEAKER_WINDOW_MS,
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the model that scores audio.
    #[must_use]
    pub fn with_audio_model(mut self, model: impl for<'a> Model<AudioInputs<'a>> + 'static) -> Self {
        self.audio_model = Some(Chosen(Arc::new(model)));
        self
    }

    /// The model that scores audio: [`AudioModel`] unless another was chosen.
    #[must_use]
    pub fn audio_model(&self) -> &ScoresAudio {
        self.audio_model.as_ref().map_or(&AUDIO_MODEL, |chosen| &*chosen.0)
    }

    /// Sets the model that scores video.
    #[must_use]
    pub fn with_video_model(mut self, model: impl for<'a> Model<VideoInputs<'a>> + 'static) -> Self {
        self.video_model = Some(Chosen(Arc::new(model)));
        self
    }

    /// The model that scores video: [`VideoModel`] unless another was chosen.
    #[must_use]
    pub fn video_model(&self) -> &ScoresVideo {
        self.video_model.as_ref().map_or(&VIDEO_MODEL, |chosen| &*chosen.0)
    }

    /// Sets the weights of audio and video.
    #[must_use]
    pub const fn with_weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    /// The weights of audio and video.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Sets the threshold of one kind of diagnosis.
    #[must_use]
    pub fn with_threshold(mut self, kind: Kind, threshold: Threshold) -> Self {
        self.thresholds = Some(Arc::new(self.thresholds().with(kind, threshold)));
        self
    }

    /// The thresholds of all diagnoses: those of [`Kind`]'s table unless others were chosen.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        self.thresholds.as_deref().unwrap_or(&THRESHOLDS)
    }

    /// Sets the inactivity timeout after which a user has left, and the conference has ended.
    /// [`Conference::handle_timeout`](crate::Conference::handle_timeout) applies it; without its calls there are no
    /// timeouts.
    #[must_use]
    pub const fn with_inactivity_timeout(mut self, silence: Duration) -> Self {
        self.inactivity_micros = micros(silence);
        self
    }

    /// Sets the window of [`Conference::is_only_speaker`](crate::Conference::is_only_speaker): 10 s by default, clamped
    /// to 1 s to 60 s.
    #[must_use]
    pub const fn with_speaker_window(mut self, window: Duration) -> Self {
        self.speaker_window_ms = kept_window_ms(window.as_millis());
        self
    }

    /// Sets whether input after the end cancels the end, instead of being refused for another instance. This suits
    /// readers of recordings, in which everything belongs to one call and files may follow one another. Terminated
    /// fabrics then take snapshots too.
    #[must_use]
    pub const fn with_reopening(mut self, reopens: bool) -> Self {
        self.reopens = reopens;
        self
    }

    /// Sets whether device labels are stored. They may name people.
    #[must_use]
    pub const fn with_device_labels(mut self, stored: bool) -> Self {
        self.keeps_device_labels = stored;
        self
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The inactivity timeout.
    #[must_use]
    pub const fn inactivity_timeout(&self) -> Duration {
        Duration::from_micros(self.inactivity_micros)
    }

    /// The window of the only speaker.
    #[must_use]
    pub const fn speaker_window(&self) -> Duration {
        Duration::from_millis(self.speaker_window_ms)
    }

    /// Whether input after the end cancels the end.
    #[must_use]
    pub const fn reopens(&self) -> bool {
        self.reopens
    }

    /// Whether device labels are stored.
    #[must_use]
    pub const fn keeps_device_labels(&self) -> bool {
        self.keeps_device_labels
    }

    pub(crate) const fn inactivity_micros(&self) -> u64 {
        self.inactivity_micros
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// A duration in microseconds; saturates.
pub(crate) const fn micros(duration: Duration) -> u64 {
    let micros = duration.as_micros();
    if micros > u64::MAX as u128 { u64::MAX } else { micros as u64 }
}
