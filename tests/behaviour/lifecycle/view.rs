//! The live view of a call.

use callgauge::AppEvent;
use callgauge::diagnosis::Kind;
use callgauge::event::{FabricState, IceState};
use callgauge::id::Ssrc;
use callgauge::report::{Flag, Num, StatsType, Text};
use callgauge::summary::{Reachability, View};
use callgauge::unit::StatTime;

use super::{Call, at, sent};

/// Ten seconds of audio in both directions: 50 packets of 100 bytes per second, 1 of 50 lost on receive, 80 ms round
/// trip.
fn call() -> Call {
    let mut call = Call::new();
    call.call.ice_state(at(0), call.fabric, IceState::Connected).unwrap();
    let bob = call.bob;
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(2), bob, "front-camera").unwrap();
    for second in 0..=10 {
        let packets = second as u32 * 50;
        call.report.clear();
        super::push(&mut call.report, second * 1_000, sent(1, packets));
        let time = StatTime::from_millis(1e12 + second as f64 * 1e3);
        let mut entry = call.report.push(StatsType::InboundRtp, "I");
        entry.set_timestamp(time).set_media(callgauge::id::MediaKind::Audio).set(Num::Ssrc, 2.0);
        entry.set(Num::PacketsReceived, f64::from(packets) * 0.98).set(Num::PacketsLost, f64::from(packets) * 0.02);
        entry.set(Num::BytesReceived, f64::from(packets) * 98.0);
        // From 10 to 20 ms and then constant: the latest value is not the mean.
        entry.set(Num::Jitter, if second <= 5 { 0.01 } else { 0.02 });
        let mut remote = call.report.push(StatsType::RemoteInboundRtp, "R");
        remote.set_timestamp(time).set(Num::Ssrc, 1.0).set(Num::RoundTripTime, 0.08).set(Num::PacketsLost, 0.0);
        call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
    }
    call
}

#[test]
fn view_has_the_latest_figures_in_callstats_units() {
    let call = call();
    let view = call.call.snapshot();
    let fabric = &view.fabrics[0];
    assert_eq!((fabric.fabric.as_str(), fabric.connection_state), ("pc", Reachability::Online));
    assert_eq!(fabric.fabric_state, FabricState::Established);
    let [up, down] = &fabric.media_stream_tracks[..] else { panic!("{} tracks", fabric.media_stream_tracks.len()) };
    assert_eq!((up.ssrc, down.ssrc), (Ssrc::new(1), Ssrc::new(2)));
    assert_eq!((up.bitrate, up.packet_rate, up.rtt, up.average_rtt), (Some(40.0), Some(50.0), Some(80.0), Some(80.0)));
    assert_eq!((down.bitrate, down.packet_rate), (Some(39.2), Some(49.0)));
    assert_eq!((down.fraction_loss, down.packet_loss_percentage), (Some(0.02), Some(2.0)));
    assert_eq!((down.jitter, down.average_jitter), (Some(20.0), Some(15.0)));
    assert_eq!(
        (up.user_id.as_str(), down.user_id.as_str(), down.usage_label.as_str()),
        ("alice", "bob", "front-camera")
    );
    assert_eq!((down.rtt, down.audio_level), (None, None));
}

#[test]
fn reused_view_equals_a_new_one_when_content_shrinks() {
    let mut call = call();
    let mut view = call.call.snapshot();
    call.call.send_event(at(10_000), call.fabric, AppEvent::Terminated).unwrap();
    call.call.snapshot_into(&mut view);
    assert_eq!(view, call.call.snapshot());
    assert_eq!(view.fabrics[0].connection_state, Reachability::Offline);
    let empty = Call::new();
    empty.call.snapshot_into(&mut view);
    assert_eq!((view.fabrics.len(), view.fabrics[0].media_stream_tracks.len()), (1, 0));
    assert_eq!(view, empty.call.snapshot());
    callgauge::Conference::new("", callgauge::Config::new()).snapshot_into(&mut view);
    assert_eq!(view, View::default());
}

