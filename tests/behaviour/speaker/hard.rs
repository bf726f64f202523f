//! Hard calls: clocks, batches, mutes, maps and leaves at bad times. Each test checks the speaker.

use std::collections::BTreeMap;

use callgauge::fabric::AppEvent;
use callgauge::id::{FabricId, MediaKind, Ssrc, UserId};
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::speaker::Speaker;
use callgauge::summary::{SpeakerSummary, TalkSummary};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, FabricSpec};

/// Speech at −22 dBov.
const SPEECH: f64 = 0.006;

/// Speech at −22 dBov in a second, alternately louder and softer.
fn speech(second: u64) -> f64 {
    SPEECH * (0.4 + (second * 7 % 5) as f64 / 4.0)
}

/// A stream in a snapshot.
#[derive(Clone, Copy)]
struct Sound {
    ssrc: u32,
    power: f64,
    is_sent: bool,
    /// The share of the time that samples cover.
    covered: f64,
    /// Whether the microphone reports its level.
    has_level: bool,
}

fn sound(ssrc: u32, power: f64) -> Sound {
    Sound { ssrc, power, is_sent: true, covered: 1.0, has_level: true }
}

struct Call {
    call: Conference,
    report: Report,
    /// By stream: energy, samples, packets.
    sums: BTreeMap<(FabricId, bool, u32), [f64; 3]>,
}

impl Call {
    fn new() -> Self {
        Self { call: Conference::new("hard", Config::new()), report: Report::new(), sums: BTreeMap::new() }
    }

    fn open(&mut self, ms: u64, name: &str, user: &str) -> FabricId {
        let user = self.call.user(user).unwrap();
        self.call.open_fabric(Timestamp::from_millis(ms), FabricSpec::new(name).with_local_user(user)).unwrap()
    }

    fn map(&mut self, fabric: FabricId, ssrc: u32, user: &str) -> UserId {
        let user = self.call.user(user).unwrap();
        self.call.fabric(fabric).unwrap().associate(Ssrc::new(ssrc), user, "").unwrap();
        user
    }

    /// A snapshot of `span_s`, made at `made_ms`, that arrives at `now_ms`.
    fn snapshot(
        &mut self,
        fabric: FabricId,
        (now_ms, made_ms, span_s): (u64, f64, f64),
        sent: &[Sound],
        received: &[Sound],
    ) {
        self.report.clear();
        let time = StatTime::from_millis(made_ms);
        let streams = received.iter().map(|of| (true, of)).chain(sent.iter().map(|of| (false, of)));
        for (is_received, of) in streams {
            let sums = self.sums.entry((fabric, is_received, of.ssrc)).or_default();
            let seconds = span_s * of.covered;
            sums[0] += of.power * seconds;
            sums[1] += seconds;
            sums[2] += if of.is_sent { 50.0 * span_s } else { 0.0 };
            let [energy, samples, packets] = *sums;
            let kind = if is_received { StatsType::InboundRtp } else { StatsType::OutboundRtp };
            let mut entry = self.report.push(kind, &format!("{kind:?}{}", of.ssrc));
            entry.set_timestamp(time).set_media(MediaKind::Audio).set(Num::Ssrc, f64::from(of.ssrc));
            if is_received {
                entry.set(Num::PacketsReceived, packets);
                entry.set(Num::TotalAudioEnergy, energy).set(Num::TotalSamplesDuration, samples);
                continue;
            }
            entry.set(Num::PacketsSent, packets).set(Num::BytesSent, 100.0 * packets);
            if of.has_level {
                entry.set_text(Text::MediaSourceId, &format!("S{}", of.ssrc));
                let mut source = self.report.push(StatsType::MediaSource, &format!("S{}", of.ssrc));
                source.set_timestamp(time).set_media(MediaKind::Audio);
                source.set(Num::TotalAudioEnergy, energy).set(Num::TotalSamplesDuration, samples);
            }
        }
        self.call.ingest(Timestamp::from_millis(now_ms), fabric, &self.report).unwrap();
    }

