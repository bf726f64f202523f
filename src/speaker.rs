//! Who speaks: levels into speech, speech into the one who has the floor, and what the talk came to.
//!
//! # Levels
//!
//! Of the sound of a stream counts `sqrt(ΔtotalAudioEnergy / ΔtotalSamplesDuration)`, the root mean square of an interval
//! (webrtc-stats); where there are no energies, `audioLevel`, which tells of a moment only. Microphones are `media-source`
//! entries, what others say is in `inbound-rtp`. Firefox says nothing of its own microphone, so that its users are known
//! by what others receive of them. Levels are linear, 0 to 1; [`level::dbov`] maps them to dBov by `20 log10`, and RFC 6464
//! has −dBov as 0 to 127. Chromium's energy is of a peak that it holds (`audio/audio_level.cc`), some 10 dB above the
//! others' mean square; therefore a source is measured against itself: a [`level::Meter`] learns its noise, which is never
//! undercut for 10 s, and the level of its voice. What varies less than any voice does (a fan, a tone) is noise, too.
//!
//! # The dominant speaker
//!
//! Somebody has the floor as long as they speak, over pauses of up to 2 s ([`dominant::SILENCE_MS`]). Another one takes it
//! with 0.7 s of speech, of which 0.3 s (with samples above 0.6 s half a sample, up to 0.7 s) after the holder fell silent,
//! or by outlasting the holder for 5 s. A "yes", a cough, a door, typing do not. Whoever opens their mouth in an empty room
//! has the floor after 0.4 s; who is alone in it, at the first sample. A mute, a hold and leaving end it at once. It is
//! told within [`dominant::LATENCY_MS`] and one sample of the slowest who reports. Samples may come late, in any order and
//! by clocks that differ ([`clock::Clock`]); who keeps others waiting for more than two of their samples is not waited for.
//! No report comes from the future, and one snapshot is of one time: what is older by 20 s than its latest look is not heard.
//! A loudspeaker that is heard by an open microphone, 12 dB softer or more, makes nobody a speaker; who was silent while
//! somebody else spoke for 2.5 s and three samples has no such microphone for the next minute. Where nobody reports any more,
//! [`handle_timeout`](crate::Conference::handle_timeout) ends it, after the 2 s of silence and two more samples.
//!
//! Beside that there is callstats' own question: [who was the only one](crate::Conference::only_speaker) to speak in the
//! window of 10 s.
//!
//! # Whose voice
//!
//! A user's voice counts once, by their own microphone before what others receive, by what is sent before what is not, and
//! of several of these by the fabric that was opened first; the next one stands in where it falls silent. A stream of nobody's
//! is the voice of who sends the same SSRC on another fabric; if nobody does, of somebody nameless, who is told by that SSRC
//! and becomes a user when an association on the same fabric says so: what they said is the user's then. A stream that becomes
//! another user's leaves what was said to the former one. Half of [`Limits::speakers`](crate::Limits::speakers) are kept for
//! users. What is muted, on hold or not sent is not heard, and counts as talk while muted where its level still is reported;
//! who tells no level of a microphone is muted by their fabrics. Who left is heard again when they are back, not before.
//!
//! # What cadence can tell
//!
//! | samples | told |
//! |---|---|
//! | 100 ms to 0.5 s | all |
//! | above 0.5 s | turns and interruptions are `None`: half of all answers begin within 0.2 s |
//! | up to 10 s | talk, overlap and the floor as parts of each sample, laid at its end or beginning |
//! | above 20 s | nothing of that time |
//!
//! Talk is laid out only where samples tell of it: by `totalSamplesDuration`, where there is one.
//!
//! ```
//! use callgauge::id::MediaKind;
//! use callgauge::report::{Num, Report, StatsType};
//! use callgauge::speaker::Speaker;
//! use callgauge::unit::{StatTime, Timestamp};
//! use callgauge::{Conference, Config, Event, FabricSpec};
//!
//! let mut call = Conference::new("AliceAndBob", Config::new());
//! let (alice, bob) = (call.user("alice")?, call.user("bob")?);
//! let spec = FabricSpec::new("pc").with_local_user(alice).with_remote_user(bob);
//! let fabric = call.open_fabric(Timestamp::from_millis(0), spec)?;
//! let (mut report, mut told) = (Report::new(), Vec::new());
//! for second in 0..=8_u32 {
//!     // Bob speaks for 4 s, as Alice receives it, and then is silent.
//!     let seconds = f64::from(second);
//!     report.clear();
//!     report
//!         .push(StatsType::InboundRtp, "I")
//!         .set_timestamp(StatTime::from_millis(1e3 * seconds))
//!         .set_media(MediaKind::Audio)
//!         .set(Num::Ssrc, 7.0)
//!         .set(Num::TotalAudioEnergy, 0.01 * seconds.min(4.0))
//!         .set(Num::TotalSamplesDuration, seconds);
//!     call.ingest(Timestamp::from_millis(1_000 * u64::from(second)), fabric, &report)?;
//!     while let Some(event) = call.poll_event() {
//!         if let Event::DominantSpeaker { change, .. } = event {
//!             told.push((change.since.as_micros() / 1_000, change.now));
//!         }
//!     }
//!     // Each endpoint can ask whether it is the one.
//!     assert!(!call.fabric(fabric)?.is_dominant_speaker());
//! }
//! assert_eq!(told, [(0, Some(Speaker::User(bob))), (4_000, None)]);
//! assert_eq!(call.dominant_speaker(), None);
//! let talk = call.summary().talk.unwrap();
//! assert_eq!((talk.speakers[0].talk_s, talk.speakers[0].dominant_s, talk.silence_s), (4.0, 4.0, 4.0));
//! # Ok::<(), callgauge::InputError>(())
//! ```
//!
//! # Files
//!
//! | file | job |
//! |---|---|
//! | [`level`] | energies and levels of one source into dBov and into the fraction of an interval that was speech |
//! | [`clock`] | times of reporters onto one clock |
//! | [`dominant`] | fractions of all participants into the dominant speaker, at the cadence of `getStats` |
//! | [`talk`] | the same fractions into talk time, overlap, silence, turns |
//! | [`multiscale`] | levels every 20 ms into the active speaker, as conferencing bridges do; needs nothing of the above |
//!
//! All of it is pure: times are handed in, nothing is random, and the order in which participants are told of decides
//! nothing.

pub mod clock;
pub mod dominant;
mod echo;
pub mod level;
pub mod multiscale;
mod participant;
mod slots;
pub mod talk;

use crate::id::{Ssrc, UserId};
use crate::unit::Timestamp;

/// Somebody who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Speaker {
    /// A user.
    User(UserId),
    /// Somebody whom nobody named, by the stream that carries their voice.
    Stream(Ssrc),
}

/// Another one is the dominant speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpeakerChange {
    /// When it was found out, on the caller's clock.
    pub at: Timestamp,
    /// Since when it is so: the speech that made them so began, or the last speech ended.
    pub since: Timestamp,
    /// Who was it before; `None` for nobody.
    pub before: Option<Speaker>,
    /// Who is it now; `None` after silence, a mute, or when they left.
    pub now: Option<Speaker>,
}
