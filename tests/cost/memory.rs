//! Memory of a conference under unlimited input: no more than the limits state.

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::{ErrorReport, WebRtcFunction};
use callgauge::fabric::{Device, SsrcDescription};
use callgauge::fleet::{FleetConfig, FleetLimits};
use callgauge::id::{FabricId, MediaKind, Ssrc, UserId};
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use callgauge::summary::ConferenceSummary;
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{AppEvent, Conference, Config, FabricSpec, Fleet, InputError, Limits};

use crate::counting::{peak, weighed};

/// Samples of each fabric: more than distributions have cells.
const ROUNDS: usize = 40;

/// Sends everything that a client can send, more of each than `limits` admit, repeatedly and with long names; `streams`
/// in each snapshot, and two further streams that change each time.
fn flood(call: &mut Conference, limits: Limits, streams: usize, now: &mut u64) {
    let mut tick = || {
        *now += 100;
        Timestamp::from_micros(*now)
    };
    let bytes = limits.name_bytes();
    let named = |n: usize| format!("{n:x<bytes$}");
    let long = named(0);
    let beyond = format!("{long}x");
    assert_eq!(call.user(&beyond), Err(InputError::InvalidName));
    assert_eq!(call.rename(&beyond), Err(InputError::InvalidName));
    assert_eq!(call.open_fabric(tick(), FabricSpec::new(&beyond)), Err(InputError::InvalidName));
    let users: Vec<UserId> = (0..limits.users() + 1).filter_map(|n| call.user(&named(n)).ok()).collect();
    assert_eq!(users.len(), limits.users());
    // One user stays, so that the conference does not end.
    call.join(tick(), users[0]).unwrap();
    for &user in &users[1..] {
        for _ in 0..limits.stays_per_user() + 1 {
            call.join(tick(), user).unwrap();
            call.leave(tick(), user).unwrap();
        }
    }
    let fabrics: Vec<FabricId> = (0..limits.fabrics() + 1)
        .filter_map(|n| {
            let spec = FabricSpec::new(&named(n)).with_local_user(users[n % users.len()]);
            call.open_fabric(tick(), spec).ok()
        })
        .collect();
    assert_eq!(fabrics.len(), limits.fabrics());
    let text = "y".repeat(30_000);
    let device = Device { id: &text, kind: &text, group: &text, label: &text };
    let devices = vec![device; limits.devices() + 1];
    // Associations per fabric, so that all fabrics together have too many.
    let associations = limits.ssrcs_per_fabric().min(2 * limits.ssrcs() / limits.fabrics());
    let (mut report, mut refused) = (Report::new(), 0);
    for round in 0..ROUNDS {
        for (nth, &fabric) in fabrics.iter().enumerate() {
            fill(&mut report, round, streams);
            refused += u32::from(call.ingest(tick(), fabric, &report).is_err());
            let user = users[(nth + round) % users.len()];
            let mut handle = call.fabric(fabric).unwrap();
            for n in 0..associations / ROUNDS + 1 {
                let ssrc = Ssrc::new((n + round * associations) as u32);
                let _ = handle.describe(SsrcDescription::new(ssrc).with_cname(&long).with_msid(&long));
                let _ = handle.associate(ssrc, user, &long);
                let _ = handle.associate(Ssrc::new(n as u32), user, &long);
            }
            for event in [AppEvent::ActiveDevices(&devices), AppEvent::ConnectedDevices(&devices)] {
                call.send_event(tick(), fabric, event).unwrap();
            }
            let _ = call.send_event(tick(), fabric, AppEvent::AudioMute(Some(Ssrc::new(round as u32))));
            let error = ErrorReport::new(WebRtcFunction::ALL[0]).with_dom_error(&text, &text);
            call.report_error(tick(), Some(fabric), error).unwrap();
            let _ = call.feedback(Some(user), Some(fabric), Feedback::new(FeedbackRating::BEST).with_comment(&text));
        }
    }
    assert_eq!(refused, 0);
}

fn config(limits: Limits) -> Config {
    Config::new().with_limits(limits).with_device_labels(true)
}