    /// A second with correct clocks.
    fn second(&mut self, fabric: FabricId, second: u64, sent: &[Sound], received: &[Sound]) {
        self.snapshot(fabric, (second * 1_000, second as f64 * 1e3, 1.0), sent, received);
    }

    fn send(&mut self, ms: u64, fabric: FabricId, event: AppEvent<'_>) {
        self.call.send_event(Timestamp::from_millis(ms), fabric, event).unwrap();
    }

    fn dominant(&self) -> Option<&str> {
        match self.call.dominant_speaker()? {
            Speaker::User(user) => self.call.user_name(user),
            _ => Some("unnamed"),
        }
    }

    fn talk(&self) -> TalkSummary {
        self.call.summary().talk.unwrap()
    }

    /// Talk time of each user; "" for an unnamed stream.
    fn talk_s(&self) -> Vec<(String, f64)> {
        let of = |speaker: SpeakerSummary| (speaker.user.unwrap_or_default(), speaker.talk_s);
        self.talk().speakers.into_iter().map(of).collect()
    }

    fn talk_of(&self, user: &str) -> f64 {
        self.talk_s().into_iter().find(|of| of.0 == user).unwrap().1
    }
}

#[test]
fn batch_of_reports_blocks_no_other_speaker() {
    let mut call = Call::new();
    let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
    for second in 1_000..=1_020 {
        call.second(alice, second, &[sound(1, 0.0)], &[]);
    }
    // A minute of bob's samples arrives at one time; his clock is another.
    for second in 0..60 {
        call.snapshot(bob, (1_020_000, 5e5 + second as f64 * 1e3, 1.0), &[sound(2, 0.0)], &[]);
    }
    for second in 1_021..=1_060 {
        call.second(alice, second, &[sound(1, if second <= 1_040 { speech(second) } else { 0.0 })], &[]);
        let made_ms = 5e5 + (second - 961) as f64 * 1e3;
        call.snapshot(bob, (second * 1_000, made_ms, 1.0), &[sound(2, 0.0)], &[]);
        assert!(second < 1_024 || (call.dominant() == Some("alice")) == (second < 1_042), "{second} s");
    }
    assert!(call.talk_of("alice") > 16.0 && call.talk_of("bob") == 0.0, "{:?}", call.talk_s());
}

#[test]
fn report_from_the_future_blocks_no_other_speaker() {
    let mut call = Call::new();
    let (alice, mallory) = (call.open(0, "a", "alice"), call.open(0, "m", "mallory"));
    for second in 1_000..=1_005 {
        call.second(alice, second, &[sound(1, 0.0)], &[]);
    }
    for made_ms in [0.0, 1e3, 1e12] {
        call.snapshot(mallory, (1_005_000, made_ms, 1.0), &[sound(2, 0.0)], &[]);
    }
    for second in 1_006..=1_105 {
        call.second(alice, second, &[sound(1, speech(second))], &[]);
    }
    assert_eq!(call.dominant(), Some("alice"));
    assert!(call.talk_of("alice") > 80.0);
}

/// Only a snapshot's latest time and its samples count: otherwise one snapshot would advance the floor by days.
#[test]
fn one_snapshot_advances_the_floor_once() {
    let mut call = Call::new();
    let mallory = call.open(0, "m", "mallory");
    let mut snapshots = 0;
    for round in 0..3 {
        call.report.clear();
        for ssrc in 0..200_u32 {
            let made_ms = if round == 0 { 0.0 } else { f64::from(200 * (round - 1) + ssrc as i32 + 1) * 6e4 };
            let mut entry = call.report.push(StatsType::InboundRtp, &format!("I{ssrc}"));
            entry.set_timestamp(StatTime::from_millis(made_ms)).set_media(MediaKind::Audio);
            entry.set(Num::Ssrc, f64::from(10 + ssrc)).set(Num::PacketsReceived, made_ms / 20.0);
            entry.set(Num::TotalAudioEnergy, made_ms * 1e-6).set(Num::TotalSamplesDuration, made_ms / 1e3);
            snapshots += 1;
        }
        call.call.ingest(Timestamp::from_millis(1_700_000_000_000), mallory, &call.report).unwrap();
    }
    let talk = call.talk();
    // Of the two rounds with differing times, all samples but the last of each are late.
    assert_eq!((snapshots, talk.late_samples), (600, 2 * 199));
}

