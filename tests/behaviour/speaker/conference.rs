//! Dominant speaker and talk through a conference, as an application gets them.

use std::collections::BTreeMap;
use std::time::Duration;

use callgauge::fabric::AppEvent;
use callgauge::id::{FabricId, MediaKind, Ssrc, UserId};
use callgauge::ingest::{Reader, Snapshot};
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::speaker::dominant::{LATENCY_MS, SILENCE_MS};
use callgauge::speaker::{Speaker, SpeakerChange};
use callgauge::summary::{SpeakerSummary, TalkSummary};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec, Limits};
use proptest::prelude::*;
use serde_json::Value;

use super::recorded::truth;
use crate::common::{Seeded, recordings};

/// The outcome of a call and its changes.
struct Outcome {
    call: Conference,
    users: BTreeMap<String, UserId>,
    changes: Vec<SpeakerChange>,
}

/// How a recording is played: which endpoints report, with which clocks, and how late.
#[derive(Clone, Copy)]
struct Playback {
    sees: fn(&str) -> bool,
    ahead_ms: fn(&str) -> f64,
    late_ms: fn(u64) -> f64,
}

const PLAIN: Playback = Playback { sees: |_| true, ahead_ms: |_| 0.0, late_ms: |_| 0.0 };

fn play(name: &str, meta: &Value, playback: Playback) -> Outcome {
    let mut call = Conference::new(name, Config::new().with_reopening(true));
    let (mut users, mut fabrics) = (BTreeMap::new(), BTreeMap::new());
    let pcs = meta["pcs"].as_array().unwrap().iter();
    let ends: Vec<[&str; 3]> = pcs.map(|pc| ["pc", "at", "to"].map(|key| pc[key].as_str().unwrap())).collect();
    for [_, at, to] in &ends {
        for who in [at, to] {
            let user = call.user(who).unwrap();
            users.insert((*who).to_owned(), user);
        }
    }
    let mut due: Vec<(f64, &str, Report)> = Vec::new();
    let (mut reader, mut seed) = (Reader::new(), Seeded(7));
    for line in recordings::lines(name) {
        let read = &mut |snapshot: Snapshot<'_>| {
            let Some([pc, at, _]) = ends.iter().find(|[pc, ..]| *pc == snapshot.fabric) else { return };
            if (playback.sees)(at) {
                let mut report = snapshot.report.clone();
                report.shift_clock((playback.ahead_ms)(at));
                let late_ms = (playback.late_ms)(seed.next());
                due.push((snapshot.at.unwrap().as_millis() + late_ms, pc, report));
            }
        };
        reader.read(line.as_bytes(), read).unwrap();
    }
    due.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut changes = Vec::new();
    for (at_ms, pc, report) in &due {
        let now = Timestamp::from_micros((at_ms * 1e3) as u64);
        let fabric = *fabrics.entry(*pc).or_insert_with(|| {
            let [_, at, to] = ends.iter().find(|end| end[0] == *pc).unwrap();
            let spec = FabricSpec::new(pc).with_local_user(users[*at]).with_remote_user(users[*to]);
            call.open_fabric(now, spec).unwrap()
        });
        call.ingest(now, fabric, report).unwrap();
        while let Some(event) = call.poll_event() {
            if let Event::DominantSpeaker { change, .. } = event {
                changes.push(change);
            }
        }
        // Each endpoint is named separately, and no two are named as one.
        let found: Vec<UserId> = fabrics
            .iter()
            .filter(|(_, fabric)| call.fabric(**fabric).unwrap().is_dominant_speaker())
            .map(|(pc, _)| users[ends.iter().find(|end| end[0] == *pc).unwrap()[1]])
            .collect();
        assert!(found.iter().all(|&user| call.dominant_speaker() == Some(Speaker::User(user))));
    }
    Outcome { call, users, changes }
}

fn talk_of(outcome: &Outcome) -> TalkSummary {
    outcome.call.summary().talk.unwrap()
}

fn speaker<'a>(talk: &'a TalkSummary, user: &str) -> &'a SpeakerSummary {
    talk.speakers.iter().find(|speaker| speaker.user.as_deref() == Some(user)).unwrap()
}

/// Seconds of speech by the lab's record: at the microphone, also while muted.
fn spoken_s(meta: &Value, who: &str) -> f64 {
    let spans = meta["ground_truth"]["speech"][who].as_array().unwrap();
    spans.iter().map(|span| span[1].as_f64().unwrap() - span[0].as_f64().unwrap()).sum::<f64>() / 1e3
}

