//! The scores of streams, connections and conferences as a summary shows them. The module defines the schema; it
//! computes no score.

use alloc::string::String;

use crate::emodel::Scale;
use crate::score::{Cause, Inputs, MosScale, Parts, Tier};

output! {
    /// The score of one stream, or of all streams of one kind. A figure is `None` if nothing was scored; `reason` says
    /// why.
    ///
    /// Every mean is taken over R during active time and converted to a MOS at the end.
    ScoreSummary {
        /// Mean opinion score, 1 to 4.5, including the delay where it is known.
        mos: Option<f64>,
        /// The score with the assumed inputs at their worst.
        mos_low: Option<f64>,
        /// The score with the assumed inputs at their best.
        mos_high: Option<f64>,
        /// Listening quality: the score without the delay impairment. `None` for video.
        mos_lq: Option<f64>,
        /// The score on the codec's own scale, for readers that expect 4.4 for a clean G.711 call. `None` for video,
        /// and if the codec changed to one on another scale.
        mos_native: Option<f64>,
        /// The scale of `mos_native`.
        native_scale: Option<Scale>,
        /// The scale of the other scores. `None` if camera video and shared screens were averaged: the result is
        /// comparable with nothing.
        scale: Option<MosScale>,
        /// The model, `name/version`.
        model: Option<String>,
        /// The inputs that the model had for most of the time.
        tier: Option<Tier>,
        /// The impairment whose removal would raise the score most.
        cause: Option<Cause>,
        /// The mean cost of each impairment, in points of 100.
        parts: Parts,
        /// The model's inputs at the last sample.
        inputs: Inputs,
        /// The score was below this for 5 % of the active time.
        mos_p05: Option<f64>,
        /// The worst ten seconds, or a shorter run between two rests.
        worst_10s: Option<WorstTenSeconds>,
        /// The share of the active time with a MOS below 3.1.
        below_3_1_ratio: Option<f64>,
        /// Scored seconds; for audio, those with audible content.
        active_s: f64,
        /// Seconds of an active stream without speech; not scored.
        no_speech_s: f64,
        /// Seconds at either end of a rest, where the transition resembles loss; not scored.
        transition_s: f64,
        /// Seconds without received media for which no report ever stated whether the sender was sending; not scored.
        unresolved_s: f64,
        /// Seconds in which an active stream received nothing while the connection delivered other packets, without a
        /// report of its sender. The sender is assumed to have paused; not scored.
        sender_idle_s: f64,
        /// Seconds of audible or visible media with too few inputs for a score.
        unscored_s: f64,
        /// Seconds in each callstats.io rating.
        rating_s: RatingSeconds,
        /// Why there is no score; `None` if there is one.
        reason: Option<String>,
    }

    /// The worst ten seconds of a stream.
    WorstTenSeconds {
        /// The mean opinion score of the ten seconds.
        mos: f64,
        /// When they ended, ms on the reporter's clock.
        end_ms: f64,
    }

    /// Seconds in each callstats.io rating.
    RatingSeconds {
        /// Excellent.
        excellent: f64,
        /// Fair.
        fair: f64,
        /// Bad.
        bad: f64,
        /// Nothing to rate.
        unknown: f64,
    }

    /// The quality that a user, connection or conference received: all received streams, or, if there are none, all
    /// sent streams. Sent audio is scored from its receivers' reports, sent video as it left the sender.
    GroupScore {
        /// Audio and video combined while both were present, each alone for the rest: 1 to 4.5.
        mos: Option<f64>,
        /// The score with the assumed inputs at their worst.
        mos_low: Option<f64>,
        /// The score with the assumed inputs at their best.
        mos_high: Option<f64>,
        /// The scale of the score. `None` if camera video and shared screens were averaged, and there was no audio.
        scale: Option<MosScale>,
        /// The impairment whose removal would raise the score most.
        cause: Option<Cause>,
        /// A stream scored below this for 5 % of the active time of all streams.
        mos_p05: Option<f64>,
        /// The worst ten seconds of any stream.
        worst_10s: Option<WorstTenSeconds>,
        /// The share of the active time of all streams with a MOS below 3.1.
        below_3_1_ratio: Option<f64>,
        /// Scored seconds over all streams.
        active_s: f64,
        /// All audio.
        audio: Option<ScoreSummary>,
        /// All video.
        video: Option<ScoreSummary>,
    }
}