#[test]
fn unnamed_stream_takes_no_place_of_a_named_user() {
    let mut call = Call::new();
    let mallory = call.open(0, "m", "mallory");
    let many: Vec<Sound> = (100..1_200).map(|ssrc| sound(ssrc, 0.0)).collect();
    call.second(mallory, 0, &[], &many);
    let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
    for second in 0..=20 {
        call.second(alice, second, &[sound(1, speech(second))], &[]);
        call.second(bob, second, &[sound(2, 0.0)], &[]);
    }
    assert_eq!(call.dominant(), Some("alice"));
    let talk = call.talk();
    assert_eq!(talk.speakers.iter().filter(|speaker| speaker.user.is_some()).count(), 2);
    assert!(talk.refused_speakers > 0 && talk.speakers.len() < 600);
}

/// Firefox reports no microphone level: only other endpoints report the speech of its users, yet a mute still applies.
#[test]
fn mute_ends_the_turn_of_a_received_only_user() {
    for ends in [AppEvent::AudioMute(None), AppEvent::AudioMute(Some(Ssrc::new(1))), AppEvent::Hold] {
        let mut call = Call::new();
        let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
        call.map(bob, 1, "alice");
        for second in 0..=12 {
            if second == 6 {
                assert_eq!(call.dominant(), Some("alice"));
                call.send(5_000, alice, ends);
                assert_eq!(call.dominant(), None, "{ends:?}");
            }
            call.second(alice, second, &[Sound { has_level: false, ..sound(1, 0.0) }], &[]);
            call.second(bob, second, &[sound(2, 0.0)], &[sound(1, speech(second))]);
            assert!(second < 6 || call.dominant().is_none(), "{ends:?}");
        }
        assert!((4.0..=5.0).contains(&call.talk_of("alice")), "{ends:?}: {:?}", call.talk_s());
        let back = if ends == AppEvent::Hold { AppEvent::Resume } else { AppEvent::AudioUnmute(ends.ssrc()) };
        call.send(12_000, alice, back);
        for second in 13..=15 {
            call.second(alice, second, &[Sound { has_level: false, ..sound(1, 0.0) }], &[]);
            call.second(bob, second, &[sound(2, 0.0)], &[sound(1, speech(second))]);
        }
        assert_eq!(call.dominant(), Some("alice"));
    }
}

#[test]
fn user_muted_before_the_first_level_is_muted() {
    let mut call = Call::new();
    let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
    call.map(bob, 1, "alice");
    call.send(0, alice, AppEvent::AudioMute(None));
    for second in 0..=5 {
        call.second(alice, second, &[Sound { has_level: false, ..sound(1, 0.0) }], &[]);
        call.second(bob, second, &[sound(2, 0.0)], &[sound(1, speech(second))]);
    }
    assert_eq!((call.dominant(), call.talk_of("alice")), (None, 0.0));
}

#[test]
fn departed_user_does_not_regain_the_floor_by_old_levels() {
    for part in [0.2, 0.4, 0.6] {
        let mut call = Call::new();
        let (bob, alice) = (call.open(0, "b", "bob"), call.open(0, "a", "alice"));
        let carol = call.open(0, "c", "carol");
        let user = call.map(bob, 1, "alice");
        for second in 0..=9 {
            let power = [SPEECH, SPEECH * part, 0.0][(second as usize).saturating_sub(5).min(2)];
            if second == 6 {
                assert_eq!(call.dominant(), Some("alice"));
                call.call.leave(Timestamp::from_millis(5_000 + (part * 1e3) as u64), user).unwrap();
            } else if second < 6 {
                call.second(alice, second, &[Sound { has_level: false, ..sound(1, power) }], &[]);
            }
            call.second(bob, second, &[sound(2, 0.0)], &[sound(1, power)]);
            call.second(carol, second, &[sound(3, 0.0)], &[]);
            assert!(second < 6 || call.dominant().is_none(), "{part}, {second} s");
        }
        // The talk until then belongs to them.
        let talk_s = call.talk_of("alice");
        assert!((5.0..=5.0 + part + 0.1).contains(&talk_s), "{talk_s}");
    }
}

