//! The application's reports on its media: hold, mute, pause, screen share. They override stats, which this module does
//! not read.

use alloc::string::String;
use alloc::vec::Vec;

use crate::event::EventKind;
use crate::id::{Direction, MediaKind, Ssrc};
use crate::stream::AppTime;
use crate::unit::Timestamp;

/// An event that the application reports about a fabric (`sendFabricEvent`).
///
/// Mute, pause and screen share apply to all sent media of their kind, or, with an SSRC, to one stream in either
/// direction, whether it has been seen or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppEvent<'a> {
    /// `fabricHold`: nothing is sent or played.
    Hold,
    /// `fabricResume`.
    Resume,
    /// `audioMute`.
    AudioMute(Option<Ssrc>),
    /// `audioUnmute`. Without an SSRC, nothing stays muted.
    AudioUnmute(Option<Ssrc>),
    /// `videoPause`.
    VideoPause(Option<Ssrc>),
    /// `videoResume`. Without an SSRC, nothing stays paused.
    VideoResume(Option<Ssrc>),
    /// `screenShareStart`.
    ScreenShareStart(Option<Ssrc>),
    /// `screenShareStop`. Without an SSRC, nothing stays shared.
    ScreenShareStop(Option<Ssrc>),
    /// `dominantSpeaker`: the endpoint considers its user the dominant speaker.
    DominantSpeaker,
    /// `activeDeviceList`: all devices in use; replaces the previous list.
    ActiveDevices(&'a [Device<'a>]),
    /// `connectedDeviceList`: all connected devices; replaces the previous list.
    ConnectedDevices(&'a [Device<'a>]),
    /// `fabricTerminated`: the application ends the fabric.
    Terminated,
}

/// A camera, microphone or loudspeaker (`MediaDeviceInfo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // W3C mediacapture-streams 9.3 has exactly these
pub struct Device<'a> {
    /// `deviceId`.
    pub id: &'a str,
    /// `kind`: `audioinput`, `audiooutput` or `videoinput`.
    pub kind: &'a str,
    /// `groupId`.
    pub group: &'a str,
    /// `label`. It may name a person ("Ann's headset"), so it is stored only with
    /// [`Config::with_device_labels`](crate::Config::with_device_labels).
    pub label: &'a str,
}

/// A stored device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StoredDevice {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) group: String,
    pub(crate) label: Option<String>,
}

/// The effect of an accepted input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It changed something.
    Applied,
    /// It changed nothing: the state was already the same.
    Unchanged,
    /// It concerns a stream not seen yet, and applies once the stream appears.
    Pending,
}

impl AppEvent<'_> {
    /// The kind of the event that it raises when it is applied.
    #[must_use]
    pub const fn kind(self) -> EventKind {
        match self {
            Self::Hold => EventKind::FabricHold,
            Self::Resume => EventKind::FabricResume,
            Self::AudioMute(_) => EventKind::AudioMute,
            Self::AudioUnmute(_) => EventKind::AudioUnmute,
            Self::VideoPause(_) => EventKind::VideoPause,
            Self::VideoResume(_) => EventKind::VideoResume,
            Self::ScreenShareStart(_) => EventKind::ScreenShareStart,
            Self::ScreenShareStop(_) => EventKind::ScreenShareStop,
            Self::DominantSpeaker => EventKind::DominantSpeaker,
            Self::ActiveDevices(_) => EventKind::ActiveDeviceList,
            Self::ConnectedDevices(_) => EventKind::ConnectedDeviceList,
            Self::Terminated => EventKind::FabricTerminated,
        }
    }

    /// The SSRC of a single stream, if it concerns one.
    #[must_use]
    pub const fn ssrc(self) -> Option<Ssrc> {
        match self {
            Self::AudioMute(ssrc)
            | Self::AudioUnmute(ssrc)
            | Self::VideoPause(ssrc)
            | Self::VideoResume(ssrc)
            | Self::ScreenShareStart(ssrc)
            | Self::ScreenShareStop(ssrc) => ssrc,
            _ => None,
        }
    }
}

/// A switch that the application sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Muted,
    Paused,
    Shared,
}

/// The state of a fabric's media as the application reports it.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AppState {
    pub(crate) is_held: bool,
    /// The application has reported a mute, or the end of one.
    pub(crate) reports_mutes: bool,
    /// The switches of all sent media.
    all: [bool; 3],
    /// The switches of single streams, sorted by SSRC; `None` if the switch for all applies.
    single: Vec<(Ssrc, [Option<bool>; 3])>,
    /// The start of the current screen share, and the total length of earlier ones.
    shared_since: Option<Timestamp>,
    shared_micros: u64,
}

/// The state of one stream as the application reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AppFlags {
    held: bool,
    muted: bool,
    paused: bool,
}

/// The state of one stream, and the time in each state since an interval of the stream last closed.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamAppState {
    flags: AppFlags,
    /// `time` excludes the time since then.
    since: Timestamp,
    time: AppTime,
}

