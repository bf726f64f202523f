//! One call: its fabrics, their streams, and what they come to. This room wires; figures are made elsewhere.

mod fabric;
mod summarize;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::config::Config;
use crate::event::Event;
use crate::id::FabricId;
use crate::report::Report;
use crate::summary::ConferenceSummary;
use crate::unit::Timestamp;
use fabric::Fabric;

/// One call instance.
///
/// Four kinds of method: getters; inputs ([`open_fabric`](Self::open_fabric), [`ingest`](Self::ingest)), which take the
/// caller's clock; and [`poll_event`](Self::poll_event), which may be called at any time, or never: the queue is
/// bounded, drops its oldest and says so.
///
/// ```
/// use callgauge::ingest::getstats::Scanner;
/// use callgauge::report::Report;
/// use callgauge::unit::Timestamp;
/// use callgauge::{Conference, Config, FabricSpec};
///
/// let mut call = Conference::new("AliceAndBob", Config::new());
/// let fabric = call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc-1"))?;
/// let (mut scanner, mut report) = (Scanner::new(), Report::new());
/// for second in 0..=10_u64 {
///     let text = format!(
///         r#"[{{"id":"I","timestamp":{},"type":"inbound-rtp","kind":"audio","ssrc":7,"bytesReceived":{},
///             "packetsReceived":{},"packetsLost":{}}}]"#,
///         second * 1000, second * 4000, second * 49, second,
///     );
///     scanner.read(text.as_bytes(), &mut report)?;
///     call.ingest(Timestamp::from_millis(second * 1000), fabric, &report)?;
/// }
/// let summary = call.summary();
/// let stream = &summary.fabrics[0].streams[0];
/// assert_eq!(stream.bitrate_bps, Some(32_000.0));
/// assert_eq!(stream.loss_ratio, Some(0.02));
/// assert_eq!(stream.rtt_ms.mean, None); // nobody reported one
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conference {
    name: Option<String>,
    config: Config,
    fabrics: Vec<Fabric>,
    events: VecDeque<Event>,
    dropped_events: u64,
    now: Option<Timestamp>,
}

/// What is known of a PeerConnection when it is opened.
#[derive(Clone, Debug, Default)]
pub struct FabricSpec {
    name: String,
}

impl FabricSpec {
    /// A PeerConnection by the name that the application or the input has for it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into() }
    }
}

/// Why an input was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// No fabric with this id was opened here.
    UnknownFabric,
    /// The caller's clock is behind what it was at an earlier input.
    TimeWentBackwards,
    /// The conference has as many fabrics as [`Limits`](crate::Limits) allow.
    LimitReached,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFabric => "no fabric with this id was opened in this conference",
            Self::TimeWentBackwards => "the clock is behind an earlier input",
            Self::LimitReached => "the conference has as many fabrics as its limits allow",
        })
    }
}

impl core::error::Error for InputError {}

impl Conference {
    /// A conference of which nothing is known but its name; an empty name is none.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        Self {
            name: (!name.is_empty()).then(|| name.into()),
            config,
            fabrics: Vec::new(),
            events: VecDeque::new(),
            dropped_events: 0,
            now: None,
        }
    }

    /// Opens a fabric: from now on its snapshots can be ingested. The name need not be unique: two fabrics of one name
    /// are two fabrics.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`] when `now` is before an earlier input's; [`InputError::LimitReached`] when
    /// [`Limits::fabrics`](crate::Limits::fabrics) are open. Nothing changes then, the clock included.
    pub fn open_fabric(&mut self, now: Timestamp, spec: FabricSpec) -> Result<FabricId, InputError> {
        self.check_clock(now)?;
        let index = u32::try_from(self.fabrics.len()).map_err(|_| InputError::LimitReached)?;
        if self.fabrics.len() >= self.config.limits().fabrics() {
            return Err(InputError::LimitReached);
        }
        self.now = Some(now);
        let id = FabricId(index);
        self.fabrics.push(Fabric::new(id, spec.name));
        Ok(id)
    }

    /// Takes a snapshot of a fabric. `now` is the caller's clock, which stamps arrival only: figures follow from the
    /// time stamps inside the report. The same `now` may be given again.
    ///
    /// Cost: linear in the entries of the report. Once every stream has been seen and events are drained, nothing is
    /// allocated.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownFabric`]; nothing changes then. Odd data inside the report
    /// is no error: duplicates, late looks and streams beyond the limit are counted in the summary, what a reader or
    /// [`EntryMut::set`](crate::report::EntryMut::set) left out in [`Report::skipped`].
    pub fn ingest(&mut self, now: Timestamp, fabric: FabricId, report: &Report) -> Result<(), InputError> {
        self.check_clock(now)?;
        let limits = self.config.limits();
        let room = self.fabrics.get_mut(fabric.index()).ok_or(InputError::UnknownFabric)?;
        self.now = Some(now);
        let (events, dropped) = (&mut self.events, &mut self.dropped_events);
        room.ingest(report, &self.config, &mut |event| {
            if events.len() >= limits.pending_events() {
                events.pop_front();
                *dropped += 1;
            }
            if limits.pending_events() > 0 {
                events.push_back(event);
            }
        });
        Ok(())
    }

    /// The next event, oldest first; `None` when there is none. Its answer may change after [`ingest`](Self::ingest).
    /// Allocates nothing.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        match core::mem::take(&mut self.dropped_events) {
            0 => self.events.pop_front(),
            dropped => Some(Event::Overflow { dropped }),
        }
    }

    /// What the call came to so far. Changes nothing, so that it may be asked again at any time.
    ///
    /// Cost: linear in streams, with an allocation for each; meant for the end of a call or a slow tick.
    #[must_use]
    pub fn summary(&self) -> ConferenceSummary {
        summarize::conference(self.name.as_deref(), &self.fabrics, &self.config)
    }

    fn check_clock(&self, now: Timestamp) -> Result<(), InputError> {
        if self.now.is_some_and(|before| now < before) { Err(InputError::TimeWentBackwards) } else { Ok(()) }
    }
}
