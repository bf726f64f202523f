//! Runs bytes as calls to a conference.

use callgauge::conference::{Checkpoint, Feedback, FeedbackRating};

use callgauge::digest::{Digest, LogGrid};
use callgauge::event::{ConnectionState, ErrorReport, GatheringState, IceState, SignalingState, WebRtcFunction};
use callgauge::id::{FabricId, Ssrc, UserId};
use callgauge::summary::View;
use callgauge::unit::Timestamp;
use callgauge::{AppEvent, Conference, Config, FabricSpec, InputError};

use super::calls::{Bytes, Snapshots, frame};
use super::{caps, check_memory, counting, limits, outputs};

/// Memory of the report and the views of these calls, in bytes.
const HARNESS: i64 = 64 << 10;

/// Runs the calls that the bytes encode. A refused call has no visible effect, time in outputs does not go back,
/// outputs are sound, memory stays under its cap, and a conference that is saved and restored after each call gives the
/// same bytes.
pub fn operations(data: &[u8]) {
    let flags = data.first().copied().unwrap_or(0);
    let config = Config::new().with_limits(limits()).with_reopening(flags & 1 > 0);
    let (most, _) = caps(limits());
    let before = counting::held();
    let call = operate(Conference::new("call", config.clone()), flags, data, |_| {
        let held = counting::held() - before;
        assert!(held <= most + HARNESS, "{held} bytes where {most} may be");
    });
    // Saving and restoring after each call is quadratic.
    if flags & 8 > 0 && data.len() <= 400 {
        let again = operate(Conference::new("call", config.clone()), flags, data, |call| {
            *call = Conference::restore(&call.save(), config.clone()).expect("its own state");
        });
        assert_eq!(call.save(), again.save());
    }
    outputs::check(&call);
    check_memory(&call);
    let text = serde_json::to_string(&call.state()).expect("a state is written by any format");
    let state: Checkpoint<'_> = serde_json::from_str(&text).expect("it reads back");
    assert_eq!(state.resume(config).expect("its own state").save(), call.save());
}

/// Restores a state with any content, under a checksum that fits. Returns whether it was valid.
pub fn state(data: &[u8]) -> bool {
    // The operations come first: their place must not depend on the length of the state.
    let (operations, state) = data.split_at(data.len().min(64));
    let bytes = frame(&Conference::new("", Config::new()).save(), state);
    if let Ok(mut digest) = Digest::<LogGrid>::from_bytes(state) {
        assert_eq!(Digest::from_bytes(&digest.to_bytes()).as_ref(), Ok(&digest));
        digest.add(1.0, u64::MAX);
        assert!(digest.quantile(0.5).is_some_and(f64::is_finite));
    }
    let config = Config::new().with_limits(limits()).with_reopening(true);
    let Ok(call) = Conference::restore(&bytes, config.clone()) else { return false };
    let again = Conference::restore(&call.save(), config).expect("its own state");
    assert_eq!(again.save(), call.save());
    operate(call, 0, operations, |_| {});
    true
}

fn operate(mut call: Conference, flags: u8, data: &[u8], mut between: impl FnMut(&mut Conference)) -> Conference {
    let mut bytes = Bytes(data);
    bytes.next();
    let users: Vec<UserId> = ["a", "b", "c"].iter().filter_map(|name| call.user(name).ok()).collect();
    // Ids of another conference, which this one may not have issued.
    let mut other = Conference::new("", Config::new());
    let fabrics: Vec<FabricId> = (0..5)
        .filter_map(|n| other.open_fabric(Timestamp::default(), FabricSpec::new(["v", "w", "x", "y", "z"][n])).ok())
        .collect();
    let mut subject = Subject { call, users, fabrics, snapshots: Snapshots::default(), ms: 40_000 };
    let (mut view, mut clocks, mut clock) = (View::default(), outputs::Clocks::default(), None);
    while !bytes.0.is_empty() {
        let before = (flags & 2 > 0).then(|| subject.call.summary());
        let result = subject.act(&mut bytes);
        if let (Err(_), Some(before)) = (result, before) {
            assert_eq!(subject.call.summary(), before, "{result:?} changed something");
        }
        between(&mut subject.call);
        assert!(subject.call.clock() >= clock, "the clock went back");
        clock = subject.call.clock();
        subject.call.snapshot_into(&mut view);
        if flags & 4 > 0 {
            while let Some(event) = subject.call.poll_event() {
                outputs::check_event(&event);
                clocks.check(&event);
            }
        }
    }
    // Compared as text: the content of a forged state need not equal itself.
    assert_eq!(format!("{view:?}"), format!("{:?}", subject.call.snapshot()));
    let _ = subject.call.summary();
    subject.call
}

