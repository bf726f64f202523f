//! Problems that no recording shows, in synthetic calls: each kind is raised once, in time, with the right start, and
//! cleared in time.

use std::collections::BTreeSet;

use callgauge::AppEvent;
use callgauge::diagnosis::{Kind, Severity};
use callgauge::id::Ssrc;

use super::world::{Case, FROM_S, TO_S, World, play};
use super::{Change, DOWN, UP};

/// Applies `change` when the problem begins, and repairs the world when it ends.
pub(crate) fn between(world: &mut World, change: fn(&mut World)) {
    match world.s {
        FROM_S => change(world),
        TO_S => world.mend(),
        _ => {}
    }
}

/// Sets the capture times of the played audio and video.
pub(crate) fn play_late(world: &mut World, sound_ms: f64, picture_ms: f64) {
    let now_ms = 1.7e12 + f64::from(world.s) * 1e3;
    world.set("IA", "estimatedPlayoutTimestamp", now_ms - sound_ms);
    world.set("IV", "estimatedPlayoutTimestamp", now_ms - picture_ms);
}

pub(crate) fn is_wrong(world: &World) -> bool {
    (FROM_S..TO_S).contains(&world.s)
}

const CASE: Case = Case {
    kind: Kind::NoMedia,
    side: None,
    raised: 0..=0,
    over: None,
    from: FROM_S - 1..=FROM_S,
    change: |_| {},
    act: None,
    with: &[],
};

