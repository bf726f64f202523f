//! The paths of a connection without BUNDLE, and left-over transports.

use callgauge::event::FabricState;
use callgauge::id::Ssrc;
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use callgauge::unit::StatTime;

use super::{Call, at};

/// A transport in a snapshot, with its selected pair.
#[derive(Clone, Copy, Debug)]
struct Transport {
    id: &'static str,
    ice: &'static str,
    /// What the transport says of its pair: `selectedCandidatePairId`.
    selected: &'static str,
    /// What the pair says of its transport: `transportId`.
    of: &'static str,
    rtt_ms: f64,
    ssrc: Option<u32>,
}

const AUDIO: Transport =
    Transport { id: "T1", ice: "connected", selected: "P-T1", of: "T1", rtt_ms: 40.0, ssrc: Some(7) };
const VIDEO: Transport =
    Transport { id: "T2", ice: "connected", selected: "P-T2", of: "T2", rtt_ms: 410.0, ssrc: Some(70) };

fn snapshot(call: &mut Call, second: u64, transports: &[Transport]) {
    snapshot_with(call, second, transports, |_, _| {});
}

/// A snapshot that is edited before it is taken.
fn snapshot_with(call: &mut Call, second: u64, transports: &[Transport], edit: impl Fn(&mut Report, Option<StatTime>)) {
    call.report.clear();
    let time = StatTime::from_millis(1e12 + second as f64 * 1e3);
    let count = second as f64;
    for transport in transports {
        let mut entry = call.report.push(StatsType::Transport, transport.id);
        entry.set_timestamp(time).set_text(Text::IceState, transport.ice).set_text(Text::DtlsState, "connected");
        entry.set_text(Text::SelectedCandidatePairId, transport.selected);
        let mut pair = call.report.push(StatsType::CandidatePair, &format!("P-{}", transport.id));
        pair.set_timestamp(time).set_text(Text::TransportId, transport.of).set_text(Text::State, "succeeded");
        pair.set_flag(Flag::Nominated, true).set(Num::BytesReceived, count * 5e3);
        pair.set(Num::CurrentRoundTripTime, transport.rtt_ms / 1e3).set(Num::ResponsesReceived, count);
        pair.set(Num::TotalRoundTripTime, count * transport.rtt_ms / 1e3);
        if let Some(ssrc) = transport.ssrc {
            let mut entry = call.report.push(StatsType::InboundRtp, &format!("I{ssrc}"));
            entry.set_timestamp(time).set(Num::Ssrc, f64::from(ssrc)).set_text(Text::TransportId, transport.id);
            entry
                .set(Num::PacketsReceived, count * 50.0)
                .set(Num::BytesReceived, count * 5e3)
                .set(Num::PacketsLost, 0.0);
        }
    }
    edit(&mut call.report, time);
    call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
}

/// The paths of a call of 20 s with these transports: id and mean round trip.
fn paths(call: &mut Call, transports: &[Transport]) -> Vec<(String, Option<f64>)> {
    (0..=20).for_each(|second| snapshot(call, second, transports));
    let paths = call.summary().paths.into_iter();
    paths.map(|path| (path.transport.unwrap(), path.rtt_ms.mean.map(f64::round))).collect()
}

#[test]
fn each_transport_in_use_is_a_path_in_any_order() {
    let expected = [("T1".into(), Some(40.0)), ("T2".into(), Some(410.0))];
    for transports in [[AUDIO, VIDEO], [VIDEO, AUDIO]] {
        let mut call = Call::new();
        assert_eq!(paths(&mut call, &transports), expected);
        for stream in call.summary().streams {
            let transport = if stream.ssrc.get() == 7 { "T1" } else { "T2" };
            assert_eq!(stream.transport.as_deref(), Some(transport));
        }
    }
}

#[test]
fn connection_is_as_bad_as_the_worst_path_in_use() {
    for (ice, state) in [
        ("connected", FabricState::Established),
        ("checking", FabricState::Initializing),
        ("failed", FabricState::Failed),
    ] {
        let mut call = Call::new();
        let video = Transport { ice, ..VIDEO };
        snapshot(&mut call, 0, &[AUDIO, video]);
        assert_eq!(call.summary().state, Some(state), "{ice}");
    }
}

#[test]
fn left_over_transports_have_no_effect() {
    for ice in ["failed", "new", "checking", "closed", "disconnected"] {
        let left = Transport { id: "T0", ice, selected: "", of: "T0", rtt_ms: 1.0, ssrc: None };
        let mut call = Call::new();
        assert_eq!(paths(&mut call, &[left, AUDIO]), [("T1".into(), Some(40.0))], "{ice}");
        assert_eq!(call.summary().state, Some(FabricState::Established), "{ice}");
        assert!(call.call.summary().diagnoses.is_empty(), "{ice}");
        // Without streams, the one that is furthest is in use.
        let mut call = Call::new();
        snapshot(&mut call, 0, &[left, Transport { ssrc: None, ..AUDIO }]);
        assert_eq!(call.summary().state, Some(FabricState::Established), "{ice}");
    }
}

#[test]
fn empty_and_dangling_references_do_not_hide_the_pair() {
    for selected in ["", "gone", "P-T1"] {
        for of in ["", "T1"] {
            let mut call = Call::new();
            let transport = Transport { selected, of, ..AUDIO };
            assert_eq!(paths(&mut call, &[transport]), [("T1".into(), Some(40.0))], "{selected} {of}");
        }
    }
}

