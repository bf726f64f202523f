//! The owner of the media of an SSRC.

use callgauge::fabric::SsrcDescription;
use callgauge::id::{Direction, Ssrc, StreamKey};
use callgauge::report::{Num, Report, StatsType};
use callgauge::unit::StatTime;
use callgauge::{AppEvent, Config, FabricSpec, InputError, Limits, Outcome};
use proptest::prelude::*;

use super::{Call, at, push, received, sent};

fn users(call: &Call, ssrc: u32) -> Vec<Option<String>> {
    call.streams(ssrc).into_iter().map(|stream| stream.user).collect()
}

#[test]
fn default_owners_are_local_for_sent_and_remote_for_received() {
    let mut call = Call::new();
    call.snapshot_at(0, &[sent(1, 0), received(2, 0)]);
    assert_eq!((users(&call, 1), users(&call, 2)), (vec![Some("alice".into())], vec![Some("bob".into())]));
}

#[test]
fn association_applies_before_and_after_the_first_sample() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    assert_eq!(fabric.associate(Ssrc::new(2), carol, "front-camera"), Ok(Outcome::Pending));
    assert_eq!(fabric.associate(Ssrc::new(2), carol, "front-camera"), Ok(Outcome::Unchanged));
    for second in 0..=5 {
        call.snapshot_at(second * 1_000, &[received(2, second as u32 * 50), received(3, second as u32 * 50)]);
    }
    // The first association of a stream that was already sampled applies to all of it.
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    assert_eq!(fabric.associate(Ssrc::new(3), carol, "microphone"), Ok(Outcome::Applied));
    for ssrc in [2, 3] {
        let streams = call.streams(ssrc);
        assert_eq!(streams.len(), 1);
        assert_eq!((streams[0].user.as_deref(), streams[0].packets), (Some("carol"), Some(250)));
    }
    assert_eq!(call.streams(2)[0].label.as_deref(), Some("front-camera"));
    let key = |ssrc| StreamKey::new(call.fabric, Direction::Inbound, Ssrc::new(ssrc));
    assert_eq!((call.call.user_of(key(2)), call.call.user_of(key(7))), (Some(carol), None));
    assert_eq!(call.user("carol").delivered.packets, Some(500));
    assert_eq!(call.user("bob").delivered.streams, 0);
}

#[test]
fn remap_splits_the_figures_and_mixes_no_users() {
    let mut call = Call::new();
    let (carol, dave) = (call.call.user("carol").unwrap(), call.call.user("dave").unwrap());
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), carol, "").unwrap();
    // Carol's packets arrive at 50 per second, Dave's at 10.
    let mut packets = 0;
    for second in 0..=10 {
        call.snapshot_at(second * 1_000, &[received(2, packets)]);
        packets += 50;
    }
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), dave, "").unwrap();
    // Dave owns nothing of it before the next sample.
    assert_eq!(users(&call, 2), [Some("carol".into())]);
    for second in 11..=21 {
        call.snapshot_at(second * 1_000, &[received(2, packets)]);
        packets += 10;
    }
    let parts = call.streams(2);
    assert_eq!(users(&call, 2), [Some("carol".into()), Some("dave".into())]);
    assert_eq!((parts[0].packets, parts[1].packets), (Some(500), Some(100)));
    assert_eq!((parts[0].interval_bitrate_bps.min, parts[0].interval_bitrate_bps.max), (Some(40e3), Some(40e3)));
    assert_eq!((parts[1].interval_bitrate_bps.min, parts[1].interval_bitrate_bps.max), (Some(8e3), Some(8e3)));
    assert_eq!((parts[0].end_ms - parts[0].start_ms, parts[1].start_ms - parts[0].end_ms), (10e3, 1e3));
    assert_eq!((parts[0].resets, parts[1].resets), (0, 0));
    assert_eq!(call.user("dave").delivered.packets, Some(100));
    // And back again: three parts, in order of time.
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), carol, "").unwrap();
    for second in 22..=23 {
        call.snapshot_at(second * 1_000, &[received(2, packets)]);
        packets += 50;
    }
    assert_eq!(users(&call, 2), [Some("carol".into()), Some("dave".into()), Some("carol".into())]);
    assert_eq!((call.user("carol").delivered.packets, call.user("carol").delivered.streams), (Some(550), 2));
}