/// Asserts the floor of each user and the time of each change by the lab's record, for any reporters and clocks.
fn check_floor(name: &str, meta: &Value, playback: Playback, latest_ms: f64) {
    let (outcome, truth) = (play(name, meta, playback), truth(meta));
    let talk = talk_of(&outcome);
    for who in outcome.users.keys() {
        let floor_s: f64 = truth.iter().filter(|turn| turn.0 == *who).map(|turn| turn.2 - turn.1).sum::<f64>() / 1e3;
        let dominant_s = speaker(&talk, who).dominant_s;
        println!("{name} {who}: had the floor for {floor_s:.1} s, found {dominant_s:.1} s");
        assert!((dominant_s / floor_s - 1.0).abs() < 0.1, "{name} {who}: {dominant_s} s of {floor_s} s");
        let listed = talk.dominant.iter().filter(|span| span.user.as_deref() == Some(who));
        let listed_s = listed.map(|span| span.end_ms - span.start_ms).sum::<f64>() / 1e3;
        assert!((listed_s - dominant_s).abs() < 0.01 * dominant_s + 0.3, "{listed_s} s are listed");
    }
    for (who, start, _) in &truth[..truth.len() - 1] {
        let user = Speaker::User(outcome.users[who]);
        let found = outcome
            .changes
            .iter()
            .find(|change| change.now == Some(user) && change.at.as_micros() as f64 / 1e3 > *start);
        let late_ms = found.unwrap().at.as_micros() as f64 / 1e3 - start;
        assert!(late_ms <= latest_ms, "{name} {who}: found after {late_ms} ms");
    }
    assert!(talk.dominant_changes as usize <= truth.len());
}

#[test]
fn dominant_time_matches_the_labs_record() {
    for name in ["mesh3", "mesh4"] {
        check_floor(name, &recordings::meta(name), PLAIN, (LATENCY_MS + 1_000) as f64);
    }
}

#[test]
fn single_endpoint_finds_the_same_speakers() {
    let meta = recordings::meta("mesh3");
    for sees in [|at: &str| at == "P1", |at: &str| at == "P2", |at: &str| at == "P3"] {
        // Jitter buffers delay received audio.
        check_floor("mesh3", &meta, Playback { sees, ..PLAIN }, (LATENCY_MS + 1_300) as f64);
    }
}

#[test]
fn wrong_clocks_and_delayed_reports_change_little() {
    let meta = recordings::meta("mesh3");
    let ahead_ms = |at: &str| match at {
        "P1" => 0.0,
        "P2" => 7_300.0,
        _ => -90_000.0,
    };
    check_floor("mesh3", &meta, Playback { ahead_ms, ..PLAIN }, (LATENCY_MS + 1_000) as f64);
    // One report of eight arrives a second later than the others, which must wait for it.
    let late_ms = |random: u64| if random.is_multiple_of(8) { 1_000.0 } else { 20.0 };
    check_floor("mesh3", &meta, Playback { ahead_ms, late_ms, ..PLAIN }, (LATENCY_MS + 2_200) as f64);
}

#[test]
fn talk_time_matches_the_labs_record_with_overlap() {
    let mut recorded = 0;
    for name in recordings::names() {
        let meta = recordings::meta(&name);
        let talk = talk_of(&play(&name, &meta, PLAIN));
        let all: f64 = talk.speakers.iter().filter_map(|speaker| speaker.talk_ratio).sum();
        assert!((all - 1.0).abs() < 1e-9);
        for who in meta["ground_truth"]["speech"].as_object().unwrap().keys() {
            let (spoken_s, found) = (spoken_s(&meta, who), speaker(&talk, who));
            // Speech while nothing was sent is not talk.
            let all_s = found.talk_s + found.muted_talk_s.unwrap_or(0.0);
            println!(
                "{name} {who}: spoke for {spoken_s:.1} s, found {:.1} s, {:?} s muted",
                found.talk_s, found.muted_talk_s
            );
            // The source of a muted track is silent, a call on hold is reported only in part, discontinuous
            // transmission cuts the ends of words, and at 100 ms the pauses between words are visible.
            let least = match &*name {
                "mute" | "hold" | "audio_dtx" | "loss5_100ms" => 0.65,
                _ => 0.85,
            };
            assert!((least..1.12).contains(&(all_s / spoken_s)), "{name} {who}");
            recorded += 1;
        }
    }
    assert!(recorded > 60);
}