#[test]
fn microphone_reporting_once_leaves_others_able_to_report() {
    let mut call = Call::new();
    let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
    call.map(bob, 1, "alice");
    call.second(alice, 0, &[sound(1, 0.0)], &[]);
    for second in 0..=25 {
        call.second(bob, second, &[sound(2, 0.0)], &[sound(1, if second > 5 { speech(second) } else { 0.0 })]);
    }
    assert!(call.dominant() == Some("alice") && call.talk_of("alice") > 16.0, "{:?}", call.talk_s());
}

#[test]
fn unsent_or_held_stream_silences_no_user() {
    for is_held in [false, true] {
        let mut call = Call::new();
        let legs = [call.open(0, "a1", "alice"), call.open(1, "a2", "alice")];
        let bob = call.open(1, "b", "bob");
        if is_held {
            call.send(1, legs[0], AppEvent::Hold);
        }
        for second in 1..=20 {
            let power = speech(second);
            call.second(legs[0], second, &[Sound { is_sent: second < 2, ..sound(1, power) }], &[]);
            call.second(legs[1], second, &[sound(5, power)], &[]);
            call.second(bob, second, &[sound(2, 0.0)], &[]);
        }
        assert_eq!(call.dominant(), Some("alice"), "held: {is_held}");
        assert!(call.talk_of("alice") > 15.0, "{}", call.talk_of("alice"));
    }
}

#[test]
fn remapped_stream_takes_no_talk_to_its_new_user() {
    let mut call = Call::new();
    let bob = call.open(0, "b", "bob");
    call.map(bob, 1, "alice");
    for second in 0..=30 {
        if second == 21 {
            call.map(bob, 1, "carol");
        }
        call.second(bob, second, &[sound(2, 0.0)], &[sound(1, speech(second))]);
    }
    assert_eq!(call.dominant(), Some("carol"));
    let talk_s = call.talk_s();
    let [(_, alice_s), (_, bob_s), (_, carol_s)] = talk_s[..] else { panic!("{talk_s:?}") };
    assert_eq!(bob_s, 0.0);
    assert!((16.0..=20.0).contains(&alice_s) && (7.0..=10.0).contains(&carol_s), "{talk_s:?}");
}

#[test]
fn talk_of_an_unnamed_stream_moves_to_its_later_user() {
    let mut call = Call::new();
    let bob = call.open(0, "b", "bob");
    for second in 0..=30 {
        call.second(bob, second, &[sound(2, 0.0)], &[sound(3, speech(second))]);
    }
    let [(_, bob_s), (_, nameless_s)] = call.talk_s()[..] else { panic!("two speak") };
    assert!(bob_s == 0.0 && nameless_s > 25.0);
    let carol = call.open(30_000, "c", "carol");
    call.second(carol, 30, &[sound(5, 0.0)], &[]);
    call.map(bob, 3, "carol");
    for second in 31..=33 {
        call.second(carol, second, &[sound(5, 0.0)], &[]);
        call.second(bob, second, &[sound(2, 0.0)], &[sound(3, 0.0)]);
    }
    let talk = call.talk();
    let talk_s: Vec<_> = talk.speakers.iter().map(|of| (of.user.as_deref(), of.talk_s)).collect();
    assert_eq!(talk_s, [(Some("bob"), 0.0), (Some("carol"), nameless_s)]);
    let spans: Vec<_> = talk.dominant.iter().map(|span| span.user.as_deref()).collect();
    assert_eq!(spans, [Some("carol")]);
    assert!(talk.speakers[1].dominant_s > 25.0);
}