impl StreamAppState {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { flags: AppFlags::default(), since: now, time: AppTime::default() }
    }

    pub(crate) const fn is_muted(&self) -> bool {
        self.flags.muted
    }

    /// Whether the stream is muted or on hold.
    pub(crate) const fn is_muted_or_held(&self) -> bool {
        self.flags.muted || self.flags.held
    }

    /// Changes the state from `now` on.
    pub(crate) fn set(&mut self, now: Timestamp, flags: AppFlags) {
        self.until(now);
        self.flags = flags;
    }

    /// The time in each state until `now`, since the last [restart](Self::restart).
    pub(crate) fn until(&mut self, now: Timestamp) -> AppTime {
        let ms = now.micros_since(self.since) as f64 / 1e3;
        self.since = now;
        // Time on hold counts as neither muted nor paused.
        match self.flags {
            AppFlags { held: true, .. } => self.time.held += ms,
            AppFlags { paused: true, .. } => self.time.paused += ms,
            AppFlags { muted: true, .. } => self.time.muted += ms,
            _ => {}
        }
        self.time
    }

    /// Restarts the count after an interval has closed.
    pub(crate) fn restart(&mut self) {
        self.time = AppTime::default();
    }
}

impl AppState {
    /// Whether no hold and no switch is stored.
    pub(crate) fn is_silent(&self) -> bool {
        !self.is_held && self.all == [false; 3] && self.single.is_empty()
    }

    /// The number of single streams with stored switches.
    pub(crate) const fn len(&self) -> usize {
        self.single.len()
    }

    /// Whether all sent audio is muted.
    pub(crate) fn is_muted(&self) -> bool {
        self.of_all(Switch::Muted)
    }

    /// Whether a switch would change anything; an error if `max` leaves no capacity to store it.
    pub(crate) fn would_change(&self, switch: Switch, ssrc: Option<Ssrc>, on: bool, max: usize) -> Result<bool, ()> {
        let Some(ssrc) = ssrc else {
            let differs = self.single.iter().any(|(_, of)| of.get(switch as usize) == Some(&Some(!on)));
            return Ok(self.of_all(switch) != on || differs);
        };
        match self.place(ssrc) {
            Ok(at) => Ok(self.single.get(at).and_then(|(_, of)| of.get(switch as usize).copied()?) != Some(on)),
            Err(_) if !on && !self.of_all(switch) => Ok(false),
            Err(_) if self.single.len() >= max => Err(()),
            Err(_) => Ok(true),
        }
    }

    /// Sets a switch.
    pub(crate) fn set(&mut self, now: Timestamp, switch: Switch, ssrc: Option<Ssrc>, on: bool) {
        if let Some(ssrc) = ssrc {
            let at = self.place(ssrc).unwrap_or_else(|at| {
                self.single.insert(at, (ssrc, [None; 3]));
                at
            });
            if let Some(of) = self.single.get_mut(at).and_then(|(_, of)| of.get_mut(switch as usize)) {
                *of = Some(on);
            }
        } else {
            if let Some(all) = self.all.get_mut(switch as usize) {
                *all = on;
            }
            for (_, of) in &mut self.single {
                if let Some(of) = of.get_mut(switch as usize) {
                    *of = None;
                }
            }
            self.single.retain(|(_, of)| *of != [None; 3]);
        }
        if switch == Switch::Shared {
            let shared = self.of_all(switch) || self.single.iter().any(|(_, [_, _, shared])| *shared == Some(true));
            match (self.shared_since, shared) {
                (None, true) => self.shared_since = Some(now),
                (Some(since), false) => {
                    self.shared_since = None;
                    self.shared_micros = self.shared_micros.saturating_add(now.micros_since(since));
                }
                _ => {}
            }
        }
    }

    /// How long a screen was shared until `now`, s.
    pub(crate) fn shared_s(&self, now: Timestamp) -> f64 {
        let open = self.shared_since.map_or(0, |since| now.micros_since(since));
        self.shared_micros.saturating_add(open) as f64 / 1e6
    }

    /// The state of a stream, by its own SSRC, otherwise by that of its primary.
    pub(crate) fn of(&self, direction: Direction, kind: Option<MediaKind>, ssrc: Ssrc, primary: Ssrc) -> AppFlags {
        let is_sent = direction == Direction::Outbound;
        AppFlags {
            held: self.is_held,
            muted: kind == Some(MediaKind::Audio) && self.is_on(Switch::Muted, ssrc, primary, is_sent),
            paused: kind == Some(MediaKind::Video) && self.is_on(Switch::Paused, ssrc, primary, is_sent),
        }
    }

    /// A switch of a stream, by its own SSRC, otherwise by that of its primary, otherwise by that of all sent media.
    fn is_on(&self, switch: Switch, ssrc: Ssrc, primary: Ssrc, is_sent: bool) -> bool {
        let single = self.of_single(switch, ssrc).or_else(|| self.of_single(switch, primary));
        single.unwrap_or(is_sent && self.of_all(switch))
    }

    fn of_single(&self, switch: Switch, ssrc: Ssrc) -> Option<bool> {
        *self.single.get(self.place(ssrc).ok()?)?.1.get(switch as usize)?
    }

    fn of_all(&self, switch: Switch) -> bool {
        self.all.get(switch as usize) == Some(&true)
    }

    fn place(&self, ssrc: Ssrc) -> Result<usize, usize> {
        self.single.binary_search_by_key(&ssrc, |&(ssrc, _)| ssrc)
    }
}