const CASES: &[Case] = &[
    Case {
        kind: Kind::NoMedia,
        side: DOWN,
        raised: 31..=34,
        over: Some(90..=92),
        change: |world| between(world, World::cut),
        with: &[Kind::RtcpTimeout],
        ..CASE
    },
    // Connectivity checks do not count as media.
    Case {
        kind: Kind::NoMedia,
        side: DOWN,
        raised: 39..=42,
        over: Some(90..=92),
        change: |world| {
            between(world, World::cut);
            world.forget("P", "requestsSent");
        },
        with: &[Kind::RtcpTimeout],
        ..CASE
    },
    Case {
        kind: Kind::OneWayMedia,
        side: DOWN,
        raised: 35..=42,
        over: Some(90..=92),
        change: |world| {
            between(world, |world| {
                world.grow("IA", "packetsReceived", 0.0);
                world.grow("IA", "bytesReceived", 0.0);
            });
        },
        ..CASE
    },
    Case {
        kind: Kind::MediaTimeout,
        side: UP,
        raised: 40..=46,
        from: 30..=35,
        over: Some(90..=96),
        change: |world| between(world, |world| world.grow("HA", "packetsReceived", 0.0)),
        ..CASE
    },
    // The reports have no packet counts.
    Case {
        kind: Kind::MediaTimeout,
        side: UP,
        raised: 55..=62,
        from: 25..=30,
        over: Some(90..=96),
        change: |world| {
            world.forget("HA", "packetsReceived");
            between(world, |world| world.reports.retain(|&id, _| id != "HA"));
        },
        ..CASE
    },
    Case {
        kind: Kind::RtcpTimeout,
        raised: 59..=61,
        over: Some(90..=91),
        change: |world| between(world, |world| world.reports.clear()),
        ..CASE
    },
    // The microphone gives only its own noise.
    Case {
        kind: Kind::SilentMicrophone,
        side: UP,
        raised: 30..=33,
        from: 0..=2,
        over: Some(90..=92),
        change: |world| {
            if world.s == 1 {
                world.grow("SA", "totalAudioEnergy", 1e-8);
            }
            if world.s == TO_S {
                world.mend();
            }
        },
        ..CASE
    },
    // The microphone gives digital silence although the application says that it is not muted.
    Case {
        kind: Kind::SilentMicrophone,
        side: UP,
        raised: 59..=62,
        over: Some(90..=92),
        change: |world| between(world, |world| world.grow("SA", "totalAudioEnergy", 0.0)),
        act: Some(|s, call, fabric, now| {
            if s == 10 {
                call.send_event(now, fabric, AppEvent::AudioMute(None)).unwrap();
            } else if s == 20 {
                call.send_event(now, fabric, AppEvent::AudioUnmute(None)).unwrap();
            }
        }),
        with: &[Kind::SpeakingWhileMuted],
        ..CASE
    },
    Case {
        kind: Kind::SpeakingWhileMuted,
        side: UP,
        raised: 32..=36,
        from: 29..=33,
        over: Some(90..=92),
        act: Some(|s, call, fabric, now| {
            if s == FROM_S {
                call.send_event(now, fabric, AppEvent::AudioMute(None)).unwrap();
            } else if s == TO_S {
                call.send_event(now, fabric, AppEvent::AudioUnmute(None)).unwrap();
            }
        }),
        ..CASE
    },
    Case {
        kind: Kind::SpeakingWhileMuted,
        side: UP,
        raised: 32..=36,
        from: 29..=33,
        over: Some(90..=92),
        change: |world| {
            between(world, |world| {
                world.stop("OA");
                world.set("OA", "active", false);
            });
        },
        ..CASE
    },
    Case {
        kind: Kind::Echo,
        side: UP,
        raised: 31..=40,
        over: Some(90..=105),
        change: |world| {
            let (loss, enhancement) = if is_wrong(world) { (5.0, 3.0) } else { (30.0, 25.0) };
            world.set("SA", "echoReturnLoss", loss);
            world.set("SA", "echoReturnLossEnhancement", enhancement);
        },
        ..CASE
    },
    // Video is late.
    Case {
        kind: Kind::AvOutOfSync,
        side: DOWN,
        raised: 35..=45,
        over: Some(90..=120),
        change: |world| play_late(world, 200.0, if is_wrong(world) { 600.0 } else { 200.0 }),
        ..CASE
    },
    Case {
        kind: Kind::IceDisrupted,
        raised: 33..=36,
        over: Some(90..=91),
        change: |world| {
            between(world, World::cut);
            between(world, |world| world.set("T", "iceState", "disconnected"));
        },
        with: &[Kind::NoMedia, Kind::RtcpTimeout],
        ..CASE
    },
    Case {
        kind: Kind::ConnectionDropped,
        raised: 30..=33,
        from: 28..=32,
        over: Some(90..=92),
        change: |world| {
            between(world, World::cut);
            between(world, |world| world.set("T", "iceState", "failed"));
        },
        with: &[Kind::NoMedia, Kind::RtcpTimeout, Kind::IceDisrupted],
        ..CASE
    },
    // A failed set-up is severe however soon it fails.
    Case {
        kind: Kind::ConnectionFailed,
        raised: 3..=4,
        from: 1..=3,
        change: |world| {
            world.gone = vec!["P", "IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"];
            world.set("T", "iceState", if world.s < 3 { "checking" } else { "failed" });
        },
        ..CASE
    },
    Case {
        kind: Kind::ConnectionFailed,
        raised: 3..=4,
        from: 1..=3,
        over: Some(10..=12),
        change: |world| {
            world.gone =
                if world.s < 10 { vec!["P", "IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"] } else { Vec::new() };
            world.set(
                "T",
                "dtlsState",
                if world.s < 3 {
                    "connecting"
                } else if world.s < 10 {
                    "failed"
                } else {
                    "connected"
                },
            );
        },
        ..CASE
    },
    Case {
        kind: Kind::IceFlapping,
        raised: 35..=50,
        from: 29..=34,
        over: Some(90..=120),
        change: |world| {
            let is_down = is_wrong(world) && world.s % 8 < 3;
            world.set("T", "iceState", if is_down { "disconnected" } else { "connected" });
        },
        ..CASE
    },
    Case {
        kind: Kind::RelayOverTcp,
        raised: 2..=3,
        from: 1..=2,
        change: |world| {
            world.set("L", "candidateType", "relay");
            world.set("L", "relayProtocol", "tcp");
        },
        ..CASE
    },
    Case {
        kind: Kind::SlowSetup,
        raised: 6..=7,
        from: 1..=1,
        over: Some(12..=13),
        change: |world| {
            world.gone =
                if world.s < 12 { vec!["P", "IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"] } else { Vec::new() };
            world.set("T", "iceState", if world.s < 12 { "checking" } else { "connected" });
        },
        ..CASE
    },
    // The connection fails, which ends the time to connect.
    Case {
        kind: Kind::SlowSetup,
        raised: 6..=7,
        from: 1..=1,
        over: Some(16..=18),
        change: |world| {
            world.gone = vec!["P", "IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"];
            world.set("T", "iceState", if world.s < 16 { "checking" } else { "failed" });
        },
        with: &[Kind::ConnectionFailed],
        ..CASE
    },
    Case {
        kind: Kind::ClockSkew,
        raised: 60..=91,
        from: 30..=90,
        // The clock runs 5 % fast.
        change: |world| world.ahead_ms = f64::from(world.s.saturating_sub(FROM_S)) * 50.0,
        ..CASE
    },
    Case {
        kind: Kind::StuckDecoder,
        side: DOWN,
        raised: 33..=40,
        from: 29..=32,
        over: Some(90..=93),
        change: |world| {
            between(world, |world| {
                world.grow("IV", "framesDecoded", 0.0);
                world.grow("IV", "pliCount", 1.0);
            });
        },
        with: &[Kind::FrozenVideo, Kind::LowFrameRate, Kind::KeyFrameStorm],
        ..CASE
    },
    Case {
        kind: Kind::NullDecoder,
        side: DOWN,
        raised: 30..=31,
        over: Some(98..=102),
        change: |world| between(world, |world| world.set("IV", "decoderImplementation", "NullVideoDecoder")),
        ..CASE
    },
    // A decoder name that changes with every sample still gives one diagnosis.
    Case {
        kind: Kind::NullDecoder,
        side: DOWN,
        raised: 30..=31,
        over: Some(98..=102),
        change: |world| {
            let is_null = is_wrong(world) && world.s.is_multiple_of(2);
            world.set("IV", "decoderImplementation", if is_null { "NullVideoDecoder" } else { "libvpx" });
        },
        ..CASE
    },
    Case {
        kind: Kind::KeyFrameStorm,
        side: DOWN,
        raised: 40..=60,
        over: Some(90..=115),
        change: |world| between(world, |world| world.grow("IV", "pliCount", 1.0)),
        ..CASE
    },
    Case {
        kind: Kind::LowResolution,
        side: DOWN,
        raised: 40..=60,
        over: Some(90..=115),
        change: |world| {
            between(world, |world| {
                world.grow("IV", "bytesReceived", 1e6);
                world.grow("IV", "packetsReceived", 900.0);
            });
        },
        ..CASE
    },
    Case {
        kind: Kind::LowFrameRate,
        side: DOWN,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| between(world, |world| world.grow("IV", "framesDecoded", 5.0)),
        ..CASE
    },
    Case {
        kind: Kind::LowFrameRate,
        side: UP,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| between(world, |world| world.grow("OV", "framesSent", 5.0)),
        ..CASE
    },
    Case {
        kind: Kind::LowFrameRate,
        side: UP,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| {
            between(world, |world| {
                world.grow("OV", "framesSent", 5.0);
                world.grow("OV", "framesEncoded", 5.0);
                world.grow("OV", "limited.bandwidth", 1.0);
                world.grow("OV", "limited.none", 0.0);
            });
        },
        ..CASE
    },
    Case {
        kind: Kind::RoboticVoice,
        side: DOWN,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| between(world, |world| world.grow("IA", "insertedSamplesForDeceleration", 6_000.0)),
        ..CASE
    },
    Case {
        kind: Kind::CpuLimitedSender,
        side: UP,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| {
            between(world, |world| {
                world.grow("OV", "limited.cpu", 0.8);
                world.grow("OV", "limited.none", 0.2);
            });
        },
        ..CASE
    },
    Case {
        kind: Kind::CpuLimitedReceiver,
        side: DOWN,
        raised: 33..=40,
        over: Some(90..=105),
        change: |world| {
            between(world, |world| {
                world.grow("IV", "framesDropped", 15.0);
                world.grow("IV", "framesDecoded", 10.0);
            });
        },
        with: &[Kind::LowFrameRate],
        ..CASE
    },
];