/// A synthetic call: the speaker in each second, by the microphones of their own fabrics.
struct SyntheticCall {
    call: Conference,
    report: Report,
    energies: Vec<f64>,
    events: Vec<Event>,
}

const LOUD: f64 = 0.01;

impl SyntheticCall {
    fn new(config: Config) -> Self {
        Self {
            call: Conference::new("made", config),
            report: Report::new(),
            energies: vec![0.0; 16],
            events: Vec::new(),
        }
    }

    fn open(&mut self, ms: u64, name: &str, user: &str) -> FabricId {
        let user = self.call.user(user).unwrap();
        self.call.open_fabric(Timestamp::from_millis(ms), FabricSpec::new(name).with_local_user(user)).unwrap()
    }

    /// A second of a microphone and of the received streams, by SSRC: the loudness of each.
    fn second(&mut self, fabric: FabricId, second: u64, microphone: (u32, f64), received: &[(u32, f64)]) {
        self.report.clear();
        let time = StatTime::from_millis(second as f64 * 1e3);
        let mut sources = vec![(StatsType::OutboundRtp, microphone)];
        sources.extend(received.iter().map(|&of| (StatsType::InboundRtp, of)));
        for (kind, (ssrc, power)) in sources {
            let is_received = usize::from(kind == StatsType::InboundRtp);
            let energy = &mut self.energies[2 * ssrc as usize + is_received];
            *energy += power;
            let (energy, duration) = (*energy, second as f64);
            let mut entry = self.report.push(kind, &format!("{kind:?}{ssrc}"));
            entry.set_timestamp(time).set_media(MediaKind::Audio).set(Num::Ssrc, f64::from(ssrc));
            if kind == StatsType::InboundRtp {
                entry.set(Num::PacketsReceived, 50.0 * duration);
                entry.set(Num::TotalAudioEnergy, energy).set(Num::TotalSamplesDuration, duration);
                continue;
            }
            entry.set(Num::PacketsSent, 50.0 * duration).set_text(Text::MediaSourceId, &format!("S{ssrc}"));
            let mut source = self.report.push(StatsType::MediaSource, &format!("S{ssrc}"));
            source.set_timestamp(time).set_media(MediaKind::Audio);
            source.set(Num::TotalAudioEnergy, energy).set(Num::TotalSamplesDuration, duration);
        }
        self.call.ingest(Timestamp::from_millis(second * 1_000), fabric, &self.report).unwrap();
        self.events.extend(std::iter::from_fn(|| self.call.poll_event()));
    }

    fn dominant(&self) -> Option<&str> {
        match self.call.dominant_speaker()? {
            Speaker::User(user) => self.call.user_name(user),
            _ => Some("unnamed"),
        }
    }
}

#[test]
fn mute_ends_the_turn_at_once_and_muted_speech_is_no_talk() {
    let mut synthetic = SyntheticCall::new(Config::new());
    let (alice, bob) = (synthetic.open(0, "a", "alice"), synthetic.open(0, "b", "bob"));
    for second in 0..=3 {
        synthetic.second(alice, second, (1, LOUD), &[]);
        synthetic.second(bob, second, (2, 0.0), &[]);
    }
    assert_eq!(synthetic.dominant(), Some("alice"));
    assert!(
        synthetic.call.fabric(alice).unwrap().is_dominant_speaker()
            && !synthetic.call.fabric(bob).unwrap().is_dominant_speaker()
    );
    synthetic.call.send_event(Timestamp::from_millis(3_000), alice, AppEvent::AudioMute(None)).unwrap();
    assert_eq!(synthetic.dominant(), None);
    for second in 4..=7 {
        synthetic.second(alice, second, (1, LOUD), &[]);
        synthetic.second(bob, second, (2, 0.0), &[]);
        assert_eq!(synthetic.dominant(), None);
    }
    let summary = synthetic.call.summary();
    let [ref alice_summary, ref bob_summary] = summary.users[..] else { panic!("two users") };
    let talk = alice_summary.talk.as_ref().unwrap();
    assert_eq!((talk.talk_s, talk.muted_talk_s, talk.turns), (3.0, Some(4.0), None));
    assert_eq!(bob_summary.talk.as_ref().unwrap().muted_talk_s, None);
    synthetic.call.send_event(Timestamp::from_millis(7_000), alice, AppEvent::AudioUnmute(None)).unwrap();
    for second in 8..=9 {
        synthetic.second(alice, second, (1, LOUD), &[]);
        synthetic.second(bob, second, (2, 0.0), &[]);
    }
    assert_eq!(synthetic.dominant(), Some("alice"));
    // Leaving ends the turn.
    synthetic.call.send_event(Timestamp::from_millis(9_000), alice, AppEvent::Terminated).unwrap();
    assert_eq!(synthetic.dominant(), None);
    let ends = synthetic
        .events
        .iter()
        .filter(|event| matches!(event, Event::DominantSpeaker { change, .. } if change.now.is_none()));
    assert_eq!(ends.count(), 1, "the last one is not polled yet");
}

