//! Synthetic healthy calls, which must have no diagnosis.

use serde_json::json;

use super::synthetic::{between, is_wrong, play_late};
use super::world::{END_S, FROM_S, TO_S, World, play};

/// Lowers the bitrate of the received video to `bytes` per second.
fn send_less(world: &mut World, bytes: f64) {
    if world.s == FROM_S {
        world.grow("IV", "bytesReceived", bytes);
    }
}

/// A name and a change to the world that leaves the call healthy.
type Healthy = (&'static str, fn(&mut World));

const HEALTHY: &[Healthy] = &[
    ("clean", |_| {}),
    ("the remote endpoint pauses and reports it", |world| {
        between(world, |world| {
            for id in ["IA", "IV", "GA", "GV"] {
                world.stop(id);
            }
            world.grow("IA", "totalSamplesReceived", 48_000.0);
        });
    }),
    ("a server forwards no media without notice", |world| {
        between(world, |world| {
            for id in ["IA", "IV"] {
                world.stop(id);
            }
            world.grow("IA", "totalSamplesReceived", 48_000.0);
            world.reports.retain(|&id, _| !id.starts_with('G'));
            world.grow("P", "bytesReceived", 50.0);
        });
    }),
    ("muted by a disabled track without an application event", |world| {
        between(world, |world| world.grow("SA", "totalAudioEnergy", 0.0));
    }),
    ("on hold", |world| {
        between(world, |world| {
            for id in ["IA", "IV", "OA", "OV", "GA", "GV", "HA", "HV"] {
                world.stop(id);
                world.reports.remove(id);
            }
        });
    }),
    ("only a camera, off for a minute, with two seconds until its first report", |world| {
        world.gone = vec!["OA", "SA", "HA"];
        match world.s {
            FROM_S => {
                world.stop("OV");
                world.set("OV", "active", false);
                world.reports.remove("HV");
            }
            TO_S => {
                world.mend();
                world.reports.remove("HV");
            }
            s if s == TO_S + 2 => world.mend(),
            _ => {}
        }
        world.gone = vec!["OA", "SA", "HA"];
    }),
    ("all sending stops for a minute without notice", |world| match world.s {
        FROM_S => {
            for id in ["OA", "OV", "HA", "HV"] {
                world.stop(id);
                world.reports.remove(id);
            }
        }
        TO_S => {
            world.mend();
            world.reports.remove("HA");
            world.reports.remove("HV");
        }
        s if s == TO_S + 5 => world.mend(),
        _ => {}
    }),
    ("a server sends a smaller video, and one round trip is long", |world| {
        let is_long = (FROM_S..FROM_S + 3).contains(&world.s);
        send_less(world, 25_000.0);
        world.set("P", "currentRoundTripTime", if is_long { 0.085 } else { 0.05 });
    }),
    ("a server sends a smaller video, and a queue builds up half a minute later", |world| {
        let is_long = (60..64).contains(&world.s);
        send_less(world, 25_000.0);
        world.set("P", "currentRoundTripTime", if is_long { 0.08 + f64::from(world.s % 3) / 1e3 } else { 0.05 });
    }),
    ("the application sends a smaller video, and a queue builds up later", |world| {
        world.forget("P", "availableOutgoingBitrate");
        if world.s == FROM_S {
            world.grow("OV", "bytesSent", 25_000.0);
        }
        let is_long = (40..44).contains(&world.s);
        world.set("P", "currentRoundTripTime", if is_long { 0.085 + f64::from(world.s % 3) / 1e3 } else { 0.05 });
    }),
    ("three of five videos are paused, and a queue builds up later", |world| {
        const MORE: [(&str, u32); 4] = [("IV2", 12), ("IV3", 13), ("IV4", 14), ("IV5", 15)];
        for (index, (id, ssrc)) in MORE.into_iter().enumerate() {
            if world.s == 1 {
                world.add(id, json!({"type": "inbound-rtp", "kind": "video", "ssrc": ssrc, "packetsLost": 0}));
                for (field, rate) in [("packetsReceived", 100.0), ("bytesReceived", 1e5), ("framesDecoded", 25.0)] {
                    world.grow(id, field, rate);
                }
            } else if world.s == FROM_S && index > 0 {
                world.stop(id);
            }
        }
        let is_long = (45..49).contains(&world.s);
        world.set("P", "currentRoundTripTime", if is_long { 0.085 + f64::from(world.s % 3) / 1e3 } else { 0.05 });
    }),
    ("alone", |world| world.gone = vec!["IA", "IV", "GA", "GV", "HA", "HV"]),
    ("alone for a while, with a server", |world| {
        between(world, |world| world.gone = vec!["IA", "IV", "GA", "GV"]);
    }),
    ("discontinuous transmission", |world| {
        between(world, |world| {
            world.grow("IA", "packetsReceived", 2.5);
            world.grow("IA", "bytesReceived", 20.0);
            world.grow("IA", "totalAudioEnergy", 1e-9);
            world.grow("GA", "packetsSent", 2.5);
        });
    }),
    ("a static screen", |world| {
        if world.s == FROM_S {
            world.set("IV", "contentType", "screenshare");
            world.set("OV", "contentType", "screenshare");
            for (id, frames) in [("IV", ["framesReceived", "framesDecoded"]), ("OV", ["framesSent", "framesEncoded"])] {
                frames.into_iter().for_each(|field| world.grow(id, field, 0.2));
                world.grow(id, if id == "IV" { "bytesReceived" } else { "bytesSent" }, 2_000.0);
            }
        }
    }),
    ("a static screen that is not marked as a screen", |world| {
        between(world, |world| {
            world.grow("IV", "framesReceived", 1.0);
            world.grow("IV", "framesDecoded", 1.0);
            world.grow("IV", "bytesReceived", 2_000.0);
        });
    }),
    ("a server leaves out a layer of frames", |world| {
        between(world, |world| {
            world.grow("IV", "framesReceived", 10.0);
            world.grow("IV", "framesDecoded", 10.0);
        });
    }),
    ("the application caps the frame rate", |world| {
        world.grow("OV", "framesSent", 10.0);
        world.grow("OV", "framesEncoded", 10.0);
    }),
    ("a former speaker listens in a quiet room", |world| {
        between(world, |world| world.grow("SA", "totalAudioEnergy", 1e-8));
    }),
    ("an echo canceller without measurements", |world| {
        world.set("SA", "echoReturnLoss", -30.0);
        world.set("SA", "echoReturnLossEnhancement", 0.175_512_032_020_710_75);
    }),
    ("a weak echo canceller while the far end is silent", |world| {
        world.set("SA", "echoReturnLoss", 12.0);
        world.set("SA", "echoReturnLossEnhancement", 8.0);
        world.set("HA", "roundTripTime", 0.1);
        world.grow("IA", "totalAudioEnergy", 1e-6);
    }),
    ("audio a little late", |world| play_late(world, if is_wrong(world) { 350.0 } else { 200.0 }, 200.0)),
    ("the path changes once", |world| between(world, |world| world.set("P", "currentRoundTripTime", 0.02))),
    ("a connection that probes for its best path", |world| {
        if world.s == 1 {
            for id in ["Q", "O"] {
                world.add(
                    id,
                    json!({"type": "candidate-pair", "state": "succeeded", "nominated": true,
                    "currentRoundTripTime": 0.05, "localCandidateId": "L", "remoteCandidateId": "R"}),
                );
            }
        }
        let path = match world.s {
            0..3 => "P",
            3..6 => "Q",
            6..9 => "O",
            _ => "P",
        };
        world.set("T", "selectedCandidatePairId", path);
    }),
    ("a browser that counts no responses to its checks, while the remote endpoint pauses", |world| {
        world.grow("P", "responsesReceived", 0.0);
        between(world, |world| {
            for id in ["IA", "IV", "GA", "GV"] {
                world.stop(id);
                world.reports.remove(id);
            }
            world.grow("IA", "totalSamplesReceived", 48_000.0);
            world.grow("P", "bytesReceived", 50.0);
        });
        world.grow("P", "responsesReceived", 0.0);
    }),
    ("a relay over UDP", |world| {
        world.set("L", "candidateType", "relay");
        world.set("L", "relayProtocol", "udp");
    }),
];

#[test]
fn healthy_call_has_no_diagnosis() {
    let mut wrong = Vec::new();
    for (name, change) in HEALTHY {
        let (events, summary) = play(
            |world| {
                change(world);
                true
            },
            None,
        );
        assert_eq!(summary.fabrics[0].snapshots, u64::from(END_S), "{name}");
        wrong.extend(events.into_iter().map(|event| format!("{name}: {event:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
