//! The live view of a call.

use callgauge::AppEvent;
use callgauge::event::{FabricState, IceState};
use callgauge::id::Ssrc;
use callgauge::report::{Num, StatsType};
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
                 packetLossPercentage jitter averageJitter rtt averageRTT quality audioInputLevel audioOutputLevel \
                 audioLevel";
    let mut expected: Vec<&str> = names.split_whitespace().collect();
    expected.sort_unstable();
    let mut keys: Vec<&str> = track.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&track["statsType"], &track["remoteUserID"]), (&"inbound-rtp".into(), &"bob".into()));
    assert!(["excellent", "fair", "bad", "unknown"].contains(&track["quality"].as_str().unwrap()));
}