#[test]
fn user_with_several_reporters_counts_once_by_own_microphone() {
    let mut synthetic = SyntheticCall::new(Config::new());
    let (alice, bob) = (synthetic.open(0, "a", "alice"), synthetic.open(0, "b", "bob"));
    let carol = synthetic.call.user("carol").unwrap();
    synthetic.call.fabric(bob).unwrap().associate(Ssrc::new(3), carol, "").unwrap();
    synthetic.call.fabric(alice).unwrap().associate(Ssrc::new(3), carol, "").unwrap();
    // The stream that bob receives from alice is not associated with a user; that alice sends it identifies her.
    for second in 0..=10 {
        let (a, c) = if second < 6 { (LOUD, 0.0) } else { (0.0, LOUD) };
        synthetic.second(alice, second, (1, a), &[(3, c)]);
        synthetic.second(bob, second, (2, 0.0), &[(1, a / 2.0), (3, c)]);
    }
    assert_eq!(synthetic.call.dominant_speaker(), Some(Speaker::User(carol)));
    let talk = synthetic.call.summary().talk.unwrap();
    let found: Vec<_> = talk.speakers.iter().map(|speaker| (speaker.user.as_deref(), speaker.talk_s)).collect();
    assert_eq!(found, [(Some("alice"), 5.0), (Some("bob"), 0.0), (Some("carol"), 5.0)]);
    assert_eq!((talk.speech_s, talk.overlap_s), (10.0, 0.0));
}

#[test]
fn unnamed_speaker_is_known_by_stream_and_later_as_user() {
    let mut synthetic = SyntheticCall::new(Config::new());
    let alice = synthetic.open(0, "a", "alice");
    for second in 0..=4 {
        synthetic.second(alice, second, (1, 0.0), &[(3, LOUD)]);
    }
    assert_eq!(synthetic.call.dominant_speaker(), Some(Speaker::Stream(Ssrc::new(3))));
    let talk = synthetic.call.summary().talk.unwrap();
    assert_eq!((talk.speakers[1].user.as_deref(), talk.speakers[1].ssrc), (None, Some(Ssrc::new(3))));
    let carol = synthetic.call.user("carol").unwrap();
    synthetic.call.fabric(alice).unwrap().associate(Ssrc::new(3), carol, "").unwrap();
    synthetic.second(alice, 5, (1, 0.0), &[(3, LOUD)]);
    assert_eq!(synthetic.call.dominant_speaker(), Some(Speaker::User(carol)));
    let talk = synthetic.call.summary().talk.unwrap();
    assert_eq!(talk.speakers.len(), 2);
    assert_eq!((talk.speakers[1].user.as_deref(), talk.speakers[1].talk_s), (Some("carol"), 5.0));
}

#[test]
fn speakers_beyond_the_limit_are_counted_and_disturb_none() {
    let mut synthetic =
        SyntheticCall::new(Config::new().with_limits(Limits::new().with_speakers(2).with_dominance_spans(1)));
    let alice = synthetic.open(0, "a", "alice");
    for second in 0..=20 {
        let (a, b) = if second % 10 < 5 { (LOUD, 0.0) } else { (0.0, LOUD) };
        synthetic.second(alice, second, (1, a), &[(2, b), (3, LOUD)]);
    }
    let talk = synthetic.call.summary().talk.unwrap();
    assert_eq!((talk.speakers.len(), talk.refused_speakers), (2, 21));
    assert_eq!((talk.dominant.len(), talk.dominant_changes), (1, 1 + talk.refused_turns - 1));
}

