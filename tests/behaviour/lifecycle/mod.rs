//! The lifecycle of a call: states, events, users, feedback, and its end.

mod feedback;
#[cfg(feature = "serde")]
mod golden;
mod hostile;
mod media;
mod owners;
mod paths;
mod recorded;
mod roster;
mod sources;
mod states;
#[cfg(feature = "serde")]
mod summary;
mod view;

use callgauge::event::{CallEvent, EventKind};
use callgauge::id::{Direction, FabricId, MediaKind, Ssrc, UserId};
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::summary::{FabricSummary, StreamSummary, UserSummary};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec};

/// A time of the caller's clock, in ms.
fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// One stream in a snapshot, with its counters after that many packets of 100 bytes.
#[derive(Clone, Copy, Debug)]
struct Stream {
    direction: Direction,
    kind: MediaKind,
    ssrc: u32,
    packets: u32,
}

fn received(ssrc: u32, packets: u32) -> Stream {
    Stream { direction: Direction::Inbound, kind: MediaKind::Audio, ssrc, packets }
}

fn sent(ssrc: u32, packets: u32) -> Stream {
    Stream { direction: Direction::Outbound, kind: MediaKind::Audio, ssrc, packets }
}

fn pictures(ssrc: u32, packets: u32) -> Stream {
    Stream { direction: Direction::Outbound, kind: MediaKind::Video, ssrc, packets }
}

/// Appends a stream's stats at `ms`.
fn push(report: &mut Report, ms: u64, stream: Stream) {
    let packets = f64::from(stream.packets);
    let (kind, counters) = match stream.direction {
        Direction::Inbound => (StatsType::InboundRtp, [Num::PacketsReceived, Num::BytesReceived]),
        Direction::Outbound => (StatsType::OutboundRtp, [Num::PacketsSent, Num::BytesSent]),
    };
    let mut entry = report.push(kind, &format!("{kind:?}{}", stream.ssrc));
    entry.set_timestamp(StatTime::from_millis(1e12 + ms as f64)).set_media(stream.kind);
    entry.set(Num::Ssrc, f64::from(stream.ssrc)).set(counters[0], packets).set(counters[1], packets * 100.0);
    if stream.direction == Direction::Inbound {
        entry.set(Num::PacketsLost, 0.0);
    }
}

/// Appends a transport's stats at `ms`.
fn push_transport(report: &mut Report, ms: u64, ice: &str, dtls: &str, fragment: &str) {
    let mut entry = report.push(StatsType::Transport, "T");
    entry.set_timestamp(StatTime::from_millis(1e12 + ms as f64));
    entry.set_text(Text::IceState, ice).set_text(Text::DtlsState, dtls);
    entry.set_text(Text::IceLocalUsernameFragment, fragment);
}

/// A call of Alice and Bob, reported by Alice.
struct Call {
    call: Conference,
    alice: UserId,
    bob: UserId,
    fabric: FabricId,
    report: Report,
}

impl Call {
    fn new() -> Self {
        Self::with(Config::new())
    }

    fn with(config: Config) -> Self {
        let mut call = Conference::new("AliceAndBob", config);
        let (alice, bob) = (call.user("alice").unwrap(), call.user("bob").unwrap());
        let spec = FabricSpec::new("pc").with_local_user(alice).with_remote_user(bob);
        let fabric = call.open_fabric(at(0), spec).unwrap();
        Self { call, alice, bob, fabric, report: Report::new() }
    }

    /// Opens another fabric between any two users.
    fn open(&mut self, ms: u64, name: &str, from: &str, to: &str) -> FabricId {
        let (from, to) = (self.call.user(from).unwrap(), self.call.user(to).unwrap());
        let spec = FabricSpec::new(name).with_local_user(from).with_remote_user(to);
        self.call.open_fabric(at(ms), spec).unwrap()
    }

    fn snapshot_at(&mut self, ms: u64, streams: &[Stream]) {
        self.snapshot_of(self.fabric, ms, streams);
    }

    fn snapshot_of(&mut self, fabric: FabricId, ms: u64, streams: &[Stream]) {
        self.report.clear();
        for &stream in streams {
            push(&mut self.report, ms, stream);
        }
        self.call.ingest(at(ms), fabric, &self.report).unwrap();
    }

    /// The call events since the last request.
    fn call_events(&mut self) -> Vec<CallEvent> {
        let events = std::iter::from_fn(|| self.call.poll_event());
        let event = |event| match event {
            Event::Call { event, .. } => Some(event),
            _ => None,
        };
        events.filter_map(event).collect()
    }

    fn kinds(&mut self) -> Vec<EventKind> {
        self.call_events().iter().map(|event| event.kind).collect()
    }

    fn summary(&self) -> FabricSummary {
        self.call.summary().fabrics.into_iter().find(|fabric| fabric.fabric == "pc").unwrap()
    }

    fn user(&self, name: &str) -> UserSummary {
        self.call.summary().users.into_iter().find(|user| user.user == name).unwrap()
    }

    /// The parts of one stream.
    fn streams(&self, ssrc: u32) -> Vec<StreamSummary> {
        self.summary().streams.into_iter().filter(|stream| stream.ssrc == Ssrc::new(ssrc)).collect()
    }
}
