//! Speaking times and dominance as a summary shows them. The module defines the schema; it attributes no audio to a
//! speaker.

use alloc::string::String;
use alloc::vec::Vec;

use crate::id::Ssrc;

output! {
    /// Speakers, their speaking time and the spans of dominance. [`crate::speaker`] states its inputs and its limits.
    TalkSummary {
        /// Mean length of the samples, ms, weighted by length.
        resolution_ms: Option<f64>,
        /// Seconds in which the speech activity of at least one participant is known.
        known_s: f64,
        /// Seconds with speech.
        speech_s: f64,
        /// Seconds in which two or more participants spoke at once.
        overlap_s: f64,
        /// Seconds without speech.
        silence_s: f64,
        /// Overlap over speech, 0 to 1; `None` without speech.
        overlap_ratio: Option<f64>,
        /// How often dominance passed from one speaker to another.
        dominant_changes: u64,
        /// The speakers by name, followed by unnamed speakers by SSRC.
        speakers: Vec<SpeakerSummary>,
        /// The spans of dominance, sorted by time.
        dominant: Vec<DominanceSummary>,
        /// Spans dropped because that list was full.
        refused_turns: u64,
        /// Audio samples of speakers beyond [`Limits::speakers`](crate::Limits::speakers).
        refused_speakers: u64,
        /// Samples that arrived after their time was settled.
        late_samples: u64,
    }

    /// Figures of one speaker.
    SpeakerSummary {
        /// The user; `None` if the audio belongs to no known user.
        user: Option<String>,
        /// The stream that carries the speech of an unnamed speaker.
        ssrc: Option<Ssrc>,
        /// The name of the fabric that sends the stream of an unnamed speaker; `None` if the stream is only received.
        fabric: Option<String>,
        /// Seconds of speech.
        talk_s: f64,
        /// The speaker's share of all speaking time, 0 to 1, where simultaneous speech counts once per speaker; `None`
        /// without speech.
        talk_ratio: Option<f64>,
        /// Seconds as the dominant speaker: from the start of each speech that gained dominance to its end.
        dominant_s: f64,
        /// Seconds in which another participant spoke too.
        overlap_s: f64,
        /// The longest speech without a pause of 0.7 s, seconds.
        longest_monologue_s: f64,
        /// Seconds of speech while muted, on hold, or while nothing was sent; `None` if the level is not reported then:
        /// most browsers report silence.
        muted_talk_s: Option<f64>,
        /// How often the speaker spoke for a second or more. `None` where samples are coarser than 0.5 s.
        turns: Option<u64>,
        /// Interruptions: the speaker began while another spoke, went on for a second, and the other one stopped within
        /// 2 s. `None` where samples are coarser than 0.5 s.
        interruptions: Option<u64>,
    }

    /// A span of time with one dominant speaker.
    DominanceSummary {
        /// The user; `None` for an unnamed speaker.
        user: Option<String>,
        /// The stream that carries the speech of an unnamed speaker.
        ssrc: Option<Ssrc>,
        /// When the speech that gained dominance began, ms on the caller's clock.
        start_ms: f64,
        /// When that speech ended, or when the next dominance began.
        end_ms: f64,
    }
}
