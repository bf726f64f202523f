//! What streams, connections and conferences were worth.

use alloc::string::String;

use crate::emodel::Scale;
use crate::score::{Cause, Inputs, MosScale, Parts, Tier};

output! {
    /// What a stream was worth, or all streams of one kind. Figures are `None` where nothing was scored; `reason` says why.
    ///
    /// Every mean is one of R over active time, turned into a MOS at the end.
    ScoreSummary {
        /// Mean opinion score, 1 to 4.5, with the delay where it was known.
        mos: Option<f64>,
        /// The same when what was assumed is at its worst.
        mos_low: Option<f64>,
        /// The same when what was assumed is at its best.
        mos_high: Option<f64>,
        /// Listening quality: without what delay takes. `None` for pictures.
        mos_lq: Option<f64>,
        /// On the codec's own scale, for those who expect 4.4 of a clean G.711 call. `None` for pictures, and where the
        /// codec changed to one of another scale.
        mos_native: Option<f64>,
        /// That scale.
        native_scale: Option<Scale>,
        /// What the other numbers can be compared with. `None` where pictures and shared screens were averaged: with nothing.
        scale: Option<MosScale>,
        /// Which model made them, `name/version`.
        model: Option<String>,
        /// How much the model had to go by, for most of the time.
        tier: Option<Tier>,
        /// The impairment whose removal would raise the score most.
        cause: Option<Cause>,
        /// What each impairment took on average, in points of 100.
        parts: Parts,
        /// What the model went by at the last look.
        inputs: Inputs,
        /// For 5 % of the active time it was worse than this.
        mos_p05: Option<f64>,
        /// The worst ten seconds, or shorter stretch between two rests.
        worst_10s: Option<WorstTenSeconds>,
        /// The share of the active time below MOS 3.1.
        below_3_1_ratio: Option<f64>,
        /// Seconds that were scored: of sound, those in which something could be heard.
        active_s: f64,
        /// Seconds of an active stream in which nobody spoke; not scored.
        quiet_s: f64,
        /// Seconds at either end of a rest, in which it sounds and looks as if something were lost; not scored.
        rest_edges_s: f64,
        /// Seconds in which nothing came in, and nobody ever said whether anything was sent; not scored.
        undecided_s: f64,
        /// Seconds in which nothing came in of an active stream while the connection brought other things, and no word from
        /// its sender: it is taken to have paused; not scored.
        idle_s: f64,
        /// Seconds in which there was something to hear or see, and too little to go by for a score.
        unscored_s: f64,
        /// Seconds for which each of callstats.io's ratings held.
        rating_s: RatingSeconds,
        /// Why there is no score, where there is none.
        reason: Option<String>,
    }

    /// The worst ten seconds.
    WorstTenSeconds {
        /// Their mean opinion score.
        mos: f64,
        /// When they ended, ms on the reporter's clock.
        end_ms: f64,
    }

    /// Seconds for which each of callstats.io's ratings held.
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

    /// What somebody was given to hear and see: all streams of a connection or conference that were received, or where
    /// none was, all that were sent: their sound by the account of those who received it, their pictures as they left.
    GroupScore {
        /// Sound and pictures together for as long as there were both, each alone for the rest: 1 to 4.5.
        mos: Option<f64>,
        /// The same when what was assumed is at its worst.
        mos_low: Option<f64>,
        /// The same when what was assumed is at its best.
        mos_high: Option<f64>,
        /// What it can be compared with. `None` where pictures and shared screens were averaged, and nothing else was there.
        scale: Option<MosScale>,
        /// The impairment whose removal would raise it most.
        cause: Option<Cause>,
        /// For 5 % of the active time of all streams, a stream was worse than this.
        mos_p05: Option<f64>,
        /// The worst ten seconds of any stream.
        worst_10s: Option<WorstTenSeconds>,
        /// The share of the active time of all streams below MOS 3.1.
        below_3_1_ratio: Option<f64>,
        /// Seconds that were scored, over all streams.
        active_s: f64,
        /// All sound.
        audio: Option<ScoreSummary>,
        /// All pictures.
        video: Option<ScoreSummary>,
    }
}