fn talk_with_reporters(order: [usize; 2]) -> TalkSummary {
    let mut call = Call::new();
    let fabrics = [call.open(0, "a", "alice"), call.open(0, "b", "bob")];
    for second in 0..=60 {
        // Alice renegotiates.
        let (ssrc, power) = (if second < 4 { 1 } else { 5 }, if second % 8 < 5 { speech(second) } else { 0.0 });
        for which in order {
            match which {
                0 => call.second(fabrics[0], second, &[sound(ssrc, power)], &[]),
                _ => call.second(fabrics[1], second, &[sound(2, 0.0)], &[sound(ssrc, power)]),
            }
        }
    }
    // The replacement of one source by another at the moment of the change may count twice.
    let mut talk = call.talk();
    talk.late_samples = 0;
    talk
}

#[test]
fn user_counts_once_in_any_order_of_reporters() {
    let usual = talk_with_reporters([0, 1]);
    assert_eq!((usual.speakers.len(), usual.overlap_s), (2, 0.0));
    assert!(usual.speakers[0].talk_s > 30.0);
    assert_eq!(usual, talk_with_reporters([1, 0]));
}

#[test]
fn two_users_with_one_ssrc_stay_separate() {
    let mut call = Call::new();
    let (bob, alice) = (call.open(0, "b", "bob"), call.open(0, "a", "alice"));
    call.map(alice, 9, "carol");
    for second in 0..=10 {
        call.second(bob, second, &[sound(2, 0.0)], &[sound(9, speech(second))]);
        call.second(alice, second, &[sound(1, 0.0)], &[sound(9, 0.0)]);
    }
    assert_eq!(call.dominant(), Some("unnamed"));
    assert_eq!(call.talk_of("carol"), 0.0);
    assert!(call.talk_of("") > 8.0);
}

/// Ten-second samples with one second of played audio each: the rest is unknown.
#[test]
fn talk_is_no_longer_than_its_samples() {
    let mut call = Call::new();
    let bob = call.open(0, "b", "bob");
    for n in 0..=6 {
        let time = (n * 10_000, n as f64 * 1e4, 10.0);
        call.snapshot(bob, time, &[sound(2, 0.0)], &[Sound { covered: 0.1, ..sound(1, SPEECH) }]);
    }
    assert_eq!(call.talk_s(), [("bob".to_owned(), 0.0), (String::new(), 6.0)]);
}

/// A loud and a soft participant talk at once; neither microphone picks up the other's loudspeaker.
#[test]
fn soft_speech_is_no_echo_of_loud_speech() {
    for (loud_dbov, soft_dbov) in [(-8.0, -22.0), (-10.0, -22.0), (-22.0, -38.0)] {
        let [loud, soft] = [loud_dbov, soft_dbov].map(|dbov: f64| 10_f64.powf(dbov / 10.0));
        let mut call = Call::new();
        let (alice, bob) = (call.open(0, "a", "alice"), call.open(0, "b", "bob"));
        for second in 0..=60 {
            let [a, b] = [(second * 7 % 5) as f64 / 5.0, (second * 3 % 4) as f64 / 4.0].map(|part| 0.5 + part);
            call.second(alice, second, &[sound(1, if second < 50 { loud * a } else { 0.0 })], &[]);
            call.second(bob, second, &[sound(2, if second > 5 { soft * b } else { 0.0 })], &[]);
        }
        let talk = call.talk();
        assert!(call.talk_of("bob") > 40.0 && talk.overlap_s > 30.0, "{soft_dbov} dBov: {talk:?}");
    }
}

#[test]
fn floor_ends_when_all_reports_stop() {
    let mut call = Call::new();
    let alice = call.open(0, "a", "alice");
    for second in 0..=5 {
        call.second(alice, second, &[sound(1, speech(second))], &[]);
    }
    assert_eq!(call.dominant(), Some("alice"));
    let due = call.call.poll_timeout().unwrap();
    call.call.handle_timeout(Timestamp::from_micros(due.as_micros() - 1)).unwrap();
    assert_eq!(call.dominant(), Some("alice"));
    call.call.handle_timeout(due).unwrap();
    assert_eq!(call.dominant(), None);
    // Two seconds of silence, and twice a sample's length for late reporters.
    assert!((7_000..10_000).contains(&(due.as_micros() / 1_000)));
    // The next event is the end of her stay.
    assert_eq!(call.call.poll_timeout(), Some(Timestamp::from_millis(35_000)));
}