#[test]
fn each_kind_is_raised_once_and_cleared_in_time() {
    for (number, case) in CASES.iter().enumerate() {
        let name = format!("case {number}, {:?}", case.kind);
        let (events, summary) = play(
            |world| {
                (case.change)(world);
                true
            },
            case.act,
        );
        let is_it = |event: &&super::DiagnosisEvent| event.3.kind == case.kind && event.3.side == case.side;
        let raised: Vec<_> = events.iter().filter(is_it).filter(|event| event.2 == Change::Raised).collect();
        assert_eq!(raised.len(), 1, "{name}: {events:#?}");
        let seconds = |s: f64| s as u32;
        assert!(case.raised.contains(&seconds(raised[0].0)), "{name}: raised at {}", raised[0].0);
        let from = (raised[0].3.from.as_millis() - 1.7e12) / 1e3;
        assert!(case.from.contains(&seconds(from.round())), "{name}: from {from}");
        let over = events.iter().filter(is_it).find(|event| event.2 == Change::Cleared).map(|event| seconds(event.0));
        assert_eq!(over.is_some(), case.over.is_some(), "{name}: {over:?}");
        assert!(over.is_none_or(|over| case.over.clone().unwrap().contains(&over)), "{name}: over at {over:?}");
        let others: BTreeSet<Kind> =
            events.iter().map(|event| event.3.kind).filter(|&kind| kind != case.kind).collect();
        assert!(others.iter().all(|kind| case.with.contains(kind)), "{name}: {others:?}");
        assert!(events.iter().filter(is_it).filter(|event| event.2 == Change::Cleared).count() <= 1, "{name}");
        // The expected diagnosis comes first, or right after its cause; the others are its effects or are unrelated.
        let place = summary.diagnoses.iter().position(|diagnosis| diagnosis.kind == case.kind).unwrap();
        let it = &summary.diagnoses[place];
        assert!(place == 0 || place == 1 && it.follows == Some(0), "{name}: {:#?}", summary.diagnoses);
        assert!(raised[0].3.evidence.get(case.kind.figure()).is_some(), "{name}");
        assert!(it.sentence.contains("alice"), "{name}: {}", it.sentence);
    }
}

