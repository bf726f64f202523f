//! What a caller may choose.

use alloc::sync::Arc;
use core::panic::RefUnwindSafe;

use crate::score::Model;
use crate::score::audio::{AudioInputs, AudioModel};
use crate::score::combine::Weights;
use crate::score::video::{VideoInputs, VideoModel};

/// How much of everything a conference keeps. Beyond a limit no stream or fabric that is known is lost: new ones are
/// refused, and counted. Only of events that nobody polls the oldest go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    fabrics: usize,
    streams_per_fabric: usize,
    pending_events: usize,
}

impl Limits {
    /// Defaults of a collector: 1 024 fabrics, 2 048 streams each, 4 096 events that wait to be polled.
    #[must_use]
    pub const fn new() -> Self {
        Self { fabrics: 1_024, streams_per_fabric: 2_048, pending_events: 4_096 }
    }

    /// How many fabrics one conference may open; 0 refuses all.
    #[must_use]
    pub const fn with_fabrics(mut self, fabrics: usize) -> Self {
        self.fabrics = fabrics;
        self
    }

    /// How many RTP streams one fabric may have, over the whole call. A look at one beyond is counted in
    /// [`FabricSummary::refused_streams`](crate::summary::FabricSummary::refused_streams).
    #[must_use]
    pub const fn with_streams_per_fabric(mut self, streams: usize) -> Self {
        self.streams_per_fabric = streams;
        self
    }

    /// How many events may wait to be polled before the oldest is dropped; 0 keeps none. An event takes some 350 bytes.
    #[must_use]
    pub const fn with_pending_events(mut self, events: usize) -> Self {
        self.pending_events = events;
        self
    }

    /// How many fabrics one conference may open.
    #[must_use]
    pub const fn fabrics(&self) -> usize {
        self.fabrics
    }

    /// How many RTP streams one fabric may have.
    #[must_use]
    pub const fn streams_per_fabric(&self) -> usize {
        self.streams_per_fabric
    }

    /// How many events may wait.
    #[must_use]
    pub const fn pending_events(&self) -> usize {
        self.pending_events
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// How a conference is to be measured.
#[derive(Clone, Debug, Default)]
pub struct Config {
    limits: Limits,
    audio_model: Option<Arc<ScoresAudio>>,
    video_model: Option<Arc<ScoresVideo>>,
    weights: Weights,
}

/// A model that scores sound.
pub type ScoresAudio = dyn for<'a> Model<AudioInputs<'a>> + RefUnwindSafe;

/// A model that scores pictures.
pub type ScoresVideo = dyn for<'a> Model<VideoInputs<'a>> + RefUnwindSafe;

static AUDIO_MODEL: AudioModel = AudioModel::new();
static VIDEO_MODEL: VideoModel = VideoModel::new();

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { limits: Limits::new(), audio_model: None, video_model: None, weights: Weights::new() }
    }

    /// Other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Another model that scores sound.
    #[must_use]
    pub fn with_audio_model(mut self, model: impl for<'a> Model<AudioInputs<'a>> + RefUnwindSafe + 'static) -> Self {
        self.audio_model = Some(Arc::new(model));
        self
    }

    /// The model that scores sound: [`AudioModel`] unless another was chosen.
    #[must_use]
    pub fn audio_model(&self) -> &ScoresAudio {
        self.audio_model.as_deref().unwrap_or(&AUDIO_MODEL)
    }

    /// Another model that scores pictures.
    #[must_use]
    pub fn with_video_model(mut self, model: impl for<'a> Model<VideoInputs<'a>> + RefUnwindSafe + 'static) -> Self {
        self.video_model = Some(Arc::new(model));
        self
    }

    /// The model that scores pictures: [`VideoModel`] unless another was chosen.
    #[must_use]
    pub fn video_model(&self) -> &ScoresVideo {
        self.video_model.as_deref().unwrap_or(&VIDEO_MODEL)
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

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }
}