#[test]
fn remap_reverted_before_any_snapshot_splits_nothing() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    let bob = call.bob;
    for (second, user) in [(0, carol), (1, bob), (1, carol), (2, carol)] {
        call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), user, "").unwrap();
        if second != 1 {
            call.snapshot_at(second * 1_000, &[received(2, second as u32 * 50)]);
        }
    }
    assert_eq!((users(&call, 2), call.streams(2)[0].packets), (vec![Some("carol".into())], Some(100)));
}

#[test]
fn late_snapshot_does_not_open_the_next_part() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    let bob = call.bob;
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), bob, "").unwrap();
    for second in [0, 1, 2] {
        call.snapshot_at(second * 1_000, &[received(2, second as u32 * 50)]);
    }
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), carol, "").unwrap();
    call.report.clear();
    push(&mut call.report, 1_000, received(2, 50));
    call.call.ingest(at(2_500), call.fabric, &call.report).unwrap();
    for second in [3, 4] {
        call.snapshot_at(second * 1_000, &[received(2, second as u32 * 50)]);
    }
    let parts = call.streams(2);
    assert_eq!((parts.len(), parts[0].late, parts[1].late), (2, 1, 0));
    assert_eq!((parts[0].packets, parts[1].packets), (Some(100), Some(50)));
}

#[test]
fn layers_and_retransmissions_follow_their_primary() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    let look = |call: &mut Call, ms: u64| call.snapshot_at(ms, &[2, 3, 4].map(|ssrc| received(ssrc, ms as u32 / 20)));
    look(&mut call, 0);
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    assert_eq!(fabric.group(Ssrc::new(2), &[Ssrc::new(3)]), Ok(Outcome::Applied));
    assert_eq!(fabric.group(Ssrc::new(2), &[Ssrc::new(3)]), Ok(Outcome::Unchanged));
    fabric.associate(Ssrc::new(2), carol, "screen").unwrap();
    look(&mut call, 1_000);
    let carols = Some(String::from("carol"));
    assert_eq!((users(&call, 2), users(&call, 3)), (vec![carols.clone()], vec![carols]));
    assert_eq!(users(&call, 4), [Some("bob".into())]);
}

#[test]
fn retransmissions_named_by_stats_follow_their_primary() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), carol, "").unwrap();
    call.report.clear();
    let ms = 1_000;
    push(&mut call.report, ms, received(3, 50));
    let mut entry = call.report.push(StatsType::InboundRtp, "I2");
    entry.set_timestamp(StatTime::from_millis(1e12 + ms as f64));
    entry.set(Num::Ssrc, 2.0).set(Num::PacketsReceived, 50.0).set(Num::RtxSsrc, 3.0);
    call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
    assert_eq!(users(&call, 3), [Some("carol".into())]);
}

#[test]
fn description_sets_the_primary_and_names_of_an_ssrc() {
    let mut call = Call::new();
    let carol = call.call.user("carol").unwrap();
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    let camera = SsrcDescription::new(Ssrc::new(2)).with_cname("x").with_msid("stream track");
    let layer = SsrcDescription::new(Ssrc::new(3)).following(Ssrc::new(2)).with_cname("x");
    assert_eq!((fabric.describe(camera), fabric.describe(layer)), (Ok(Outcome::Pending), Ok(Outcome::Pending)));
    assert_eq!((fabric.describe(camera), fabric.describe(layer)), (Ok(Outcome::Unchanged), Ok(Outcome::Unchanged)));
    assert_eq!(fabric.describe(SsrcDescription::new(Ssrc::new(9))), Ok(Outcome::Unchanged), "which says nothing");
    let long = "x".repeat(1_000);
    assert_eq!(fabric.describe(camera.with_cname(&long)), Err(InputError::InvalidName));
    fabric.associate(Ssrc::new(2), carol, "").unwrap();
    call.snapshot_at(0, &[received(2, 0), received(3, 0)]);
    assert_eq!(users(&call, 3), [Some("carol".into())]);
    let view = call.call.snapshot();
    let tracks = &view.fabrics[0].media_stream_tracks;
    let names: Vec<_> = tracks.iter().map(|track| (track.cname.as_str(), track.msid.as_str())).collect();
    assert_eq!(names, [("x", "stream track"), ("x", "")]);
}

