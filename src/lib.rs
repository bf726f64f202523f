//! callgauge turns raw WebRTC `getStats()` snapshots into what a person wants to know about a call: per-SSRC bitrate,
//! loss, jitter and round-trip time, what the jitter buffer had to invent, how the pictures froze, and how the
//! conference did as a whole.
//!
//! It is pure: `no_std`, no clock, no I/O, no thread. The caller owns time and bytes; the same input gives the same
//! output on every machine. It is total: no input panics, and what is odd in a report is counted, not trusted. It is
//! honest: what is not known is `None`, never 0.
//!
//! # From bytes to a summary
//!
//! ```
//! use callgauge::ingest::Reader;
//! use callgauge::unit::Timestamp;
//! use callgauge::{Conference, Config, Event, FabricSpec};
//!
//! // Two lines of a recording; any format that `callgauge::ingest` knows will do.
//! let lines = [
//!     r#"{"t": 1000, "pc": "A", "report": {"I": {"timestamp": 1000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7,
//!         "packetsReceived": 50, "packetsLost": 0, "bytesReceived": 4000, "jitter": 0.004}}}"#,
//!     r#"{"t": 3000, "pc": "A", "report": {"I": {"timestamp": 3000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7,
//!         "packetsReceived": 148, "packetsLost": 2, "bytesReceived": 12000, "jitter": 0.006}}}"#,
//! ];
//!
//! let mut call = Conference::new("AliceAndBob", Config::new());
//! let fabric = call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("A"))?;
//! let mut reader = Reader::new();
//! for (line, now_ms) in lines.iter().zip([1_005, 3_007]) {
//!     let mut result = Ok(());
//!     reader.read(line.as_bytes(), &mut |snapshot| {
//!         result = call.ingest(Timestamp::from_millis(now_ms), fabric, snapshot.report);
//!     })?;
//!     result?;
//! }
//! while let Some(event) = call.poll_event() {
//!     if let Event::IntervalClosed { interval, .. } = event {
//!         assert_eq!(interval.bitrate().unwrap().as_bps(), 32_000.0);
//!         assert_eq!(interval.loss().unwrap().as_f64(), 0.02);
//!     }
//! }
//! let stream = &call.summary().fabrics[0].streams[0];
//! assert_eq!((stream.packets, stream.packets_lost), (Some(98), Some(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rooms
//!
//! Data moves forward; a room imports only rooms before it.
//!
//! | room | what it owns |
//! |---|---|
//! | [`mod@unit`], [`id`] | quantities that cannot be NaN or out of range; the two clocks; names of things |
//! | [`digest`] | distributions in bounded memory |
//! | [`report`] | what was reported: flat rows whose every member reads as an `Option` |
//! | [`ingest`] | bytes into reports, one reader per format |
//! | [`stream`] | counters into differences: resets, wraps, repetitions, clocks that step |
//! | [`metric`] | differences into figures, by declared tables |
//! | [`score`] | the E-model family and what each codec takes: figures into a rating of its scale |
//! | [`speaker`] | levels into who speaks, and what the talk came to |
//! | [`diagnosis`] | figures into what went wrong: raised, updated and cleared by time, by one table of limits |
//! | `account` (private) | one stream over the call: its looks into intervals and states, sums and distributions |
//! | [`fabric`] | how far a PeerConnection got, what happened to it, whose its streams are, and the path that its packets take |
//! | [`event`], [`summary`] | what leaves the engine |
//! | `portable` (private) | the frame of every state, and why one is refused |
//! | [`conference`] | users, fabrics, the accounts of their streams, within the limits of [`config`] |
//! | [`fleet`] | many conferences by id: routing, expiry, what all of them came to, alerts |
//! | [`replay`] | recordings into one conference: items of several sources, merged by time |
//!
//! # The manual
//!
//! | chapter | for who asks |
//! |---|---|
//! | [`manual::units`], [`manual::outputs`] | what a key of an output counts, what `null` means, what may change |
//! | [`manual::limits`], [`manual::constants`], [`manual::diagnoses`] | how much is kept, and where every number comes from |
//! | [`manual::models`], [`manual::readers`], [`manual::detectors`] | how to add one |
//!
//! # Features
//!
//! `serde` (on by default): `Serialize` and `Deserialize` on summaries, distributions and rollups, `Serialize` on
//! views, intervals and counts of what was skipped; portable state (`Conference::save`, `restore` and `state`,
//! `Fleet::save` and `restore`, `Digest::to_bytes` and `from_bytes`); and `ingest::getstats::deserialize` for any serde
//! format. No feature changes a number.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "serde")]
mod checkpoint;
pub mod conference;
pub mod config;
pub mod diagnosis;
pub mod digest;
pub mod emodel;
pub mod event;
pub mod fabric;
pub mod fleet;
pub mod id;
pub mod ingest;
mod list;
#[cfg(any(doc, doctest))]
pub mod manual;
pub mod metric;
pub mod replay;
pub mod report;
pub mod score;
pub mod sdp;
pub mod speaker;
mod stream;
pub mod summary;
pub mod unit;

pub use conference::{Conference, FabricSpec, InputError};
pub use config::{Config, Limits};
pub use event::Event;
pub use fabric::{AppEvent, Outcome};
pub use fleet::Fleet;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