/// A fabric's sample of audio and video, with the inputs of all detectors and many further entries.
fn fill(report: &mut Report, round: usize, streams: usize) {
    let (at, long) = (StatTime::from_millis(1e12 + 4_000.0 * round as f64), "x".repeat(1_000));
    // Every interval has figures of its own, so that distributions fill up.
    let grown = 1.25_f64.powi(round as i32);
    report.clear();
    for stream in 0..streams + 2 {
        let ssrc = if stream < streams { stream } else { stream + 10_000 * (round + 1) };
        let kind = if stream % 3 == 0 { StatsType::OutboundRtp } else { StatsType::InboundRtp };
        let bad = round / 3 % 2;
        report
            .push(kind, &format!("S{ssrc}"))
            .set_timestamp(at)
            .set_media(if stream % 4 < 2 { MediaKind::Audio } else { MediaKind::Video })
            .set(Num::Ssrc, ssrc as f64)
            .set(Num::PacketsReceived, 100.0 * round as f64)
            .set(Num::PacketsSent, 100.0 * round as f64)
            .set(Num::BytesReceived, 1e4 * grown)
            .set(Num::BytesSent, 1e4 * grown)
            .set(Num::PacketsLost, grown)
            .set(Num::TotalAudioEnergy, grown / 1e4)
            .set(Num::TotalSamplesDuration, 4.0 * round as f64)
            .set(Num::TotalSamplesReceived, 192_000.0 * round as f64)
            .set(Num::ConcealedSamples, 25.0 * grown)
            .set(Num::JitterBufferDelay, grown)
            .set(Num::JitterBufferEmittedCount, 192_000.0 * round as f64)
            .set(Num::FramesDecoded, 100.0 * round as f64)
            .set(Num::FramesEncoded, 100.0 * round as f64)
            .set(Num::FramesPerSecond, 60.0 / grown)
            .set(Num::QpSum, grown)
            .set(Num::FreezeCount, (round / 2) as f64)
            .set(Num::TotalFreezesDuration, 2.0 * (round / 2) as f64)
            .set(Num::Jitter, if bad == 1 { 0.5 / grown } else { 1e-6 * grown })
            .set_text(Text::DecoderImplementation, if bad == 1 { "NullVideoDecoder" } else { "x" })
            .set_text(Text::CodecId, "C")
            .set_text(Text::TrackIdentifier, &long)
            .set_text(Text::Mid, &long);
        let remote = if stream % 3 == 0 { StatsType::RemoteInboundRtp } else { StatsType::RemoteOutboundRtp };
        report
            .push(remote, &format!("R{ssrc}"))
            .set_timestamp(at)
            .set(Num::Ssrc, ssrc as f64)
            .set(Num::RoundTripTime, grown / 1e3)
            .set(Num::PacketsLost, grown);
    }
    report.push(StatsType::Codec, "C").set_text(Text::MimeType, &long).set_text(Text::SdpFmtpLine, &long);
    report
        .push(StatsType::CandidatePair, &long)
        .set_timestamp(at)
        .set_flag(Flag::Nominated, true)
        .set_text(Text::State, "succeeded")
        .set(Num::BytesReceived, 1e4 * round as f64)
        .set(Num::CurrentRoundTripTime, grown / 1e3);
    for n in 0..if round == 1 { 8_000 } else { 0 } {
        report.push(StatsType::MediaSource, &format!("M{n}")).set_media(MediaKind::Audio);
    }
}

/// Asserts that the flood reached every limit that a summary reports.
fn check_full(summary: &ConferenceSummary, limits: Limits) {
    let streams: usize = summary.fabrics.iter().map(|fabric| fabric.streams.len()).sum();
    assert_eq!((summary.fabrics.len(), summary.users.len()), (limits.fabrics(), limits.users()));
    assert_eq!(streams, limits.streams());
    assert!(summary.fabrics.iter().all(|fabric| fabric.refused_streams > 0));
    for fabric in &summary.fabrics {
        let devices = [fabric.active_devices.len(), fabric.connected_devices.len()];
        assert_eq!(devices, [limits.devices(); 2]);
    }
    assert!(summary.users[1..].iter().all(|user| user.stays.len() == limits.stays_per_user()));
    assert_eq!((summary.events.len(), summary.feedback.len()), (limits.timeline(), limits.feedback()));
    assert!(summary.refused_events > 0 && summary.refused_errors > 0);
    let diagnoses = limits.diagnoses().min(limits.fabrics() * limits.diagnoses_per_fabric());
    assert_eq!((summary.diagnoses.len(), summary.refused_diagnoses > 0), (diagnoses, true));
    // All talk at once, so that no user holds the floor: turns take 12 bytes each.
    assert!(summary.talk.as_ref().unwrap().speakers.len() > limits.speakers() / 2);
}

