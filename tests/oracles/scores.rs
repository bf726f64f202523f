//! Scores of recorded calls: the lab's impairments affect them, and other changes do not.

use callgauge::Event;
use callgauge::id::{Direction, MediaKind};
use callgauge::score::{Cause, NoScore, Tier};
use callgauge::summary::StreamSummary;

use crate::common::recordings::{Replay, lines, meta, names, replay};

/// The streams of one kind and direction of a recording.
fn streams(call: &Replay, direction: Direction, kind: MediaKind) -> Vec<StreamSummary> {
    let summary = call.call.summary();
    let all = summary.fabrics.into_iter().flat_map(|fabric| fabric.streams);
    let streams: Vec<_> = all.filter(|stream| stream.direction == direction && stream.kind == Some(kind)).collect();
    assert!(!streams.is_empty());
    streams
}

/// The mean MOS of all received audio in a recording.
fn mos(recording: &str) -> f64 {
    let streams = streams(&replay(&lines(recording)), Direction::Inbound, MediaKind::Audio);
    streams.iter().map(|stream| stream.score.mos.unwrap()).sum::<f64>() / streams.len() as f64
}

#[test]
fn audio_score_falls_as_network_loss_grows() {
    let by_loss = ["clean", "loss1", "loss5", "loss10", "loss20"].map(mos);
    assert!(by_loss.is_sorted_by(|a, b| a > b), "{by_loss:?}");
    assert!(mos("burst5") < mos("loss5") && mos("burst10") < mos("loss10"));
    // The same 10 % of loss, without repair, with error correction, and with every frame sent twice.
    let by_repair = ["audio_nofec_loss10", "audio_fec_loss10", "audio_red_loss10"].map(mos);
    assert!(by_repair.is_sorted_by(|a, b| a < b), "{by_repair:?}");
}

#[test]
fn delay_lowers_conversational_and_not_listening_quality() {
    for stream in streams(&replay(&lines("delay150")), Direction::Inbound, MediaKind::Audio) {
        let score = stream.score;
        assert_eq!(score.cause, Some(Cause::Delay));
        assert!(score.mos.unwrap() + 0.4 < score.mos_lq.unwrap(), "{score:?}");
    }
    for stream in streams(&replay(&lines("clean")), Direction::Inbound, MediaKind::Audio) {
        assert!(stream.score.mos_lq.unwrap() - stream.score.mos.unwrap() < 0.05);
    }
}

#[test]
fn inactive_time_is_left_out_and_reported() {
    // The lab's actions, in seconds of rest; one sample more or less at either end.
    for (recording, resting, at_least) in [("mute", "A", 28.0), ("hold", "A", 18.0), ("hold", "B", 18.0)] {
        let call = replay(&lines(recording));
        let fabric = call.fabrics[resting];
        let summary = call.call.summary();
        let sent = &summary.fabrics[fabric.index()].streams;
        let sent =
            sent.iter().find(|s| s.direction == Direction::Outbound && s.kind == Some(MediaKind::Audio)).unwrap();
        let rest = sent.muted_s + sent.paused_s + sent.held_s;
        assert!(rest >= at_least, "{recording}: {rest}");
        assert!(sent.score.active_s + sent.score.no_speech_s + rest <= sent.duration_s + 0.1);
    }
    for recording in ["mute", "hold", "video_pause", "screen", "ice_restart", "audio_clean"] {
        for stream in streams(&replay(&lines(recording)), Direction::Inbound, MediaKind::Audio) {
            let score = &stream.score;
            let worst = score.worst_10s.as_ref().unwrap().mos;
            // Stretching after a restart is real, and audible (PESQ 3.2 to 3.6 there); nothing worse is.
            assert!(worst > 3.1, "{recording}: {worst}");
            assert!(score.mos.unwrap() > 3.8, "{recording}: {score:?}");
        }
    }
}

