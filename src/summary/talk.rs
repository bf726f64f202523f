//! What a summary says of who spoke.

use alloc::string::String;
use alloc::vec::Vec;

use crate::id::Ssrc;

output! {
    /// Who spoke, how much and when. What it is made of, and what it can tell, is said in [`crate::speaker`].
    TalkSummary {
        /// How long the samples were, ms: the mean, each weighing as much as it is long.
        resolution_ms: Option<f64>,
        /// Seconds in which it is known what somebody said.
        known_s: f64,
        /// Seconds in which somebody spoke.
        speech_s: f64,
        /// Seconds in which two or more spoke at once.
        overlap_s: f64,
        /// Seconds in which nobody spoke.
        silence_s: f64,
        /// Of the time of speech so much had two or more at once, 0 to 1; `None` when nobody spoke.
        overlap_ratio: Option<f64>,
        /// How often the dominant speaker changed from one to another.
        dominant_changes: u64,
        /// Whoever could be heard, by name; after them those whom nobody named, by SSRC.
        speakers: Vec<SpeakerSummary>,
        /// Who was the dominant speaker when, in the order of time.
        dominant: Vec<DominanceSummary>,
        /// What that list had no room for.
        refused_turns: u64,
        /// Looks at the sound of people beyond [`Limits::speakers`](crate::Limits::speakers).
        refused_speakers: u64,
        /// Samples that came so late that the time was settled.
        late_samples: u64,
    }

    /// How somebody spoke.
    SpeakerSummary {
        /// Who; `None` when nobody said whose the sound is.
        user: Option<String>,
        /// Of somebody nameless: the stream that carries their voice.
        ssrc: Option<Ssrc>,
        /// Of somebody nameless: the fabric, by name, on which that is sent; `None` when it is only received.
        fabric: Option<String>,
        /// Seconds of speech.
        talk_s: f64,
        /// Of all seconds of speech, each person's counted for itself, 0 to 1; `None` before anybody spoke.
        talk_ratio: Option<f64>,
        /// Seconds as the dominant speaker: from the beginning of each speech that made them so to its end.
        dominant_s: f64,
        /// Seconds in which somebody else spoke too.
        overlap_s: f64,
        /// The longest that they spoke with no pause of 0.7 s, seconds.
        longest_monologue_s: f64,
        /// Seconds of speech while muted, on hold, or while nothing was sent; `None` when nothing tells: most browsers
        /// report silence then.
        muted_talk_s: Option<f64>,
        /// How often they spoke for a second or more. `None` where samples are coarser than 0.5 s.
        turns: Option<u64>,
        /// How often they began while another spoke, went on for a second, and the other one stopped within 2 s. `None`
        /// likewise.
        interruptions: Option<u64>,
    }

    /// A time in which somebody was the dominant speaker.
    DominanceSummary {
        /// Who; `None` for somebody nameless.
        user: Option<String>,
        /// Of somebody nameless: the stream that carries their voice.
        ssrc: Option<Ssrc>,
        /// When the speech began by which they became it, ms on the caller's clock.
        start_ms: f64,
        /// When their speech ended, or the next one's began.
        end_ms: f64,
    }
}