struct Subject {
    call: Conference,
    users: Vec<UserId>,
    fabrics: Vec<FabricId>,
    snapshots: Snapshots,
    ms: u64,
}

impl Subject {
    fn act(&mut self, bytes: &mut Bytes<'_>) -> Result<(), InputError> {
        let step = match bytes.next() {
            255 => 31_000,
            254 => 3_600_000,
            step => u64::from(step) * 8,
        };
        self.ms += step;
        // One in sixteen comes from a clock that stepped back.
        let back = if bytes.below(16) == 0 { 5_000 } else { 0 };
        let now = Timestamp::from_millis(self.ms - back);
        let (fabric, user) = (self.fabrics[bytes.below(5)], self.users[bytes.below(3)]);
        let ssrc = Ssrc::new(u32::from(bytes.next() % 8));
        let about = (bytes.below(2) > 0).then_some(ssrc);
        let call = &mut self.call;
        match bytes.next() % 18 {
            0 => {
                let spec = FabricSpec::new(["p", "q", ""][bytes.below(3)]).with_local_user(user);
                call.open_fabric(now, spec).map(drop)
            }
            1 => call.ice_state(now, fabric, IceState::ALL[bytes.below(IceState::ALL.len())]),
            2 => call.gathering_state(now, fabric, GatheringState::ALL[bytes.below(GatheringState::ALL.len())]),
            3 => call.signaling_state(now, fabric, SignalingState::ALL[bytes.below(SignalingState::ALL.len())]),
            4 => call.connection_state(now, fabric, ConnectionState::ALL[bytes.below(ConnectionState::ALL.len())]),
            5 => {
                let event = match bytes.below(10) {
                    0 => AppEvent::Hold,
                    1 => AppEvent::Resume,
                    2 => AppEvent::AudioMute(about),
                    3 => AppEvent::AudioUnmute(about),
                    4 => AppEvent::VideoPause(about),
                    5 => AppEvent::VideoResume(about),
                    6 => AppEvent::ScreenShareStart(about),
                    7 => AppEvent::ScreenShareStop(about),
                    8 => AppEvent::DominantSpeaker,
                    _ => AppEvent::Terminated,
                };
                call.send_event(now, fabric, event).map(drop)
            }
            6 => {
                let function = WebRtcFunction::ALL[bytes.below(WebRtcFunction::ALL.len())];
                call.report_error(now, Some(fabric), ErrorReport::new(function)).map(drop)
            }
            7 => {
                let rating = FeedbackRating::new(bytes.next() % 5 + 1).map(Feedback::new);
                rating.map_or(Ok(()), |rating| call.feedback(Some(user), Some(fabric), rating).map(drop))
            }
            8 => call.join(now, user).map(drop),
            9 => call.leave(now, user).map(drop),
            10 => call.handle_timeout(now),
            11 => call.fabric(fabric)?.associate(ssrc, user, "label").map(drop),
            12 => call.fabric(fabric)?.set_remote_user(user).map(drop),
            13 => call.rename_user(user, ["a", "b", "d"][bytes.below(3)]).map(drop),
            _ => {
                let report = self.snapshots.fill(self.ms, bytes);
                self.call.ingest(now, fabric, report)
            }
        }
    }
}