#[test]
fn every_second_is_scored_or_in_a_sum_with_the_reason() {
    let mut accounted = 0;
    for recording in names() {
        for stream in replay(&lines(&recording)).call.summary().fabrics.into_iter().flat_map(|fabric| fabric.streams) {
            let rest = stream.muted_s + stream.held_s + stream.paused_s + stream.silent_s + stream.gap_s;
            let score = &stream.score;
            let why_not =
                score.no_speech_s + score.transition_s + score.unresolved_s + score.sender_idle_s + score.unscored_s;
            let missing = stream.duration_s - score.active_s - why_not - rest;
            // The time since a reset is unknown.
            let allowed = if stream.resets > 0 { 2.0 * stream.resets as f64 } else { 0.001 };
            assert!(
                (-0.001..=allowed).contains(&missing),
                "{recording} {:?} {}: {missing}",
                stream.direction,
                stream.ssrc
            );
            accounted += 1;
        }
    }
    assert!(accounted > 150, "{accounted}");
}

#[test]
fn outage_is_undecided_while_it_lasts_and_counts_afterwards() {
    let call = replay(&lines("outage5"));
    let t0 = meta("outage5")["t0"].as_f64().unwrap();
    let (mut undecided, mut after) = (0, Vec::new());
    for event in &call.events {
        let Event::IntervalClosed { interval, score, .. } = event else { continue };
        if interval.direction != Direction::Inbound || interval.kind != Some(MediaKind::Audio) {
            continue;
        }
        // Nothing passes in either direction from 24 to 29 s.
        let second = (interval.at.as_millis() - t0) / 1e3;
        if (26.0..29.0).contains(&second) {
            assert_eq!(*score, Err(NoScore::Unresolved), "at {second}");
            undecided += 1;
        } else if (30.2..31.5).contains(&second) {
            after.push(score.unwrap().mos().as_f64());
        }
    }
    assert!(undecided >= 4 && after.len() >= 2);
    assert!(after.iter().all(|&mos| mos < 1.5), "{after:?}");
    for stream in streams(&call, Direction::Inbound, MediaKind::Audio) {
        assert!(stream.score.worst_10s.unwrap().mos < 2.0);
        assert_eq!(stream.score.unresolved_s, 0.0);
    }
}

#[test]
fn polling_interval_hardly_changes_a_score() {
    let all = lines("loss5_100ms");
    // The lines of the connections alternate: every tenth of each.
    let tenth: Vec<String> = all.chunks(20).flat_map(|lines| lines.iter().take(2).cloned()).collect();
    let (often, seldom) = (replay(&all), replay(&tenth));
    let of = |call| streams(call, Direction::Inbound, MediaKind::Audio);
    let mut compared = 0;
    for (often, seldom) in of(&often).iter().zip(of(&seldom)) {
        assert_eq!(often.ssrc, seldom.ssrc);
        assert!(often.samples > 5 * seldom.samples);
        let (a, b) = (often.score.mos.unwrap(), seldom.score.mos.unwrap());
        assert!((a - b).abs() < 0.1, "{a} {b}");
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn sent_streams_are_scored_by_remote_reports_less_confidently() {
    let call = replay(&lines("loss10"));
    for sent in streams(&call, Direction::Outbound, MediaKind::Audio) {
        let received = streams(&call, Direction::Inbound, MediaKind::Audio);
        let received = received.iter().find(|received| received.ssrc == sent.ssrc).unwrap();
        assert_eq!((sent.score.tier, received.score.tier), (Some(Tier::A4), Some(Tier::A1)));
        let width = |stream: &StreamSummary| stream.score.mos_high.unwrap() - stream.score.mos_low.unwrap();
        assert!(width(&sent) > width(received));
        // The score with more inputs lies in the interval of the other.
        let mos = received.score.mos.unwrap();
        assert!(sent.score.mos_low.unwrap() < mos && mos < sent.score.mos_high.unwrap());
    }
}