#[test]
fn late_user_names_apply_to_earlier_figures() {
    let mut call = Call::new();
    let id = call.call.open_fabric(at(0), FabricSpec::new("late")).unwrap();
    for second in 0..=5 {
        call.snapshot_of(id, second * 1_000, &[sent(1, second as u32 * 50), received(2, second as u32 * 50)]);
    }
    let (carol, dave) = (call.call.user("carol").unwrap(), call.call.user("dave").unwrap());
    let mut fabric = call.call.fabric(id).unwrap();
    assert_eq!(fabric.set_remote_user(dave), Ok(Outcome::Applied));
    assert_eq!(fabric.set_remote_user(dave), Ok(Outcome::Unchanged));
    assert_eq!(fabric.set_local_user(carol), Ok(Outcome::Applied));
    assert_eq!(fabric.set_local_user(dave), Err(InputError::NameTaken));
    assert_eq!(call.call.rename("TheRealName"), Ok(Outcome::Applied));
    call.call.rename_user(carol, "caroline").unwrap();
    assert_eq!(call.call.rename_user(dave, "caroline"), Err(InputError::NameTaken));
    assert_eq!(call.call.rename_user(dave, ""), Err(InputError::InvalidName));
    let summary = call.call.summary();
    assert_eq!(summary.conference.as_deref(), Some("TheRealName"));
    let user = call.user("caroline");
    assert_eq!((user.uplink.packets, user.downlink.packets, user.joins), (Some(250), Some(250), 1));
    assert_eq!(user.stays[0].joined_ms, 0.0);
    assert_eq!(call.user("dave").delivered.packets, Some(250));
}

#[test]
fn inputs_refused_by_limits_change_nothing() {
    let limits = Limits::new().with_ssrcs_per_fabric(2).with_parts_per_fabric(1).with_name_bytes(8).with_users(3);
    let mut call = Call::with(Config::new().with_limits(limits));
    let (alice, bob) = (call.alice, call.bob);
    assert_eq!(call.call.user("far too long"), Err(InputError::InvalidName));
    assert_eq!(call.call.user(""), Err(InputError::InvalidName));
    let carol = call.call.user("carol").unwrap();
    assert_eq!(call.call.user("dave"), Err(InputError::LimitReached));
    assert_eq!(call.call.user("carol"), Ok(carol), "who is known is found");
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    assert_eq!(fabric.associate(Ssrc::new(2), carol, "a label too long"), Err(InputError::InvalidName));
    fabric.associate(Ssrc::new(2), carol, "").unwrap();
    fabric.group(Ssrc::new(2), &[Ssrc::new(3)]).unwrap();
    assert_eq!(fabric.associate(Ssrc::new(4), carol, ""), Err(InputError::LimitReached));
    assert_eq!(fabric.group(Ssrc::new(2), &[Ssrc::new(4)]), Err(InputError::LimitReached));
    call.snapshot_at(0, &[received(2, 0)]);
    call.snapshot_at(1_000, &[received(2, 50)]);
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    fabric.associate(Ssrc::new(2), bob, "").unwrap();
    call.snapshot_at(2_000, &[received(2, 100)]);
    call.snapshot_at(3_000, &[received(2, 150)]);
    let before = call.call.summary();
    assert_eq!(
        call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), alice, ""),
        Err(InputError::LimitReached)
    );
    assert_eq!(call.call.summary(), before);
    assert_eq!(users(&call, 2), [Some("carol".into()), Some("bob".into())]);
}

