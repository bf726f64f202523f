//! The lifecycle of a fabric, which is callstats' word for one PeerConnection: its states, events, stream owners and
//! network path. Figures of its streams are computed in `stream`.
//!
//! # From opening to the end
//!
//! **Opening.** Call [`Conference::open_fabric`](crate::Conference::open_fabric) as soon as the PeerConnection exists:
//! every delay counts from there. A [`FabricSpec`] names the users at both ends, as far as they are
//! known; names may follow later ([`FabricMut`](crate::conference::FabricMut)) and lose nothing. The local user joins
//! by the opening. A second opening changes nothing and returns an error.
//!
//! **Set-up.** The application reports the states of the PeerConnection ([`ice_state`](crate::Conference::ice_state),
//! [`gathering_state`](crate::Conference::gathering_state), [`signaling_state`](crate::Conference::signaling_state),
//! [`connection_state`](crate::Conference::connection_state), [`dtls_state`](crate::Conference::dtls_state)). States
//! that it does not report are derived from stats: ICE and DTLS of the transports in use, otherwise candidate pairs. A
//! failure counts from whichever source shows it, ICE without DTLS is no set-up, and traffic that arrives refutes any
//! state but a reported `closed`. A derived delay is late by at most the time between two snapshots, and that uncertainty is
//! reported ([`setup_delay_uncertainty_ms`](crate::summary::FabricSummary::setup_delay_uncertainty_ms)).
//!
//! | delay | from | to |
//! |---|---|---|
//! | setup | opened | connected or completed, for the first time |
//! | connectivity | ICE new | the same |
//! | gathering | gathering | complete |
//! | failure | opened | ICE, DTLS or the connection failed, or the first error that is reported, before it was connected; a log or a refused candidate is no failure |
//!
//! **Running.** Changes of the path raise these events, and nothing else raises them:
//!
//! | event | raised when |
//! |---|---|
//! | `fabricSetup` | connected or completed, once |
//! | `iceDisruptionStart`, `…End` | connected or completed to disconnected; back again, directly or through checking or a restart |
//! | `iceConnectionDisruptionStart`, `…End` | checking to disconnected; back to checking, connected or completed |
//! | `iceRestarted` | anything to new, or new credentials in the stats |
//! | `iceFailed` | checking to failed, also through disconnected |
//! | `fabricDropped` | connected, completed, or disconnected after that, to failed: of ICE, DTLS or the connection |
//! | `iceAborted` | new or checking to closed |
//! | `iceTerminated` | anything else to closed |
//! | `fabricTransportSwitch` | another candidate pair is selected; connected before and after |
//! | `fabricStateChange` | any of the four states changes |
//! | `stateRefuted` | traffic went on after failed, or after closed in stats |
//! | `fabricSetupFailed` | ICE, DTLS or the connection failed, or an error is reported, before it was connected; once |
//!
//! A set-up that is withdrawn, because DTLS hangs or failed, has no `fabricSetup` in the summary. The summary omits the
//! drop, the failure and the end that traffic refuted, and has `stateRefuted`. Events that were polled before remain: an
//! application that acts on a drop should wait for one more snapshot.
//!
//! **Lost time.** A connection is lost from the last traffic before it is disconnected or failed until it is connected
//! again, and, if it is not set up within 5 s of the first checks, from those on. An interval of a stream in which
//! nothing passes meanwhile is [`Lost`](crate::metric::IntervalState::Lost), and so is the rest of the stream right
//! before it: it is no pause, hold or silence, and part of no average. Losses that the first packets after it show are
//! of that time, and in no ratio of the call either.
//!
//! **Paths.** Without BUNDLE a connection has a path for each transport. The connection is as bad as the worst of the
//! paths that its streams use; a stream has the round trip of its own path.
//!
//! **Media.** [`send_event`](crate::Conference::send_event) reports what the application does: hold, mute, pause,
//! screen share, devices, the dominant speaker. Early, late or repeated events are no error; the [`Outcome`] says how
//! each was handled. Time on hold, muted or paused is measured by the caller's clock and is part of no average: an
//! interval with any such time counts as that state.
//!
//! **Streams.** A sent SSRC carries the local user's media, a received SSRC the remote user's, unless
//! [`associate`](crate::conference::FabricMut::associate) sets another owner, before or after the SSRC is seen. Layers
//! and retransmissions follow, as stats or a session description ([`describe`](crate::conference::FabricMut::describe))
//! declare them. When an SSRC passes to another user, its figures are split there, and no user has figures of another.
//!
//! **Errors.** [`report_error`](crate::Conference::report_error) takes errors and logs. Every
//! [`WebRtcFunction`](crate::event::WebRtcFunction) has a [`FailureReason`](crate::event::FailureReason):
//!
//! | function | reason |
//! |---|---|
//! | `getUserMedia` | by its DOM error: permission, device, else configuration |
//! | `createOffer`, `createAnswer` | `SDPGenerationError`: no description was created |
//! | `setLocalDescription`, `setRemoteDescription`, `addIceCandidate` | `NegotiationFailure`: a description or candidate was refused |
//! | `iceConnectionFailure` | `IceConnectionFailure`; a failure of DTLS is a `TransportFailure` |
//! | `signalingError` | `SignalingError` |
//! | `applicationLog`, `applicationError` | none: a log |
//!
//! **End.** [`AppEvent::Terminated`], or a connection or signaling state of `closed`, ends the fabric; input of that
//! moment still counts, later input is refused. A user whose fabrics have all ended has left; when all users but one
//! have left this way, the conference is over. A [`CallClass`](crate::event::CallClass) says how the call went: established, failed, missed,
//! aborted, dropped, and for a conference partially failed.
//!
//! ```
//! use callgauge::event::{CallClass, IceState};
//! use callgauge::id::Ssrc;
//! use callgauge::unit::Timestamp;
//! use callgauge::{Outcome, AppEvent, Conference, Config, FabricSpec, InputError};
//!
//! let at = Timestamp::from_millis;
//! let mut call = Conference::new("AliceAndBob", Config::new());
//! let (alice, bob) = (call.user("alice")?, call.user("bob")?);
//! let spec = FabricSpec::new("pc-1").with_local_user(alice).with_remote_user(bob);
//! let fabric = call.open_fabric(at(0), spec.clone())?;
//! assert_eq!(call.open_fabric(at(1), spec), Err(InputError::AlreadyOpen));
//! call.fabric(fabric)?.associate(Ssrc::new(0x1234), bob, "front-camera")?;
//!
//! call.ice_state(at(120), fabric, IceState::Checking)?;
//! call.ice_state(at(450), fabric, IceState::Connected)?;
//! call.send_event(at(5_000), fabric, AppEvent::AudioMute(None))?;
//! assert_eq!(call.send_event(at(5_001), fabric, AppEvent::AudioMute(None))?, Outcome::Unchanged);
//! call.ice_state(at(8_000), fabric, IceState::Disconnected)?;
//! call.ice_state(at(9_500), fabric, IceState::Connected)?;
//! call.send_event(at(20_000), fabric, AppEvent::Terminated)?;
//!
//! let summary = call.summary();
//! assert_eq!(summary.call_class, Some(CallClass::Established));
//! assert_eq!(summary.fabrics[0].setup_delay_ms, Some(450.0));
//! assert_eq!((summary.connectivity.disruptions, summary.connectivity.disrupted_s), (1, 1.5));
//! assert_eq!(call.ice_state(at(20_001), fabric, IceState::New), Err(InputError::Ended));
//! # Ok::<(), InputError>(())
//! ```
//!
//! # Clocks
//!
//! The times of a connection lie on one continuous time line. It is the clock of its reports, as long as the caller's
//! clock (`now` of [`ingest`](crate::Conference::ingest)) does not contradict it. A report cannot arrive before it was
//! made; one that arrives late, or in a batch, contradicts nothing, and a caller's clock that stands still settles
//! nothing. [`ClockSummary`](crate::summary::ClockSummary) counts what was odd.
//!
//! | a time that | is |
//! |---|---|
//! | is 0 beside other times | no time |
//! | is later than the caller's clock admits, beside times of the same report that are not | no time |
//! | at the first report is a minute from the caller's clock, and the second is not | no time: the connection is sampled from the second on |
//! | is a day later than the caller's wall clock and the last report, however little passed | a step, as below |
//! | at the first report is 10 s ahead of the caller's wall clock, or more than a day behind it | placed at its arrival |
//! | passes 10, 1 000, 10 000, 10⁶ or 10⁷ times as fast as the caller's clock, or 1 000 or 10⁶ times as slowly | in another unit |
//! | is later than the caller's clock admits, or earlier than the last one while counters advance | a step: the time line continues with the caller's clock, and the interval has no rate |
//! | is earlier than the last one, and no counter advances | a late report |

mod app_inputs;
mod app_state;
mod clock;
mod connection;
mod course;
mod entries;
mod ice;
mod lifecycle;
mod path;
mod path_inputs;
mod paths;
mod playout;
mod slot;
mod sources;
mod spec;
mod ssrc_map;
mod usage;

pub use app_state::{AppEvent, Device, Outcome};
pub(crate) use app_state::{StoredDevice, Switch};
pub(crate) use clock::ClockCounts;
pub(crate) use connection::{Fabric, LevelSample};
pub(crate) use lifecycle::{Lifecycle, Raise};
pub(crate) use path::Path;
pub(crate) use paths::PathIndex;
pub(crate) use slot::StreamSlot;
pub use spec::FabricSpec;
pub(crate) use ssrc_map::Owner;
pub use ssrc_map::SsrcDescription;
pub(crate) use usage::Usage;