#[test]
fn only_speaker_allows_a_back_channel_and_no_second_speaker() {
    for (window_s, is_alone) in [(10, false), (4, true)] {
        let mut synthetic = SyntheticCall::new(Config::new().with_speaker_window(Duration::from_secs(window_s)));
        let (alice, bob) = (synthetic.open(0, "a", "alice"), synthetic.open(0, "b", "bob"));
        let users = ["alice", "bob"].map(|name| synthetic.call.user(name).unwrap());
        for second in 0..=9 {
            // Bob speaks for two seconds, and says half a second of "yes" later.
            let b = [0.0, LOUD, LOUD, 0.0, 0.0, 0.0, 0.0, LOUD / 2.0, 0.0, 0.0][second as usize];
            synthetic.second(alice, second, (1, if second > 3 { LOUD } else { 0.0 }), &[]);
            synthetic.second(bob, second, (2, b), &[]);
        }
        let expected = is_alone.then_some(Speaker::User(users[0]));
        assert_eq!(synthetic.call.only_speaker(), expected, "{window_s} s");
        assert_eq!(users.map(|user| synthetic.call.is_only_speaker(user)), [is_alone, false]);
        assert_eq!(synthetic.dominant(), Some("alice"));
    }
}

#[test]
fn audio_levels_stand_in_for_missing_energies() {
    let mut call = Conference::new("", Config::new());
    let [alice, bob] = ["alice", "bob"].map(|name| call.user(name).unwrap());
    let spec = FabricSpec::new("pc").with_local_user(alice).with_remote_user(bob);
    let fabric = call.open_fabric(Timestamp::default(), spec).unwrap();
    let mut report = Report::new();
    for second in 0..8_u32 {
        report.clear();
        let time = StatTime::from_millis(f64::from(second) * 1e3);
        let mut entry = report.push(StatsType::InboundRtp, "I");
        entry.set_timestamp(time).set_media(MediaKind::Audio).set(Num::Ssrc, 7.0);
        entry.set(Num::AudioLevel, if second < 4 { 0.1 } else { 0.0 });
        let mut entry = report.push(StatsType::OutboundRtp, "O");
        entry.set_timestamp(time).set_media(MediaKind::Audio).set(Num::Ssrc, 8.0).set_text(Text::MediaSourceId, "S");
        let mut entry = report.push(StatsType::MediaSource, "S");
        entry.set_timestamp(time).set_media(MediaKind::Audio);
        entry.set(Num::AudioLevel, if second < 4 { 0.0 } else { 0.2 });
        call.ingest(Timestamp::from_millis(u64::from(second) * 1_000), fabric, &report).unwrap();
        let expected = [None, Some(bob), Some(bob), Some(bob), Some(alice), Some(alice), Some(alice), Some(alice)];
        assert_eq!(call.dominant_speaker(), expected[second as usize].map(Speaker::User), "{second} s");
    }
}

#[test]
fn silence_ends_the_turn_and_no_level_gives_no_speaker() {
    let mut synthetic = SyntheticCall::new(Config::new());
    let alice = synthetic.open(0, "a", "alice");
    synthetic.second(alice, 0, (1, 0.0), &[]);
    synthetic.second(alice, 1, (1, LOUD), &[]);
    assert_eq!(synthetic.dominant(), Some("alice"), "a lone speaker is found at once");
    let no_speech_s = SILENCE_MS.div_ceil(1_000);
    (2..=1 + no_speech_s).for_each(|second| synthetic.second(alice, second, (1, 0.0), &[]));
    assert_eq!(synthetic.dominant(), None);

    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("A")).unwrap();
    let mut report = Report::new();
    for second in 0..5 {
        report.clear();
        let mut entry = report.push(StatsType::InboundRtp, "I");
        entry.set_timestamp(StatTime::from_millis(f64::from(second) * 1e3)).set_media(MediaKind::Audio);
        entry.set(Num::Ssrc, 7.0).set(Num::PacketsReceived, f64::from(second));
        call.ingest(Timestamp::default(), fabric, &report).unwrap();
    }
    assert_eq!((call.dominant_speaker(), call.summary().talk), (None, None));
}