#[cfg(feature = "serde")]
#[test]
fn view_serializes_under_callstats_names() {
    let value = serde_json::to_value(call().call.snapshot()).unwrap();
    let fabric = &value["fabrics"][0];
    assert_eq!((&fabric["connectionState"], &fabric["fabricState"]), (&"online".into(), &"established".into()));
    let track = fabric["mediaStreamTracks"][1].as_object().unwrap();
    // callstats' REST definitions and Android client, with the owner of the media.
    let names = "ssrc cname msid remoteUserID userID statsType mediaType usageLabel bitrate packetRate fractionLoss \
                 packetLossPercentage jitter averageJitter rtt averageRTT callstatsQuality audioInputLevel \
                 audioOutputLevel audioLevel mos mosLow mosHigh frameWidth frameHeight framesPerSecond";
    let mut expected: Vec<&str> = names.split_whitespace().collect();
    expected.sort_unstable();
    let mut keys: Vec<&str> = track.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&track["statsType"], &track["remoteUserID"]), (&"inbound-rtp".into(), &"bob".into()));
    assert!(["excellent", "fair", "bad", "unknown"].contains(&track["callstatsQuality"].as_str().unwrap()));
}

#[test]
fn view_has_score_diagnoses_picture_and_bandwidth() {
    let mut call = Call::new();
    for second in 0..=40_u32 {
        call.report.clear();
        let time = StatTime::from_millis(1e12 + f64::from(second) * 1e3);
        let mut entry = call.report.push(StatsType::InboundRtp, "A");
        entry.set_timestamp(time).set_media(callgauge::id::MediaKind::Audio).set_text(Text::MimeType, "audio/opus");
        let [got, lost] = [46.0, 4.0].map(|packets| packets * f64::from(second));
        entry.set(Num::Ssrc, 2.0).set(Num::PacketsReceived, got).set(Num::PacketsLost, lost);
        entry.set(Num::BytesReceived, got * 80.0);
        let mut entry = call.report.push(StatsType::InboundRtp, "V");
        entry.set_timestamp(time).set_media(callgauge::id::MediaKind::Video).set_text(Text::MimeType, "video/VP8");
        entry.set(Num::Ssrc, 3.0).set(Num::PacketsReceived, f64::from(second) * 30.0).set(Num::PacketsLost, 0.0);
        entry.set(Num::BytesReceived, f64::from(second) * 90e3).set(Num::FramesDecoded, f64::from(second) * 30.0);
        entry.set(Num::FrameWidth, 640.0).set(Num::FrameHeight, 360.0);
        let mut pair = call.report.push(StatsType::CandidatePair, "P");
        pair.set_timestamp(time).set_text(Text::State, "succeeded").set_flag(Flag::Nominated, true);
        pair.set(Num::AvailableOutgoingBitrate, 2.5e6);
        call.call.ingest(at(u64::from(second) * 1_000), call.fabric, &call.report).unwrap();
    }
    let view = call.call.snapshot();
    let fabric = &view.fabrics[0];
    let [sound, picture] = &fabric.media_stream_tracks[..] else {
        panic!("{} tracks", fabric.media_stream_tracks.len())
    };
    let (low, mos, high) = (sound.mos_low.unwrap(), sound.mos.unwrap(), sound.mos_high.unwrap());
    assert!(1.0 < low && low <= mos && mos <= high && high < 5.0, "{low} {mos} {high}");
    assert_eq!((picture.frame_width, picture.frame_height), (Some(640.0), Some(360.0)));
    assert_eq!((picture.frames_per_second, fabric.available_outgoing_bps), (Some(30.0), Some(2.5e6)));
    let loss = fabric.diagnoses.iter().find(|diagnosis| diagnosis.kind == Kind::HighLoss).unwrap();
    assert!(loss.to.is_none());
    let sentence = call.call.sentence(loss);
    assert!(sentence.starts_with("alice's downlink lost 5 % of packets"), "{sentence}");
    assert_eq!(call.call.local_user(call.fabric).and_then(|user| call.call.user_name(user)), Some("alice"));
    assert_eq!(call.call.fabric_name(call.fabric), Some("pc"));
}

#[test]
fn rows_and_values_that_are_left_out_stay_counted() {
    let mut call = Call::new();
    for second in 0..3 {
        call.report.clear();
        // No time: nothing can be derived, and the count says so.
        call.report.push(StatsType::InboundRtp, "I").set(Num::Ssrc, 2.0).set(Num::Jitter, 24.0);
        call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
    }
    call.report.clear();
    let fabric = call.summary();
    assert_eq!((fabric.streams.len(), fabric.clock.untimed, fabric.bad_fields), (0, 3, 3));
}

#[test]
fn every_member_is_found_by_its_name() {
    assert!(Num::ALL.iter().all(|&field| Num::from_name(field.name()) == Some(field)));
    assert!(Text::ALL.iter().all(|&field| Text::from_name(field.name()) == Some(field)));
    assert!(Flag::ALL.iter().all(|&field| Flag::from_name(field.name()) == Some(field)));
    assert_eq!(Num::from_name("packetsEaten"), None);
}
