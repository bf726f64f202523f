//! Application events about media, and their effect on the measurement.

use callgauge::event::EventKind;
use callgauge::event::FabricState;
use callgauge::fabric::Device;
use callgauge::id::Ssrc;
use callgauge::metric::IntervalState;
use callgauge::{AppEvent, Config, Event, InputError, Limits, Outcome};

use super::{Call, at, pictures, received, sent};

/// One snapshot per second with 50 packets each; `inputs` sends application events at any time.
fn run(call: &mut Call, seconds: u64, inputs: &[(u64, AppEvent<'_>)]) -> Vec<(u64, IntervalState)> {
    let mut events = inputs.iter().peekable();
    let mut states = Vec::new();
    for second in 0..=seconds {
        while let Some((ms, event)) = events.next_if(|(ms, _)| *ms <= second * 1_000) {
            assert_eq!(call.call.send_event(at(*ms), call.fabric, *event), Ok(Outcome::Applied), "{event:?}");
        }
        let packets = second as u32 * 50;
        call.snapshot_at(second * 1_000, &[sent(1, packets), received(2, packets), pictures(3, packets)]);
        while let Some(event) = call.call.poll_event() {
            if let Event::IntervalClosed { stream, interval, .. } = event {
                states.push((u64::from(stream.ssrc.get()), interval.state));
            }
        }
    }
    assert!(events.peek().is_none());
    states
}

fn count(states: &[(u64, IntervalState)], ssrc: u64, state: IntervalState) -> usize {
    states.iter().filter(|one| **one == (ssrc, state)).count()
}

#[test]
fn hold_overrides_stats_and_no_interval_spans_it() {
    let mut call = Call::new();
    let states = run(&mut call, 20, &[(5_500, AppEvent::Hold), (12_250, AppEvent::Resume)]);
    for ssrc in 1..=3 {
        // From the second that contains the beginning to the one that contains the end.
        assert_eq!(count(&states, ssrc, IntervalState::Held), 8);
        assert_eq!(count(&states, ssrc, IntervalState::Active), 12);
        let stream = &call.streams(ssrc as u32)[0];
        assert_eq!(stream.held_s, 6.75);
        assert_eq!((stream.interval_bitrate_bps.n, stream.packets), (12, Some(1_000)));
        assert_eq!((stream.muted_s, stream.paused_s), (0.0, 0.0));
    }
    assert_eq!(call.user("alice").held_s, 13.5, "of the two streams that she sends");
}

#[test]
fn fabric_on_hold_has_the_hold_state() {
    let mut call = Call::new();
    call.call.send_event(at(10), call.fabric, AppEvent::Hold).unwrap();
    assert_eq!(call.summary().state, Some(FabricState::Hold));
    call.call.send_event(at(20), call.fabric, AppEvent::Resume).unwrap();
    assert_ne!(call.summary().state, Some(FabricState::Hold));
}

#[test]
fn mute_affects_sent_audio_and_pause_affects_sent_video() {
    let mut call = Call::new();
    let inputs = [
        (3_000, AppEvent::AudioMute(None)),
        (6_000, AppEvent::VideoPause(None)),
        (8_000, AppEvent::AudioUnmute(None)),
        (9_000, AppEvent::VideoResume(None)),
    ];
    let states = run(&mut call, 10, &inputs);
    assert_eq!((count(&states, 1, IntervalState::Muted), count(&states, 1, IntervalState::Active)), (5, 5));
    assert_eq!(count(&states, 2, IntervalState::Active), 10, "reception continues");
    assert_eq!((count(&states, 3, IntervalState::Paused), count(&states, 3, IntervalState::Active)), (3, 7));
    assert_eq!((call.streams(1)[0].muted_s, call.streams(3)[0].paused_s), (5.0, 3.0));
    assert_eq!((call.user("alice").muted_s, call.user("alice").paused_s), (5.0, 3.0));
}

#[test]
fn message_about_a_stream_waits_for_the_stream() {
    let mut call = Call::new();
    let other = Some(Ssrc::new(9));
    assert_eq!(call.call.send_event(at(0), call.fabric, AppEvent::AudioMute(other)), Ok(Outcome::Pending));
    assert_eq!(call.call.send_event(at(0), call.fabric, AppEvent::AudioMute(other)), Ok(Outcome::Unchanged));
    for second in 0..=4 {
        let packets = second as u32 * 50;
        call.snapshot_at(second * 1_000, &[sent(1, packets), received(9, packets)]);
    }
    assert_eq!(
        (call.streams(1)[0].muted_s, call.streams(9)[0].muted_s),
        (0.0, 4.0),
        "received, and muted all the same"
    );
    assert_eq!(call.call.send_event(at(4_500), call.fabric, AppEvent::AudioUnmute(other)), Ok(Outcome::Applied));
    for second in 5..=6 {
        call.snapshot_at(second * 1_000, &[received(9, second as u32 * 50)]);
    }
    assert_eq!(call.streams(9)[0].muted_s, 4.5);
}

#[test]
fn repeated_and_late_events_are_answered_and_apply_once() {
    let mut call = Call::new();
    call.call_events();
    let pairs = [
        (AppEvent::Hold, AppEvent::Resume),
        (AppEvent::AudioMute(None), AppEvent::AudioUnmute(None)),
        (AppEvent::VideoPause(None), AppEvent::VideoResume(None)),
        (AppEvent::ScreenShareStart(None), AppEvent::ScreenShareStop(None)),
    ];
    for (start, stop) in pairs {
        let mut say = |event| call.call.send_event(at(1), call.fabric, event).unwrap();
        assert_eq!(say(stop), Outcome::Unchanged, "{stop:?} before anything");
        assert_eq!([say(start), say(start)], [Outcome::Applied, Outcome::Unchanged], "{start:?}");
        assert_eq!([say(stop), say(stop)], [Outcome::Applied, Outcome::Unchanged], "{stop:?}");
        assert_eq!(call.kinds(), [start.kind(), stop.kind()]);
    }
    let mut say = |event| call.call.send_event(at(2), call.fabric, event);
    assert_eq!(say(AppEvent::Terminated), Ok(Outcome::Applied));
    assert_eq!(say(AppEvent::Terminated), Ok(Outcome::Unchanged));
    let late = call.call.send_event(at(3), call.fabric, AppEvent::Terminated);
    assert_eq!(late, Ok(Outcome::Unchanged), "also when the call is over");
    assert_eq!(call.call.send_event(at(3), call.fabric, AppEvent::Hold), Err(InputError::Ended));
}

#[test]
fn screen_sharing_time_is_measured() {
    let mut call = Call::new();
    let mut say = |ms, event| call.call.send_event(at(ms), call.fabric, event).unwrap();
    say(1_000, AppEvent::ScreenShareStart(Some(Ssrc::new(5))));
    say(3_000, AppEvent::ScreenShareStart(Some(Ssrc::new(6))));
    say(4_000, AppEvent::ScreenShareStop(Some(Ssrc::new(5))));
    say(7_500, AppEvent::ScreenShareStop(None));
    say(9_000, AppEvent::ScreenShareStart(None));
    say(10_000, AppEvent::Terminated);
    assert_eq!(call.user("alice").screen_shared_s, 7.5);
}

#[test]
fn dominant_speaker_event_applies_until_another_or_a_mute() {
    let mut call = Call::new();
    let other = call.open(0, "other", "bob", "alice");
    let mut say = |fabric, event| call.call.send_event(at(1), fabric, event).unwrap();
    let fabric = call.fabric;
    assert_eq!(say(fabric, AppEvent::DominantSpeaker), Outcome::Applied);
    assert_eq!(say(fabric, AppEvent::DominantSpeaker), Outcome::Unchanged);
    assert_eq!(say(other, AppEvent::DominantSpeaker), Outcome::Applied);
    assert_eq!(say(other, AppEvent::AudioMute(None)), Outcome::Applied);
    assert_eq!(say(other, AppEvent::DominantSpeaker), Outcome::Applied);
}

#[test]
fn devices_are_bounded_and_labels_stored_only_on_request() {
    let list = [
        Device { id: "1", kind: "audioinput", group: "g", label: "Ann's headset" },
        Device { id: "2", kind: "videoinput", group: "g", label: "Ann's camera" },
        Device { id: "3", kind: "audiooutput", group: "h", label: "Ann's loudspeaker" },
    ];
    let limits = Limits::new().with_devices(2);
    for keeps in [false, true] {
        let mut call = Call::with(Config::new().with_limits(limits).with_device_labels(keeps));
        let mut say = |event| call.call.send_event(at(1), call.fabric, event).unwrap();
        assert_eq!(say(AppEvent::ActiveDevices(&list)), Outcome::Applied);
        assert_eq!(say(AppEvent::ActiveDevices(&list)), Outcome::Unchanged);
        assert_eq!(say(AppEvent::ConnectedDevices(&list[1..])), Outcome::Applied);
        let fabric = call.summary();
        assert_eq!((fabric.active_devices.len(), fabric.connected_devices.len()), (2, 2));
        assert_eq!(fabric.connected_devices[0].id, "2");
        let debug = format!("{:?}", call.call);
        assert_eq!(debug.contains("Ann"), keeps);
        assert_eq!(fabric.active_devices[0].label.as_deref(), keeps.then_some("Ann's headset"));
    }
}

#[test]
fn inputs_beyond_the_limit_change_nothing() {
    let limits = Limits::new().with_ssrcs_per_fabric(1);
    let mut call = Call::with(Config::new().with_limits(limits));
    assert_eq!(call.call.send_event(at(1), call.fabric, AppEvent::AudioMute(Some(Ssrc::new(1)))), Ok(Outcome::Pending));
    let before = call.call.summary();
    let refused = call.call.send_event(at(2), call.fabric, AppEvent::AudioMute(Some(Ssrc::new(2))));
    assert_eq!(refused, Err(InputError::LimitReached));
    assert_eq!(call.call.summary(), before);
    assert_eq!(
        call.call.send_event(at(1), call.fabric, AppEvent::AudioMute(None)),
        Ok(Outcome::Applied),
        "nor the clock"
    );
    assert!(call.kinds().contains(&EventKind::AudioMute));
}
