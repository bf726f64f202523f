//! What a caller may choose.

use alloc::sync::Arc;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;

use crate::diagnosis::{Kind, Threshold, Thresholds};
use crate::score::Model;
use crate::score::audio::{AudioInputs, AudioModel};
use crate::score::combine::Weights;
use crate::score::video::{VideoInputs, VideoModel};
use crate::speaker::dominant::kept_window_ms;

/// Declares the limits: beside each its default, and what it bounds.
macro_rules! limits {
    ($(#[$type_doc:meta])* $type:ident $($name:ident $with:ident $default:literal $(#[$doc:meta])*;)*) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $type { $($name: u32,)* }

        impl $type {
            /// The defaults of a collector, as each method states its own.
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
    /// How much of everything a conference keeps. Beyond a limit nothing that is known is lost: what is new is refused,
    /// and counted. Only of events that nobody polls the oldest go.
    ///
    /// Within the defaults, which have room for a call of ninety who all see and hear each other, a conference stays within
    /// 192 MiB, and with its summary within 352 MiB, whatever is put in (`tests/cost/memory.rs` puts in as much as it
    /// can, and counts). That scales with few of the limits; measured, each for itself and rounded up, in bytes (so
    /// that all of them together come to more than the bound):
    ///
    /// | each of | takes | and in the summary |
    /// |---|---|---|
    /// | [`streams`](Self::streams) | 8 000 | 3 000 |
    /// | [`fabrics`](Self::fabrics) | 7 500 | 6 000 |
    /// | [`devices`](Self::devices), twice for each fabric | 1 200 | 1 200 |
    /// | [`ssrcs`](Self::ssrcs) | 60 and two [names](Self::name_bytes) | |
    /// | [`users`](Self::users) | 500 | 4 200 |
    /// | [`stays_per_user`](Self::stays_per_user), for each user | 50 | 40 |
    /// | [`feedback`](Self::feedback), for a comment of 20 KB | 21 000 | 42 000 |
    /// | [`pending_events`](Self::pending_events) | 1 200 | |
    /// | [`timeline`](Self::timeline) | 120 | 1 200 |
    /// | [`diagnoses`](Self::diagnoses) | 350 | 1 900 |
    Limits
    fabrics with_fabrics 1_024
        /// How many fabrics one conference may open; 0 refuses all.
        ;
    streams_per_fabric with_streams_per_fabric 2_048
        /// How many RTP streams one fabric may have, over the whole call. A look at one beyond is counted in
        /// [`FabricSummary::refused_streams`](crate::summary::FabricSummary::refused_streams).
        ;
    streams with_streams 16_384
        /// How many RTP streams all fabrics together may have, over the whole call: who comes first has them, and fabrics
        /// that are closed keep theirs. What a stream was before it became somebody else's counts as one more. A look at
        /// one beyond is counted in [`FabricSummary::refused_streams`](crate::summary::FabricSummary::refused_streams).
        ;
    pending_events with_pending_events 4_096
        /// How many events may wait to be polled before the oldest is dropped; 0 keeps none. An event takes some 600
        /// bytes.
        ;
    users with_users 4_096
        /// How many users one conference may know.
        ;
    stays_per_user with_stays_per_user 64
        /// How many stays of a user are kept one by one. Further ones are counted, and the last one kept is the latest.
        ;
    name_bytes with_name_bytes 256
        /// How long a name may be, in bytes: that of a user, of a fabric, of a stream (its label), and the one that a
        /// conference is renamed to. A longer one is refused, not cut: two that begin alike must not become one.
        ;
    ssrcs_per_fabric with_ssrcs_per_fabric 4_096
        /// How many SSRCs of a fabric may be associated, grouped, muted or paused one by one, be they seen or not.
        ;
    ssrcs with_ssrcs 32_768
        /// How many such things may be said of the SSRCs of all fabrics together: whose it is, what it is grouped with, that
        /// it is muted or paused, each counts as one. What reports say, of retransmission and FEC, takes half at most.
        ;
    parts_per_fabric with_parts_per_fabric 1_024
        /// How many times, in all, streams of one fabric may pass from one user to another. Each part keeps figures of
        /// its own, some kilobytes.
        ;
    devices with_devices 16
        /// How many devices are kept of each list of a fabric: those in use, and those that are there.
        ;
    timeline with_timeline 4_096
        /// How many things that happened are kept for the summary. Further ones are polled and counted, and not kept.
        ;
    speakers with_speakers 1_024
        /// How many people's talk is followed, at some 1.5 kilobytes each; of these half, rounded up, may be streams
        /// that nobody named. What others say is counted in
        /// [`TalkSummary::refused_speakers`](crate::summary::TalkSummary::refused_speakers).
        ;
    turns with_turns 1_024
        /// How many times of who was the dominant speaker are kept for the summary, at 12 bytes each. Room for 64 is
        /// made as soon as somebody can be heard, and doubles: with a limit of 64 a call that runs allocates nothing at
        /// all. Further ones are polled and counted.
        ;
    errors with_errors 256
        /// How many reported errors and logs are kept for the summary.
        ;
    error_bytes with_error_bytes 262_144
        /// How many bytes their texts may have together.
        ;
    diagnoses_per_fabric with_diagnoses_per_fabric 256
        /// How many diagnoses of one fabric are kept. One beyond is not raised, and counted in
        /// [`ConferenceSummary::refused_diagnoses`](crate::summary::ConferenceSummary::refused_diagnoses).
        ;
    diagnoses with_diagnoses 2_048
        /// How many diagnoses of all fabrics together are kept, as above. A summary compares those of one place with
        /// each other, so that this bounds what one costs.
        ;
    digest_cells with_digest_cells 32
        /// How many cells each distribution of a stream's figures has, at 10 bytes each; a stream has four to nine of them.
        /// A quantile in a summary is off by at most 0.8 % of the value while the cells suffice, and by 2.3 %, 3.7 %, 6.3 %
        /// where values of about one, two, four octaves had to share 32 of them: each doubling of the cells halves it. Means
        /// and extremes stay exact.
        ;
    feedback with_feedback 1_024
        /// How many ratings are kept: one for each user and what it is about.
        ;
}

impl Limits {
    /// Limits for an SDK inside somebody's app, who measures one call: a conference and its summary stay within 24 MiB,
    /// whatever is put in (`tests/cost/memory.rs`). What reads the stats is not in that: a
    /// [`Reader`](crate::ingest::Reader) says what it takes.
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
            .with_turns(256)
            .with_errors(32)
            .with_error_bytes(65_536)
            .with_diagnoses_per_fabric(16)
            .with_digest_cells(128)
            .with_feedback(64)
    }
}

/// How a conference is to be measured.
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

/// A model by choice. It is a function and keeps nothing: a panic leaves nothing half done.
#[derive(Debug)]
struct Chosen<M: ?Sized>(Arc<M>);

impl<M: ?Sized> Clone for Chosen<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: ?Sized> UnwindSafe for Chosen<M> {}
impl<M: ?Sized> RefUnwindSafe for Chosen<M> {}

/// A model that scores sound.
pub type ScoresAudio = dyn for<'a> Model<AudioInputs<'a>>;

/// A model that scores pictures.
pub type ScoresVideo = dyn for<'a> Model<VideoInputs<'a>>;

static AUDIO_MODEL: AudioModel = AudioModel::new();
static VIDEO_MODEL: VideoModel = VideoModel::new();
static THRESHOLDS: Thresholds = Thresholds::new();

/// callstats' window for the dominant speaker.
const SPEAKER_WINDOW_MS: u64 = 10_000;
/// callstats' timeout: ICE gives up after 31 s.
const SILENCE_MICROS: u64 = 30_000_000;

impl Config {
    /// The defaults: a user, and the conference, is gone after 30 s of silence; what comes after the end belongs to
    /// another instance; labels of devices are not kept.
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

    /// Other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Another model that scores sound.
    #[must_use]
    pub fn with_audio_model(mut self, model: impl for<'a> Model<AudioInputs<'a>> + 'static) -> Self {
        self.audio_model = Some(Chosen(Arc::new(model)));
        self
    }

    /// The model that scores sound: [`AudioModel`] unless another was chosen.
    #[must_use]
    pub fn audio_model(&self) -> &ScoresAudio {
        self.audio_model.as_ref().map_or(&AUDIO_MODEL, |chosen| &*chosen.0)
    }

    /// Another model that scores pictures.
    #[must_use]
    pub fn with_video_model(mut self, model: impl for<'a> Model<VideoInputs<'a>> + 'static) -> Self {
        self.video_model = Some(Chosen(Arc::new(model)));
        self
    }

    /// The model that scores pictures: [`VideoModel`] unless another was chosen.
    #[must_use]
    pub fn video_model(&self) -> &ScoresVideo {
        self.video_model.as_ref().map_or(&VIDEO_MODEL, |chosen| &*chosen.0)
    }

    /// Another weight of sound beside pictures.
    #[must_use]
    pub const fn with_weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    /// How much sound and pictures weigh.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Other limits for one kind of diagnosis.
    #[must_use]
    pub fn with_threshold(mut self, kind: Kind, threshold: Threshold) -> Self {
        self.thresholds = Some(Arc::new(self.thresholds().with(kind, threshold)));
        self
    }

    /// The limits of all diagnoses: those of [`Kind`]'s table unless others were chosen.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        self.thresholds.as_deref().unwrap_or(&THRESHOLDS)
    }

    /// After how much silence a user counts as gone, and the conference as over.
    /// [`Conference::handle_timeout`](crate::Conference::handle_timeout) finds it out; who never calls it has no
    /// timeouts.
    #[must_use]
    pub const fn with_inactivity_timeout(mut self, silence: Duration) -> Self {
        self.inactivity_micros = micros(silence);
        self
    }

    /// Over how long a window [`Conference::is_only_speaker`](crate::Conference::is_only_speaker) is answered: 10 s
    /// unless said otherwise, kept within 1 s to 60 s.
    #[must_use]
    pub const fn with_speaker_window(mut self, window: Duration) -> Self {
        self.speaker_window_ms = kept_window_ms(window.as_millis());
        self
    }

    /// Whether what comes after the end takes the end back, instead of being refused for another instance: for who
    /// reads recordings, in which all belongs to one call and files may come one after the other. Fabrics that were
    /// terminated take snapshots then, too.
    #[must_use]
    pub const fn with_reopening(mut self, reopens: bool) -> Self {
        self.reopens = reopens;
        self
    }

    /// Whether labels of devices are kept. They may name people.
    #[must_use]
    pub const fn with_device_labels(mut self, keeps: bool) -> Self {
        self.keeps_device_labels = keeps;
        self
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// After how much silence a user counts as gone.
    #[must_use]
    pub const fn silence(&self) -> Duration {
        Duration::from_micros(self.inactivity_micros)
    }

    /// The window of the only speaker.
    #[must_use]
    pub const fn speaker_window(&self) -> Duration {
        Duration::from_millis(self.speaker_window_ms)
    }

    /// Whether what comes after the end takes it back.
    #[must_use]
    pub const fn reopens(&self) -> bool {
        self.reopens
    }

    /// Whether labels of devices are kept.
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

/// Microseconds; saturates.
pub(crate) const fn micros(duration: Duration) -> u64 {
    let micros = duration.as_micros();
    if micros > u64::MAX as u128 { u64::MAX } else { micros as u64 }
}