#[test]
fn loss_after_silence_counts_the_packets_of_its_own_time() {
    let (_, summary) = play(
        |world| {
            match world.s {
                30 => {
                    world.stop("IV");
                    world.stop("IA");
                    world.grow("IA", "totalSamplesReceived", 48_000.0);
                }
                40 => {
                    world.grow("IV", "packetsReceived", 500.0);
                    world.set("IV", "packetsLost", 1_000);
                }
                41 => world.grow("IV", "packetsReceived", 100.0),
                _ => {}
            }
            true
        },
        None,
    );
    let loss = summary.diagnoses.iter().find(|diagnosis| diagnosis.kind == Kind::HighLoss).unwrap();
    assert_eq!(loss.evidence["lost_packets"].round(), 1_000.0);
    assert!(loss.evidence.get("burst_factor").is_none_or(|&factor| factor < 500.0), "{:?}", loss.evidence);
}

#[test]
fn media_missing_in_two_streams_of_a_sender_is_raised_once() {
    let (events, summary) = play(
        |world| {
            if world.s == FROM_S {
                for id in ["IA", "IV"] {
                    world.grow(id, "packetsReceived", 0.0);
                    world.grow(id, "bytesReceived", 0.0);
                }
                world.grow("IV", "framesReceived", 0.0);
                world.grow("IV", "framesDecoded", 0.0);
            }
            if world.s == 50 {
                // Packets lost in the silence are counted when packets arrive again.
                for (id, lost) in [("IA", 3_000.0), ("IV", 6_000.0)] {
                    world.grow(id, "packetsLost", lost);
                }
                world.mend();
            }
            if world.s == 51 {
                world.grow("IA", "packetsLost", 0.0);
                world.grow("IV", "packetsLost", 0.0);
            }
            true
        },
        None,
    );
    let raised = |kind: Kind| events.iter().filter(|event| event.2 == Change::Raised && event.3.kind == kind).count();
    assert_eq!((raised(Kind::OneWayMedia), raised(Kind::HighLoss)), (2, 1), "{events:#?}");
    let roots: Vec<_> = summary.diagnoses.iter().filter(|diagnosis| diagnosis.follows.is_none()).collect();
    assert_eq!(roots.len(), 1, "{:#?}", summary.diagnoses);
    assert_eq!((roots[0].kind, roots[0].ssrc.map(Ssrc::get)), (Kind::OneWayMedia, Some(1)));
}

#[test]
fn failed_connection_is_raised_with_the_time_before_it() {
    let (_, summary) = play(
        |world| {
            world.gone = vec!["P", "IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"];
            world.set("T", "iceState", if world.s < 16 { "checking" } else { "failed" });
            true
        },
        None,
    );
    let sentence = &summary.diagnoses[0].sentence;
    assert!(sentence.contains("ICE found no path within 15.0 s"), "{sentence}");
}

#[test]
fn silent_microphone_is_a_warning_only_after_an_unmute() {
    let unmutes: super::world::Act = |s, call, fabric, now| match s {
        1 => drop(call.send_event(now, fabric, AppEvent::AudioMute(None)).unwrap()),
        2 => drop(call.send_event(now, fabric, AppEvent::AudioUnmute(None)).unwrap()),
        _ => {}
    };
    for (act, severity) in [(None, Severity::Notice), (Some(unmutes), Severity::Warning)] {
        let (_, summary) = play(
            |world| {
                world.grow("SA", "totalAudioEnergy", if world.s < 45 { 9e-8 } else { 0.001 });
                true
            },
            act,
        );
        let silent: Vec<_> =
            summary.diagnoses.iter().filter(|diagnosis| diagnosis.kind == Kind::SilentMicrophone).collect();
        assert_eq!(silent.len(), 1, "{:#?}", summary.diagnoses);
        assert_eq!(silent[0].severity, severity);
        assert!(silent[0].sentence.contains("never rose above noise"), "{}", silent[0].sentence);
    }
}