#[test]
fn path_that_is_left_after_bundling_becomes_the_main_one() {
    let mut call = Call::new();
    (0..10).for_each(|second| snapshot(&mut call, second, &[AUDIO, VIDEO]));
    (10..20).for_each(|second| snapshot(&mut call, second, &[VIDEO]));
    let fabric = call.summary();
    assert_eq!(fabric.paths[0].transport.as_deref(), Some("T2"));
    assert_eq!(fabric.rtt_ms.ice.mean.map(f64::round), Some(410.0));
    assert_eq!(fabric.selected_pair_changes, 0);
}

#[test]
fn paths_are_bounded() {
    let mut call = Call::new();
    for second in 0..3_u64 {
        call.report.clear();
        let time = StatTime::from_millis(1e12 + second as f64 * 1e3);
        for index in 0..100_u32 {
            let id = format!("T{index:03}");
            call.report.push(StatsType::Transport, &id).set_timestamp(time).set_text(Text::IceState, "connected");
            let mut entry = call.report.push(StatsType::InboundRtp, &format!("I{index}"));
            entry.set_timestamp(time).set(Num::Ssrc, f64::from(index)).set_text(Text::TransportId, &id);
        }
        call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
    }
    assert_eq!(call.summary().paths.len(), 8);
}

#[test]
fn transport_of_a_stream_that_names_none_of_several_is_unknown() {
    let mut call = Call::new();
    (0..10).for_each(|second| snapshot(&mut call, second, &[AUDIO]));
    let of_ssrc = |call: &Call, ssrc| call.streams(ssrc).remove(0).transport;
    // The only one is that of every stream, whatever they say.
    assert_eq!(of_ssrc(&call, 7).as_deref(), Some("T1"));
    for second in 10..20_u64 {
        snapshot_with(&mut call, second, &[AUDIO, VIDEO], |report, time| {
            let mut entry = report.push(StatsType::InboundRtp, "I9");
            entry.set_timestamp(time).set(Num::Ssrc, 9.0).set(Num::PacketsReceived, second as f64 * 50.0);
        });
    }
    assert_eq!(of_ssrc(&call, 7).as_deref(), Some("T1"));
    assert_eq!(of_ssrc(&call, 70).as_deref(), Some("T2"));
    assert_eq!(of_ssrc(&call, 9), None);
    // The part of another user ended before, and nobody knows on which.
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(70), call.alice, "camera").unwrap();
    (20..30).for_each(|second| snapshot(&mut call, second, &[AUDIO, VIDEO]));
    let transports: Vec<_> = call.streams(70).into_iter().map(|part| part.transport).collect();
    assert_eq!(transports.len(), 1);
    call.call.fabric(call.fabric).unwrap().associate(Ssrc::new(70), call.bob, "camera").unwrap();
    (30..40).for_each(|second| snapshot(&mut call, second, &[AUDIO, VIDEO]));
    let transports: Vec<_> = call.streams(70).into_iter().map(|part| part.transport).collect();
    assert_eq!(transports, [None, Some("T2".into())]);
}

#[test]
fn impossible_values_of_every_path_are_counted() {
    // A round trip of a thousand seconds.
    for doubtful in [[Transport { rtt_ms: 1e6, ..AUDIO }, VIDEO], [AUDIO, Transport { rtt_ms: 1e6, ..VIDEO }]] {
        let mut call = Call::new();
        (0..10).for_each(|second| snapshot(&mut call, second, &doubtful));
        assert_eq!(call.summary().doubted.unwrap().members, ["totalRoundTripTime"], "{doubtful:?}");
    }
}

#[test]
fn path_that_is_left_says_nothing_of_the_present() {
    let mut call = Call::new();
    (0..10).for_each(|second| snapshot(&mut call, second, &[AUDIO, VIDEO]));
    // From then on the audio's path alone, on which nothing arrives and no check is answered.
    for second in 10..60_u64 {
        call.report.clear();
        let time = StatTime::from_millis(1e12 + second as f64 * 1e3);
        let mut entry = call.report.push(StatsType::Transport, "T1");
        entry.set_timestamp(time).set_text(Text::IceState, "connected").set_text(Text::DtlsState, "connected");
        entry.set_text(Text::SelectedCandidatePairId, "P-T1");
        let mut pair = call.report.push(StatsType::CandidatePair, "P-T1");
        pair.set_timestamp(time).set(Num::BytesReceived, 45e3).set(Num::ResponsesReceived, 4.0);
        pair.set(Num::RequestsSent, second as f64).set_text(Text::State, "succeeded");
        let mut entry = call.report.push(StatsType::InboundRtp, "I7");
        entry.set_timestamp(time).set(Num::Ssrc, 7.0).set_text(Text::TransportId, "T1");
        entry.set(Num::PacketsReceived, 450.0).set(Num::BytesReceived, 45e3).set(Num::PacketsLost, 0.0);
        call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
    }
    let diagnoses = call.call.summary().diagnoses;
    let find = |name| diagnoses.iter().find(|one| one.kind.name() == name);
    assert!(find("noMedia").is_some_and(|one| one.to_ms.is_none()), "{diagnoses:?}");
    // Only the other path was slow.
    assert!(find("highRtt").is_some_and(|one| one.to_ms.is_some()), "{diagnoses:?}");
}
