//! Speech activity: audio levels become fractions of speech, and those become the dominant speaker and talk statistics.
//! The module does not decide which stream belongs to which user; the conference does.
//!
//! # Levels
//!
//! The level of a source is `sqrt(ΔtotalAudioEnergy / ΔtotalSamplesDuration)`, the root mean square of an interval
//! (webrtc-stats). Without energies the engine uses `audioLevel`, which describes one moment only. Local microphones
//! are `media-source` entries; remote speech is in `inbound-rtp`. Firefox reports no level of its own microphone, so
//! the engine takes the levels of its users from what others receive of them. Levels are linear, 0 to 1;
//! [`level::dbov`] maps them to dBov by `20 log10`, and RFC 6464 writes −dBov as 0 to 127. Chromium's energy is the
//! energy of a held peak (`audio/audio_level.cc`), some 10 dB above the mean square of the other browsers. Each source
//! is therefore measured against itself: a [`level::Meter`] learns its noise, which is the lowest power of the last 10
//! s, and its speech level. A sound that varies less than any voice (a fan, a tone) is noise, too.
//!
//! # The dominant speaker
//!
//! A speaker holds the floor while they speak, over pauses of up to 2 s ([`dominant::SILENCE_MS`]). Another participant
//! takes the floor with 0.7 s of speech, of which 0.3 s (half a sample if samples are longer than 0.6 s, 0.7 s at most)
//! come after the holder fell silent, or by outlasting the holder for 5 s. A "yes", a cough, a door or typing does not
//! take it. If the floor is free, a participant takes it after 0.4 s of speech; a participant who is alone takes it at
//! the first sample. A mute, a hold and leaving end the floor at once. The engine reports a change within
//! [`dominant::LATENCY_MS`] plus one sample of the slowest reporter. Samples may arrive late, in any order and on
//! different clocks ([`clock::Clock`]); the engine waits for a late participant for at most two of that participant's
//! samples. No report comes from the future, and one snapshot describes one time: the engine ignores levels that are 20
//! s older than the latest level of their snapshot. Echo of a loudspeaker in an open microphone, 12 dB softer or more,
//! does not count as speech. A participant that was silent while others spoke for 2.5 s and three samples has no such
//! microphone for the next minute. If all reports stop, [`handle_timeout`](crate::Conference::handle_timeout) ends the
//! floor after the 2 s of silence and two more samples.
//!
//! callstats asks another question, which has its own method: [the only speaker](crate::Conference::only_speaker) in a
//! window of 10 s.
//!
//! # Which source counts for a speaker
//!
//! A user's speech counts once, from one source at a time. Preferred are the user's own microphone over received
//! streams, a source that is sent over one that is not, and then the fabric that was opened first; if that source stops
//! reporting, the next one stands in. A stream without a user belongs to the user that sends the same SSRC on another
//! fabric. If no user does, it belongs to an unnamed speaker, which the engine reports by SSRC. The unnamed speaker
//! becomes a user when an association on the same fabric names one, and its earlier speech then counts for that user. A
//! stream that moves to another user leaves its earlier speech to the former one. Half of
//! [`Limits::speakers`](crate::Limits::speakers) are reserved for users. A source that is muted, on hold or not sent is
//! not heard; it counts as talk while muted if its level is still reported. For a user without a microphone level the
//! engine takes the mute from that user's fabrics. A user that left is heard again only after they are back.
//!
//! # What the polling interval allows
//!
//! | samples | result |
//! |---|---|
//! | 100 ms to 0.5 s | everything |
//! | above 0.5 s | turns and interruptions are `None`: half of all answers begin within 0.2 s |
//! | up to 10 s | talk, overlap and the floor from a part of each sample, placed at its end or beginning |
//! | above 20 s | nothing for that time |
//!
//! Talk is counted only for the time that samples cover: by `totalSamplesDuration`, if it is reported.
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
//! let (mut report, mut changes) = (Report::new(), Vec::new());
//! for second in 0..=8_u32 {
//!     // Alice receives 4 s of Bob's speech, then silence.
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
//!             changes.push((change.since.as_micros() / 1_000, change.now));
//!         }
//!     }
//!     // Each endpoint can ask whether its own user is dominant.
//!     assert!(!call.fabric(fabric)?.is_dominant_speaker());
//! }
//! assert_eq!(changes, [(0, Some(Speaker::User(bob))), (4_000, None)]);
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
//! | [`level`] | maps energies and levels of one source to dBov and to the fraction of an interval that was speech |
//! | [`clock`] | maps the times of reporters to one clock |
//! | [`dominant`] | derives the dominant speaker from the fractions of all participants, at the cadence of `getStats` |
//! | [`talk`] | derives talk time, overlap, silence and turns from the same fractions |
//! | [`multiscale`] | derives the active speaker from levels every 20 ms, as conferencing bridges do; uses nothing of the above |
//!
//! All of it is pure: the caller passes the times, nothing is random, and the order of the participants does not change
//! the result.

pub mod clock;
pub mod dominant;
mod echo;
pub mod level;
pub mod multiscale;
mod participant;
mod slots;
pub mod talk;
mod track;

use crate::id::{Ssrc, UserId};
use crate::unit::Timestamp;

/// A speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Speaker {
    /// A user.
    User(UserId),
    /// A participant without a name, identified by the SSRC of their audio stream.
    Stream(Ssrc),
}

/// A change of the dominant speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpeakerChange {
    /// When the engine found the change, on the caller's clock.
    pub at: Timestamp,
    /// When the change took effect: the beginning of the speech that took the floor, or the end of the last speech.
    pub since: Timestamp,
    /// The speaker before; `None` if there was none.
    pub before: Option<Speaker>,
    /// The speaker now; `None` after silence, a mute, or when the speaker left.
    pub now: Option<Speaker>,
}