/// A mesh of three in which all reporters carry everyone's audio: both fabrics of a user, and those of the others.
fn mesh(seconds: &[[f64; 3]], order: &[usize; 6]) -> TalkSummary {
    const NAMES: [&str; 3] = ["alice", "bob", "carol"];
    const ENDS: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];
    let mut synthetic = SyntheticCall::new(Config::new());
    let mut fabrics = [None; 6];
    for &which in order {
        let (at, to) = ENDS[which];
        let [at, to] = [at, to].map(|who| synthetic.call.user(NAMES[who]).unwrap());
        let spec = FabricSpec::new(&format!("pc{}", which % 2)).with_local_user(at).with_remote_user(to);
        fabrics[which] = Some(synthetic.call.open_fabric(Timestamp::default(), spec).unwrap());
    }
    for (second, powers) in (0_u64..).zip(seconds) {
        for &which in order {
            let (at, to) = ENDS[which];
            let ssrc = |from: usize, to: usize| (from * 3 + to) as u32;
            let received = [(ssrc(to, at), powers[to] * 0.7)];
            synthetic.second(fabrics[which].unwrap(), second, (ssrc(at, to), powers[at]), &received);
        }
    }
    synthetic.call.summary().talk.unwrap()
}

/// Application events that mute, hold, map, leave and return at any time.
#[derive(Clone, Copy, Debug)]
enum Act {
    Speak(usize, f64),
    Mute(usize, bool),
    Hold(usize, bool),
    Map(usize, u32, usize),
    Leave(usize),
    End(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..3_usize, prop_oneof![Just(0.0), Just(LOUD), 0.0..0.1_f64]).prop_map(|(who, power)| Act::Speak(who, power)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(who, on)| Act::Mute(who, on)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(who, on)| Act::Hold(who, on)),
        1 => (0..3_usize, 0..6_u32, 0..3_usize).prop_map(|(at, ssrc, who)| Act::Map(at, ssrc, who)),
        1 => (0..3_usize).prop_map(Act::Leave),
        1 => (0..3_usize).prop_map(Act::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]
    #[test]
    fn report_order_changes_no_talk(
        seconds in prop::collection::vec(prop::array::uniform3(prop_oneof![Just(0.0), 0.001..0.02_f64]), 3..40),
        order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(),
    ) {
        let usual = mesh(&seconds, &[0, 1, 2, 3, 4, 5]);
        prop_assert_eq!(&usual, &mesh(&seconds, &order));
        let text = serde_json::to_string(&usual).unwrap();
        prop_assert_eq!(serde_json::from_str::<TalkSummary>(&text).unwrap(), usual);
    }

    #[test]
    fn sums_hold_and_at_most_one_speaks_for_any_application_input(
        acts in prop::collection::vec((act(), 0..3_u64), 1..120),
    ) {
        let mut synthetic = SyntheticCall::new(Config::new().with_reopening(true));
        let names = ["alice", "bob", "carol"];
        let fabrics = names.map(|name| synthetic.open(0, name, name));
        let users = names.map(|name| synthetic.call.user(name).unwrap());
        let mut second = 0;
        for (act, pause) in acts {
            second += pause;
            let now = Timestamp::from_millis(second * 1_000);
            match act {
                Act::Speak(who, power) => {
                    second += 1;
                    synthetic.second(fabrics[who], second, (who as u32, power), &[(3 + who as u32, power)]);
                }
                Act::Mute(who, on) => {
                    let event = if on { AppEvent::AudioMute(None) } else { AppEvent::AudioUnmute(None) };
                    synthetic.call.send_event(now, fabrics[who], event).unwrap();
                }
                Act::Hold(who, on) => {
                    synthetic.call.send_event(now, fabrics[who], if on { AppEvent::Hold } else { AppEvent::Resume }).unwrap();
                }
                Act::Map(at, ssrc, who) => {
                    let answer = synthetic.call.fabric(fabrics[at]).unwrap().associate(Ssrc::new(ssrc), users[who], "");
                    prop_assert!(answer.is_ok());
                }
                Act::Leave(who) => {
                    synthetic.call.leave(now, users[who]).unwrap();
                }
                Act::End(who) => {
                    synthetic.call.send_event(now, fabrics[who], AppEvent::Terminated).unwrap();
                }
            }
            let found = fabrics.iter().filter(|&&fabric| synthetic.call.fabric(fabric).unwrap().is_dominant_speaker());
            prop_assert!(found.count() <= 1);
        }
        if let Some(talk) = synthetic.call.summary().talk {
            prop_assert!(talk.overlap_s <= talk.speech_s && talk.speech_s + talk.silence_s <= talk.known_s + 1e-6);
            for speaker in &talk.speakers {
                prop_assert!(speaker.overlap_s <= speaker.talk_s && speaker.talk_s <= talk.known_s);
            }
            for span in talk.dominant.windows(2) {
                prop_assert!(span[0].start_ms <= span[0].end_ms && span[0].start_ms <= span[1].start_ms);
            }
        }
    }
}