#[test]
fn fabrics_share_the_common_limit() {
    let limits = Limits::new().with_streams(3).with_ssrcs(3);
    let mut call = Call::with(Config::new().with_limits(limits));
    let (alice, bob) = (call.alice, call.bob);
    let other = call.call.open_fabric(at(0), FabricSpec::new("other")).unwrap();
    call.snapshot_at(0, &[received(1, 0), received(2, 0)]);
    call.snapshot_of(other, 0, &[received(3, 0), received(4, 0)]);
    call.snapshot_of(other, 1_000, &[received(3, 50), received(4, 50)]);
    let summary = call.call.summary();
    let of_other = summary.fabrics.iter().find(|fabric| fabric.fabric == "other").unwrap();
    assert_eq!((of_other.streams.len(), of_other.refused_streams), (1, 2));

    let mut fabric = call.call.fabric(call.fabric).unwrap();
    fabric.associate(Ssrc::new(1), bob, "").unwrap();
    // The stream would split in two.
    assert_eq!(fabric.associate(Ssrc::new(1), alice, ""), Err(InputError::LimitReached));
    fabric.group(Ssrc::new(1), &[Ssrc::new(9)]).unwrap();
    let mute = |ssrc| AppEvent::AudioMute(Some(Ssrc::new(ssrc)));
    call.call.send_event(at(1_000), other, mute(3)).unwrap();
    let before = call.call.summary();
    assert_eq!(call.call.send_event(at(1_000), other, mute(4)), Err(InputError::LimitReached));
    let mut fabric = call.call.fabric(other).unwrap();
    let described = SsrcDescription::new(Ssrc::new(3)).with_cname("x");
    assert_eq!(fabric.associate(Ssrc::new(3), bob, ""), Err(InputError::LimitReached));
    assert_eq!(fabric.describe(described), Err(InputError::LimitReached));
    assert_eq!(call.call.summary(), before);
    // A withdrawn association frees its place.
    call.call.send_event(at(1_000), other, AppEvent::AudioUnmute(None)).unwrap();
    assert_eq!(call.call.fabric(other).unwrap().describe(described), Ok(Outcome::Applied));
}

#[test]
fn ssrcs_from_reports_take_at_most_half_of_the_limit() {
    let mut call = Call::with(Config::new().with_limits(Limits::new().with_ssrcs(8)));
    let mut report = Report::new();
    // Each fabric claims another retransmission stream in each report.
    for n in 0..6 {
        let fabric = call.open(n * 10_000, &format!("other{n}"), "bob", "alice");
        for second in 0..6_u64 {
            report.clear();
            push(&mut report, second * 1_000, received(1, 50 * second as u32));
            let mut entry = report.push(StatsType::InboundRtp, "rtx");
            entry.set_timestamp(StatTime::from_millis(1e12 + second as f64 * 1e3)).set(Num::Ssrc, 2.0);
            entry.set(Num::RtxSsrc, (100 + 10 * n + second) as f64);
            call.call.ingest(at(n * 10_000 + second * 1_000), fabric, &report).unwrap();
        }
    }
    let bob = call.bob;
    let mut fabric = call.call.fabric(call.fabric).unwrap();
    for ssrc in 0..4 {
        assert!(fabric.associate(Ssrc::new(ssrc), bob, "").is_ok(), "{ssrc}");
    }
    assert_eq!(fabric.associate(Ssrc::new(4), bob, ""), Err(InputError::LimitReached));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Each user sends packets at a rate of their own; however a stream passes between users, each part has only its
    /// user's rate.
    #[test]
    fn each_part_has_only_the_rate_of_its_user(turns in prop::collection::vec((0..3_usize, 1..6_u32), 1..12)) {
        let mut call = Call::new();
        let names = ["ann", "ben", "cem"];
        let users = names.map(|name| call.call.user(name).unwrap());
        let (mut ms, mut packets) = (0, 0);
        let mut seen = 0;
        for (who, looks) in turns {
            call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), users[who], "").unwrap();
            for _ in 0..looks {
                packets += 10 * (who as u32 + 1);
                ms += 1_000;
                call.snapshot_at(ms, &[received(2, packets)]);
                seen += 1;
            }
        }
        let parts = call.streams(2);
        let samples: u64 = parts.iter().map(|part| part.samples).sum();
        prop_assert_eq!(samples, seen);
        for part in &parts {
            let who = names.iter().position(|name| Some(*name) == part.user.as_deref()).unwrap();
            let bps = 8e3 * (who as f64 + 1.0);
            for rate in [part.interval_bitrate_bps.min, part.interval_bitrate_bps.max] {
                prop_assert!(rate.is_none_or(|rate| rate == bps), "{:?}: {:?}", part.user, rate);
            }
        }
    }
}

#[test]
fn pooled_bitrate_leaves_resets_out_as_that_of_a_stream_does() {
    let mut call = Call::new();
    for second in 0..=40_u32 {
        // The counters start over at 20 s, and count many packets within a second.
        let packets = if second < 20 { second * 50 } else { 300 + (second - 20) * 50 };
        call.snapshot_at(u64::from(second) * 1_000, &[received(7, packets)]);
    }
    let (fabric, stream) = (call.summary(), call.streams(7).remove(0));
    assert_eq!((stream.reset_s, stream.bitrate_bps), (1.0, Some(40_000.0)));
    assert_eq!(fabric.downlink.bitrate_bps, Some(40_000.0));
}