/// Floods a conference and takes its summary. Returns the bytes held, and the maximum including the summary.
fn flooded(limits: Limits, streams: usize) -> (i64, i64) {
    let (call, _, held) = weighed(|| {
        let mut call = Conference::new("flood", config(limits));
        flood(&mut call, limits, streams, &mut 0);
        call
    });
    let mut summary = None;
    let most = held + peak(|| summary = Some(call.summary()));
    check_full(summary.as_ref().unwrap(), limits);
    println!("{} KiB of state, {} KiB at most with the summary", held / 1_024, most / 1_024);
    (held, most)
}

#[test]
fn sdk_limits_hold_state_and_summary_below_24_mib() {
    let (held, most) = flooded(Limits::sdk(), 64);
    assert!(held > 1 << 20 && most < 24 << 20, "{held} {most}");
}

#[test]
fn default_limits_bound_state_and_summary_as_documented() {
    let limits = Limits::new();
    let (held, most) = flooded(limits, limits.streams() / limits.fabrics());
    assert!(held < 192 << 20 && most < 352 << 20, "{held} {most}");
}

/// A small fleet: see [`FleetLimits`].
const SMALL: FleetLimits = FleetLimits::new()
    .with_conferences(4)
    .with_pending_summaries(2)
    .with_windows(2)
    .with_labels(32)
    .with_labels_per_conference(8);

#[test]
fn fleet_memory_stays_within_its_limits() {
    let mut refused = 0;
    let most = peak(|| {
        let mut fleet = Fleet::new(FleetConfig::new().with_conference(config(Limits::sdk())).with_limits(SMALL));
        let mut now = 0;
        for wave in 0..4 {
            for nth in 0..2 * SMALL.conferences() {
                let id = format!("{:x<256}", wave * 100 + nth);
                let Ok(mut call) = fleet.enter(Timestamp::from_micros(now), &id) else { continue };
                for label in 0..2 * SMALL.labels() {
                    let _ = call.label(&format!("key{label}"), &format!("{:x<110}", wave * 100 + nth));
                }
                flood(&mut call, Limits::sdk(), 64, &mut now);
            }
            now += 200_000_000;
            fleet.handle_timeout(Timestamp::from_micros(now));
            // No output is polled before others were refused.
            if wave % 2 == 1 {
                assert_eq!(std::iter::from_fn(|| fleet.poll_ended()).count(), SMALL.conferences());
                assert!(fleet.poll_rollup().is_some() && fleet.poll_rollup().is_none());
            }
        }
        refused = fleet.refused().conferences;
    });
    println!("{} KiB at most of a fleet", most / 1_024);
    assert_eq!(refused, 2 * 4 + 2 * 8);
    assert!(most > 8 << 20 && most < 64 << 20, "{most}");
}

/// What an event that is no interval takes in a queue.
const EVENT_BYTES: i64 = 328;

#[test]
fn fleet_adds_under_256_bytes_per_conference() {
    const MANY: usize = 4_096;
    let ids: Vec<String> = (0..MANY).map(|number| format!("conference-{number:05}")).collect();
    let start = Timestamp::from_millis(0);
    let open = |call: &mut Conference| {
        let users = ["alice", "bob"].map(|name| call.user(name).unwrap());
        for user in users {
            call.open_fabric(start, FabricSpec::new("pc").with_local_user(user)).unwrap();
        }
        while call.poll_event().is_some() {}
    };
    let (alone, _, held) = weighed(|| {
        let mut alone: Vec<Conference> = Vec::with_capacity(MANY);
        alone.extend(ids.iter().map(|id| Conference::new(id, Config::new())));
        alone.iter_mut().for_each(open);
        alone
    });
    let (fleet, _, routed) = weighed(|| {
        let mut fleet = Fleet::default();
        for id in &ids {
            let mut call = fleet.enter(start, id).unwrap();
            open(&mut call);
            call.label("region", "eu").unwrap();
        }
        fleet
    });
    // Each single conference has a queue of its own, with capacity for four events; a fleet has one.
    let bare = held - MANY as i64 * 4 * EVENT_BYTES;
    assert_eq!((alone.len(), fleet.len()), (MANY, MANY));
    let added = (routed - bare) / MANY as i64;
    println!("a fleet adds {added} bytes to the {} of a conference", bare / MANY as i64);
    assert!((0..256).contains(&added), "{added} bytes");
}
