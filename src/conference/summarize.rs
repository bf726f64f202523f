//! From accounts to the summary that leaves the engine.

mod scores;

use alloc::string::String;
use alloc::vec::Vec;

use super::fabric::Fabric;
use crate::account::{Account, Totals};
use crate::config::Config;
use crate::digest::Digest;
use crate::fabric::PathState;
use crate::id::{Direction, MediaKind};
use crate::summary::{
    AudioSummary, ConferenceSummary, FabricSummary, QualityLimited, RttBySource, SCHEMA, StreamSummary, VideoSummary,
};
use crate::unit::{Bitrate, Ratio};

pub(super) fn conference(name: Option<&str>, fabrics: &[Fabric], config: &Config) -> ConferenceSummary {
    let times = || fabrics.iter().filter_map(|fabric| fabric.span);
    let start_ms = times().map(|(first, _)| first.as_millis()).min_by(f64::total_cmp);
    let end_ms = times().map(|(_, last)| last.as_millis()).max_by(f64::total_cmp);
    ConferenceSummary {
        schema: SCHEMA,
        conference: name.map(Into::into),
        start_ms,
        end_ms,
        duration_s: start_ms.zip(end_ms).map(|(start, end)| (end - start) / 1e3),
        state: "ongoing",
        end_reason: None,
        score: scores::group(fabrics.iter().flat_map(|fabric| &fabric.accounts), config),
        users: Vec::new(),
        talk: None,
        events: Vec::new(),
        diagnoses: Vec::new(),
        fabrics: fabrics.iter().map(|one| fabric(one, config)).collect(),
    }
}

fn fabric(fabric: &Fabric, config: &Config) -> FabricSummary {
    let mut rtcp = Digest::new();
    for account in fabric.accounts.iter().filter(|account| account.direction == Direction::Outbound) {
        rtcp.merge(&account.digests.rtt_ms);
    }
    let mut accounts: Vec<&Account> = fabric.accounts.iter().collect();
    accounts.sort_by_key(|account| (account.direction, account.kind.map_or(u8::MAX, |kind| kind as u8), account.ssrc));
    FabricSummary {
        fabric: fabric.name.clone(),
        local_user: None,
        remote_user: None,
        usage: None,
        state: match fabric.path.state {
            PathState::Unknown => None,
            PathState::Initializing => Some("initializing"),
            PathState::Established => Some("established"),
            PathState::Disrupted => Some("disrupted"),
            PathState::Failed => Some("failed"),
            PathState::Terminated => Some("terminated"),
        },
        setup_delay_ms: None,
        failure_delay_ms: None,
        start_ms: fabric.span.map(|(first, _)| first.as_millis()),
        end_ms: fabric.span.map(|(_, last)| last.as_millis()),
        snapshots: fabric.snapshots,
        selected_pair_changes: fabric.path.selected_changes,
        refused_streams: fabric.refused_streams,
        rtt_ms: RttBySource { rtcp: rtcp.stats(), ice: fabric.path.ice_rtt_ms.stats() },
        score: scores::group(fabric.accounts.iter(), config),
        available_outgoing_bps: fabric.path.available_outgoing_bps.stats(),
        streams: accounts.into_iter().map(stream).collect(),
    }
}

fn stream(account: &Account) -> StreamSummary {
    let (totals, digests, times) = (&account.totals, &account.digests, &account.times);
    let duration_ms = account.duration_ms();
    StreamSummary {
        ssrc: account.ssrc,
        direction: account.direction,
        kind: account.kind,
        user: None,
        label: account.label.as_deref().map(String::from),
        codec: account.codec.as_deref().map(String::from),
        start_ms: account.start.as_millis(),
        end_ms: account.end().as_millis(),
        duration_s: duration_ms / 1e3,
        samples: account.looks,
        duplicates: account.duplicates,
        late: account.late,
        epochs: account.resets + 1,
        resets: account.resets,
        gaps: account.gaps,
        gap_s: times.gap / 1e3,
        muted_s: times.muted / 1e3,
        held_s: times.held / 1e3,
        paused_s: times.paused / 1e3,
        silent_s: times.silent / 1e3,
        packets: count(totals.packets),
        packets_lost: signed(totals.lost),
        bytes: count(totals.bytes),
        bitrate_bps: totals.bytes.and_then(|bytes| Bitrate::from_bytes(bytes, duration_ms)).map(Bitrate::as_bps),
        loss_ratio: totals.loss_ratio(account.direction).map(Ratio::as_f64),
        packets_retransmitted: count(totals.retransmitted),
        jitter_ms: digests.jitter_ms.stats(),
        rtt_ms: digests.rtt_ms.stats(),
        interval_bitrate_bps: digests.bitrate_bps.stats(),
        interval_loss_ratio: digests.loss_ratio.stats(),
        audio: (account.kind == Some(MediaKind::Audio)).then(|| audio(account)),
        video: (account.kind == Some(MediaKind::Video)).then(|| video(account)),
        mos: scores::mos_stats(&account.quality),
        score: scores::stream(&account.quality),
    }
}

fn audio(account: &Account) -> AudioSummary {
    let Totals { samples, concealed, silent_concealed, stretched, .. } = account.totals;
    let of_samples = |part: Option<f64>| Some(Ratio::of(part?, samples?)?.as_f64());
    AudioSummary {
        concealed_ratio: of_samples(concealed),
        audible_concealed_ratio: of_samples(
            concealed.zip(silent_concealed).map(|(concealed, silent)| (concealed - silent).max(0.0)),
        ),
        concealment_events: count(account.totals.concealments),
        time_stretch_ratio: of_samples(stretched),
        fec_packets: count(account.totals.fec_packets),
        fec_packets_discarded: count(account.totals.fec_discarded),
        packets_discarded: count(account.totals.discarded),
        jitter_buffer_delay_ms: account.digests.jitter_buffer_delay_ms.stats(),
        level: account.digests.level.stats(),
    }
}

fn video(account: &Account) -> VideoSummary {
    let (totals, digests) = (&account.totals, &account.digests);
    let [cpu, bandwidth, other] = totals.limited_s;
    VideoSummary {
        frames: count(totals.frames),
        frames_dropped: count(totals.frames_dropped),
        key_frames: count(totals.key_frames),
        frames_per_second: digests.frames_per_second.stats(),
        width: count(account.size.map(|(width, _)| width)),
        height: count(account.size.map(|(_, height)| height)),
        freezes: count(totals.freezes),
        frozen_s: totals.frozen_s,
        qp: digests.qp.stats(),
        decode_ms: digests.decode_ms.stats(),
        encode_ms: digests.encode_ms.stats(),
        target_bitrate_bps: digests.target_bitrate_bps.stats(),
        jitter_buffer_delay_ms: digests.jitter_buffer_delay_ms.stats(),
        nacks: count(totals.nacks),
        plis: count(totals.plis),
        quality_limited_s: QualityLimited { cpu, bandwidth, other },
    }
}

/// A whole number out of sums of whole numbers.
// Checked; sums of counters are whole.
fn count(value: Option<f64>) -> Option<u64> {
    value.filter(|value| (0.0..=1.8e19).contains(value)).map(|value| value as u64)
}

// Saturates.
fn signed(value: Option<f64>) -> Option<i64> {
    value.map(|value| value as i64)
}
