//! How many bytes a conference takes when somebody opens everything without end: as many as the limits say, and no more.

#![allow(clippy::unwrap_used)] // a test may fail wherever it stands

mod common;

use callgauge::conference::{Feedback, Rating};
use callgauge::fabric::{Device, ErrorReport, WebRtcFunction};
use callgauge::id::{FabricId, MediaKind, Ssrc, UserId};
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{AppEvent, Conference, Config, Event, FabricSpec, Fleet, Limits};
use common::counting::{self, Counting, peak, weighed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Puts in as much as one client can think of, twice as much as any of `limits` admits, over and over.
fn flood(limits: Limits) -> Conference {
    let mut call =
        Conference::new("flood", Config::new().with_limits(limits).with_device_labels(true).with_stitching(true));
    let long = "x".repeat(limits.name_bytes());
    let mut now = 0;
    let mut tick = || {
        now += 250_000;
        Timestamp::from_micros(now)
    };
    let named = |n: usize| format!("{n}{long}").chars().take(limits.name_bytes()).collect::<String>();
    let users: Vec<UserId> = (0..2 * limits.users()).filter_map(|n| call.user(&named(n)).ok()).collect();
    assert_eq!(users.len(), limits.users());
    let fabrics: Vec<FabricId> = (0..2 * limits.fabrics())
        .filter_map(|n| {
            let spec = FabricSpec::new(&named(n)).with_local_user(users[n % users.len()]);
            call.open_fabric(tick(), spec).ok()
        })
        .collect();
    assert_eq!(fabrics.len(), limits.fabrics());
    let (mut report, mut refused) = (Report::new(), 0);
    let devices = vec![Device { label: long.as_str(), ..Device::default() }; 2 * limits.devices()];
    for round in 0..40_usize {
        for (nth, &fabric) in fabrics.iter().enumerate() {
            report.clear();
            for stream in 0..2 * limits.streams_per_fabric() {
                // Half of them are others each time; sound and pictures, with all that detectors like to see.
                let ssrc = if stream % 2 == 0 { stream } else { stream + 10_000 * round };
                let kind = if stream % 3 == 0 { StatsType::OutboundRtp } else { StatsType::InboundRtp };
                let mut entry = report.push(kind, &format!("S{ssrc}"));
                let bad = round % 2;
                entry
                    .set_timestamp(StatTime::from_millis(1e12 + 4_000.0 * round as f64))
                    .set_media(if stream % 4 < 2 { MediaKind::Audio } else { MediaKind::Video })
                    .set(Num::Ssrc, ssrc as f64)
                    .set(Num::PacketsReceived, 100.0 * round as f64)
                    .set(Num::PacketsSent, 100.0 * round as f64)
                    .set(Num::BytesReceived, 1e4 * round as f64)
                    .set(Num::BytesSent, 1e4 * round as f64)
                    .set(Num::PacketsLost, 50.0 * (round / 2) as f64)
                    .set(Num::TotalAudioEnergy, 0.01 * (round * (nth + 1)) as f64)
                    .set(Num::TotalSamplesDuration, 4.0 * round as f64)
                    .set(Num::Jitter, if bad == 1 { 0.5 } else { 0.0 })
                    .set_text(Text::DecoderImplementation, if bad == 1 { "NullVideoDecoder" } else { "x" })
                    .set_text(Text::Mid, &long);
            }
            refused += u32::from(call.ingest(tick(), fabric, &report).is_err());
            let user = users[(nth + round) % users.len()];
            let mut room = call.fabric(fabric).unwrap();
            for n in 0..2 * limits.ssrcs_per_fabric() / 40 + 1 {
                let ssrc = Ssrc::new((n + round * limits.ssrcs_per_fabric()) as u32);
                let _ = room.associate(ssrc, user, &long);
                let _ = room.associate(Ssrc::new(n as u32), user, &long);
            }
            for event in [AppEvent::ActiveDevices(&devices), AppEvent::AudioMute(Some(Ssrc::new(round as u32)))] {
                let _ = call.send_event(tick(), fabric, event);
            }
            let text = "y".repeat(30_000);
            let _ = call.report_error(
                tick(),
                Some(fabric),
                ErrorReport::new(WebRtcFunction::ALL[0]).with_dom_error("E", &text),
            );
            let rating = Feedback::new(Rating::new(3).unwrap()).with_comment(&text);
            let _ = call.feedback(Some(user), Some(fabric), rating);
            let _ = call.leave(tick(), user);
            let _ = call.join(tick(), user);
        }
    }
    assert_eq!(refused, 0);
    call
}

#[test]
fn an_app_never_spends_more_than_it_is_told() {
    let mut held = 0;
    let peak = peak(|| {
        let call = flood(Limits::sdk());
        held = counting::held();
        // It was a flood: every limit is reached.
        let summary = call.summary();
        assert_eq!((summary.fabrics.len(), summary.users.len()), (16, 64));
        assert!(summary.fabrics.iter().all(|fabric| fabric.refused_streams > 0 && fabric.streams.len() >= 64));
    });
    println!("{} KiB of state, {} KiB at most with the summary", held / 1_024, peak / 1_024);
    assert!(peak > 1 << 20 && peak < 24 << 20, "{peak} bytes");
}

#[test]
fn a_fleet_adds_little_to_each_of_many_conferences() {
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
    // Each of those that are alone has a queue, with room for four events; a fleet has one.
    let bare = held - (MANY * 4 * size_of::<Event>()) as i64;
    assert_eq!((alone.len(), fleet.len()), (MANY, MANY));
    let added = (routed - bare) / MANY as i64;
    println!("a fleet adds {added} bytes to the {} of a conference", bare / MANY as i64);
    assert!((0..256).contains(&added), "{added} bytes");
}
