//! callgauge turns WebRTC `getStats()` snapshots into call quality: bitrate, loss, jitter, round-trip time and MOS per
//! stream, the dominant speaker, diagnoses with evidence, and a summary of the call.
//!
//! The engine is pure: `no_std`, no clock, no I/O, no threads. The caller passes time and bytes, and the same input
//! gives the same output. No input panics; an impossible value is counted and left out. An unknown value is `None`,
//! never 0.
//!
//! A *conference* is one call, a *fabric* one PeerConnection, a *stream* one SSRC in one direction, and an *interval*
//! the time between two snapshots of a stream.
//!
//! # Where to start
//!
//! - **SDK.** Create a [`Conference`] per call and open a fabric with a [`FabricSpec`] per PeerConnection. Read each
//!   snapshot with a [`Scanner`](ingest::getstats::Scanner) into a [`Report`](report::Report), pass application state
//!   as [`AppEvent`], and poll each [`Event`]. [`Limits::sdk`] bounds memory. See `examples/sdk.rs`.
//! - **Collector.** Route inputs by conference id through a [`Fleet`], save it at checkpoints, and combine its rollups
//!   with a [`Merger`](fleet::Merger). See `examples/collector.rs`.
//! - **Analyst.** Read a dump of any [`Format`](ingest::Format) with a [`Reader`](ingest::Reader), ingest it into a
//!   [`Conference`], and take its [`ConferenceSummary`](summary::ConferenceSummary). `examples/replay.rs` does so; the
//!   command `callgauge` needs no code.
//! - **Model author.** Implement [`Model`](score::Model) for [`AudioInputs`](score::audio::AudioInputs) or
//!   [`VideoInputs`](score::video::VideoInputs), return a [`Score`](score::Score) or a [`NoScore`](score::NoScore), and
//!   choose it with [`Config::with_audio_model`] or [`Config::with_video_model`]. See [`manual::models`].
//!
//! # From bytes to a summary
//!
//! ```
//! use callgauge::ingest::getstats::Scanner;
//! use callgauge::report::Report;
//! use callgauge::unit::Timestamp;
//! use callgauge::{Conference, Config, Event, FabricSpec};
//!
//! // Two snapshots, each with the time of its arrival in ms.
//! let snapshots = [
//!     (1_005, r#"{"C": {"timestamp": 1000, "type": "codec", "mimeType": "audio/opus"},
//!         "I": {"timestamp": 1000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7, "codecId": "C",
//!         "packetsReceived": 50, "packetsLost": 0, "bytesReceived": 4000, "jitter": 0.004}}"#),
//!     (3_007, r#"{"C": {"timestamp": 3000, "type": "codec", "mimeType": "audio/opus"},
//!         "I": {"timestamp": 3000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7, "codecId": "C",
//!         "packetsReceived": 148, "packetsLost": 2, "bytesReceived": 12000, "jitter": 0.006}}"#),
//! ];
//!
//! let mut call = Conference::new("AliceAndBob", Config::new());
//! let fabric = call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc-1"))?;
//! let (mut scanner, mut report) = (Scanner::new(), Report::new());
//! for (now_ms, text) in snapshots {
//!     scanner.read(text.as_bytes(), &mut report)?;
//!     call.ingest(Timestamp::from_millis(now_ms), fabric, &report)?;
//! }
//! while let Some(event) = call.poll_event() {
//!     if let Event::IntervalClosed { interval, score, .. } = event {
//!         assert_eq!(interval.bitrate().unwrap().as_bps(), 32_000.0);
//!         assert_eq!(interval.loss().unwrap().as_f64(), 0.02);
//!         assert!(score?.mos().as_f64() > 3.0);
//!     }
//! }
//! let stream = &call.summary().fabrics[0].streams[0];
//! assert_eq!((stream.packets, stream.packets_lost), (Some(98), Some(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//!
//! Data flows down this table.
//!
//! | module | responsibility |
//! |---|---|
//! | [`mod@unit`], [`id`] | quantities that cannot be NaN or out of range; the two clocks; identifiers |
//! | [`digest`] | distributions in bounded memory; merging in any order gives equal bits |
//! | [`report`] | one snapshot: rows whose members are `Option`s |
//! | [`sdp`] | the streams and attributes of a session description |
//! | [`emodel`] | ITU-T G.107, G.107.1, G.107.2 and the codec table |
//! | [`speaker`] | audio levels into speech, the dominant speaker and talk statistics |
//! | [`metric`] | counters into differences and interval figures: resets, wraps, repetitions, clock steps |
//! | [`ingest`] | bytes into reports and log events, one reader per format |
//! | [`score`] | models, their windows, and averages |
//! | [`diagnosis`] | detectors, hysteresis, evidence, sentences |
//! | [`config`] | models, thresholds, timeouts, limits |
//! | `stream` (private) | one RTP stream over a call: its intervals, states, sums and distributions |
//! | [`event`] | events, and the words for states |
//! | `checkpoint` (private) | the frame of saved states |
//! | [`fabric`] | one PeerConnection: lifecycle, ICE paths, SSRC ownership, application state |
//! | [`conference`] | users and fabrics of one call |
//! | [`summary`] | the result of a call |
//! | [`fleet`] | many conferences by id: routing, expiry, rollups, alerts |
//! | [`replay`] | the records of dumps into a conference: events besides stats, clocks, merging by time |
//!
//! # The manual
//!
//! | chapter | answers |
//! |---|---|
//! | [`manual::units`], [`manual::outputs`] | what a key counts, what `null` means, what may change |
//! | [`manual::limits`], [`manual::constants`], [`manual::diagnoses`] | what is bounded, and the source of every number |
//! | [`manual::models`], [`manual::readers`], [`manual::detectors`] | how to add one |
//!
//! # Features
//!
//! `serde` (default): `Serialize` and `Deserialize` for summaries, distributions and rollups; `Serialize` for views,
//! intervals and skip counts; saved states (`Conference::save`, `restore` and `state`, `Fleet::save` and `restore`,
//! `Digest::to_bytes` and `from_bytes`); and `ingest::getstats::deserialize` for any serde format. No feature changes a
//! number.

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
mod hash;
pub mod id;
pub mod ingest;
mod list;
#[cfg(any(doc, doctest))]
pub mod manual;
mod maybe;
pub mod metric;
pub mod replay;
pub mod report;
pub mod score;
pub mod sdp;
pub mod speaker;
mod stream;
pub mod summary;
pub mod unit;

pub use conference::{Conference, InputError};
pub use config::{Config, Limits};
pub use event::Event;
pub use fabric::{AppEvent, FabricSpec, Outcome};
pub use fleet::Fleet;

/// The example of docs/fleets.md, run as a test.
#[cfg(all(doctest, feature = "serde"))]
#[doc = include_str!("../docs/fleets.md")]
struct FleetsPage;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