#[test]
fn clock_step_is_no_gap() {
    let (events, _) = play(
        |world| {
            world.ahead_ms = if world.s < 60 { 0.0 } else { 3.6e6 };
            true
        },
        None,
    );
    assert!(!events.is_empty() && events.iter().all(|event| event.3.kind == Kind::ClockSkew), "{events:#?}");
}

#[test]
fn uncertain_echo_is_a_notice() {
    let (events, summary) = play(
        |world| {
            world.set("SA", "echoReturnLoss", 12.0);
            world.set("SA", "echoReturnLossEnhancement", 8.0);
            world.set("HA", "roundTripTime", 0.1);
            true
        },
        None,
    );
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!((summary.diagnoses[0].kind, summary.diagnoses[0].severity), (Kind::Echo, Severity::Notice));
    assert!(summary.diagnoses[0].sentence.contains("may have returned an echo"), "{}", summary.diagnoses[0].sentence);
}

#[test]
fn diagnosis_of_a_stream_ends_with_the_stream() {
    let (events, summary) = play(
        |world| {
            match world.s {
                FROM_S => {
                    world.grow("IV", "framesDecoded", 0.0);
                    world.grow("IV", "totalFreezesDuration", 1.0);
                }
                50 => world.gone = vec!["IV", "GV"],
                _ => {}
            }
            true
        },
        None,
    );
    let of = |kind: Kind, change: Change| {
        let events = events.iter().find(|event| event.3.kind == kind && event.2 == change);
        events.unwrap_or_else(|| panic!("{kind:?} {change:?}: {events:#?}")).0
    };
    assert!(of(Kind::FrozenVideo, Change::Raised) < 40.0);
    assert!(of(Kind::FrozenVideo, Change::Cleared) <= 81.0);
    for diagnosis in &summary.diagnoses {
        assert_eq!(diagnosis.to_ms, Some(1.7e12 + 49e3), "{}", diagnosis.sentence);
    }
}

#[test]
fn diagnosis_ends_with_its_fabric_or_call() {
    let ends: [super::world::Act; 3] = [
        |s, call, fabric, now| {
            if s == 60 {
                call.send_event(now, fabric, AppEvent::Terminated).unwrap();
            }
        },
        |s, call, _, now| {
            if s == 60 {
                let alice = call.user("alice").unwrap();
                call.leave(now, alice).unwrap();
            }
        },
        |s, call, _, now| {
            if s == 90 {
                call.handle_timeout(now).unwrap();
            }
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let (events, summary) = play(
            |world| {
                if world.s == FROM_S {
                    world.set("P", "currentRoundTripTime", 0.4);
                }
                world.s < 60
            },
            Some(end),
        );
        let changes: Vec<_> = events.iter().map(|event| (event.2, event.3.kind)).collect();
        assert_eq!(changes, [(Change::Raised, Kind::HighRtt), (Change::Cleared, Kind::HighRtt)], "end {number}");
        assert_eq!(summary.diagnoses[0].to_ms, Some(1.7e12 + 59e3), "end {number}");
    }
}

#[test]
fn throttled_tab_is_only_a_gap() {
    let (events, summary) = play(|world| !(41..=60).contains(&world.s), None);
    let changes: Vec<_> = events.iter().map(|event| (event.0, event.2, event.3.kind)).collect();
    assert_eq!(changes, [(61.0, Change::Raised, Kind::StatsGap), (62.0, Change::Cleared, Kind::StatsGap)]);
    assert_eq!(summary.diagnoses[0].evidence["gap_ms"], 21_000.0);
    assert_eq!(summary.diagnoses[0].from_ms, 1.7e12 + 40e3);
}

#[test]
fn every_kind_can_be_raised() {
    let mut found: BTreeSet<Kind> = CASES.iter().map(|case| case.kind).collect();
    found.insert(Kind::StatsGap);
    found.extend(super::table::found());
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !found.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn each_kind_has_ordered_limits_a_source_and_unique_names() {
    let limits = callgauge::diagnosis::Thresholds::new();
    let mut names = BTreeSet::new();
    for &kind in Kind::ALL {
        let limit = limits.of(kind);
        assert!(limit.clear() <= limit.raise() && limit.raise() < limit.severe(), "{kind:?}");
        assert!(kind.source().len() > 20 && kind.figure() != kind.worst_figure(), "{kind:?}");
        assert!(names.insert(kind.name()), "{kind:?}");
    }
}
