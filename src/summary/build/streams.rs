//! Lists the streams of a conference in the order of the summary and summarizes each. It changes nothing.

use alloc::string::String;
use alloc::vec::Vec;

use super::scores;
use crate::conference::Conference;
use crate::digest::Stats;
use crate::fabric::{Fabric, PathIndex};
use crate::id::{MediaKind, UserId};
use crate::maybe::Maybe;
use crate::stream::{Doubted, StreamRecord};
use crate::summary::{AudioSummary, DoubtedValues, QualityLimited, StreamSummary, VideoSummary};
use crate::unit::{Bitrate, Ratio, Timestamp};

/// The fabrics by the time of opening, then by name and users.
pub(super) fn order(call: &Conference) -> Vec<&Fabric> {
    let mut fabrics: Vec<&Fabric> = call.fabrics.iter().collect();
    fabrics.sort_by_key(|fabric| {
        let spec = &fabric.spec;
        let [local, remote] = [spec.local_user, spec.remote_user].map(|user| call.user_name(user?));
        (fabric.lifecycle.opened, spec.name(), local, remote, fabric.id())
    });
    fabrics
}

/// A stream, or a part of one, with its owner at the time.
#[derive(Clone, Copy)]
pub(super) struct OwnedStream<'a> {
    pub(super) fabric: &'a Fabric,
    pub(super) record: &'a StreamRecord,
    pub(super) user: Option<UserId>,
    label: Option<&'a str>,
    path: Option<PathIndex>,
}

/// The streams of a fabric with all their parts: inbound before outbound, audio before video, then by SSRC and time.
pub(super) fn views(fabric: &Fabric) -> Vec<OwnedStream<'_>> {
    let whole = fabric.streams.iter().map(|stream| {
        let (user, label) = fabric.owner_of(stream);
        OwnedStream { fabric, record: &stream.record, user, label, path: stream.entries.path }
    });
    let parts = fabric.parts.iter().map(|part| {
        let (record, owner) = (&part.record, &part.owner);
        OwnedStream {
            fabric,
            record,
            user: Some(owner.user),
            label: Some(&*owner.label).filter(|label| !label.is_empty()),
            path: None,
        }
    });
    let mut views: Vec<OwnedStream<'_>> = whole.chain(parts).collect();
    views.sort_by_key(|OwnedStream { record, .. }| (record.direction, kind_rank(record), record.ssrc, record.start));
    views
}

/// Audio before video before unknown.
fn kind_rank(record: &StreamRecord) -> u8 {
    record.kind.map_or(u8::MAX, |kind| kind as u8)
}

/// Milliseconds on the caller's clock.
pub(super) fn millis(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1e3
}

pub(super) fn stream(call: &Conference, view: &OwnedStream<'_>) -> StreamSummary {
    let record = view.record;
    let (totals, digests, times) = (&record.totals, &record.digests, &record.times);
    let duration_ms = record.duration_ms();
    let (mos, score) = scores::stream(record);
    StreamSummary {
        ssrc: record.ssrc,
        direction: record.direction,
        kind: record.kind,
        user: view.user.and_then(|user| call.user_name(user)).map(String::from),
        label: view.label.or(record.label.as_deref()).map(String::from),
        transport: view.fabric.paths.get(view.path).and_then(|path| path.transport.as_deref()).map(String::from),
        codec: record.codec.as_deref().map(String::from),
        start_ms: record.start.as_millis(),
        end_ms: record.end().as_millis(),
        duration_s: duration_ms / 1e3,
        samples: record.samples,
        duplicates: record.duplicates,
        late: record.late,
        epochs: record.resets.saturating_add(1),
        resets: record.resets,
        clock_steps: record.clock_steps,
        hasty: if record.is_hasty() { record.samples } else { 0 },
        gaps: record.gaps,
        gap_s: times.gap / 1e3,
        muted_s: times.muted / 1e3,
        held_s: times.held / 1e3,
        paused_s: times.paused / 1e3,
        silent_s: times.silent / 1e3,
        lost_s: times.lost / 1e3,
        reset_s: times.reset / 1e3,
        packets: count(totals.packets.get()),
        packets_lost: signed(totals.lost.get()),
        packets_lost_at_rest: signed(totals.lost_at_rest.get()),
        packets_expected: count(totals.loss(record.direction).map(|(_, expected)| expected)),
        bytes: count(totals.bytes.get()),
        bitrate_bps: bitrate(record).map(Bitrate::as_bps),
        loss_ratio: totals.loss_ratio(record.direction).map(Ratio::as_f64),
        retransmitted_packets: count(totals.retransmitted.get()),
        jitter_ms: digests.jitter_ms().stats(),
        rtt_ms: digests.rtt_ms().stats(),
        interval_bitrate_bps: if record.is_hasty() { Stats::default() } else { digests.bitrate_bps().stats() },
        interval_loss_ratio: digests.loss_ratio().stats(),
        audio: (record.kind == Some(MediaKind::Audio)).then(|| audio(record)),
        video: (record.kind == Some(MediaKind::Video)).then(|| video(record)),
        mos,
        score,
        doubted: doubted_values(record.doubted),
    }
}

/// The values that were left out; `None` without any.
pub(super) fn doubted_values(Doubted { values, members }: Doubted) -> Option<DoubtedValues> {
    (values > 0).then(|| DoubtedValues { values, members: members.iter().map(|member| member.name().into()).collect() })
}

/// The mean rate over the time of known rates.
fn bitrate(record: &StreamRecord) -> Option<Bitrate> {
    let totals = &record.totals;
    let bytes = totals.rated_bytes().filter(|_| !record.is_hasty())?;
    Bitrate::from_bytes(bytes, record.duration_ms() - totals.unrated.1)
}

fn audio(record: &StreamRecord) -> AudioSummary {
    AudioSummary {
        concealed_ratio: record.totals.concealed.ratio(),
        audible_concealed_ratio: record.totals.audible_concealed.ratio(),
        concealment_events: count(record.totals.concealments.get()),
        time_stretch_ratio: record.totals.stretched.ratio(),
        fec_packets: count(record.totals.fec_packets.get()),
        fec_packets_discarded: count(record.totals.fec_discarded.get()),
        packets_discarded: count(record.totals.discarded.get()),
        jitter_buffer_delay_ms: record.digests.jitter_buffer_delay_ms().stats(),
        level: record.digests.level().stats(),
    }
}

fn video(record: &StreamRecord) -> VideoSummary {
    let (totals, digests) = (&record.totals, &record.digests);
    let [cpu, bandwidth, other] = totals.limited_s.map(Maybe::get);
    VideoSummary {
        frames: count(totals.frames.get()),
        frames_dropped: count(totals.frames_dropped.get()),
        key_frames: count(totals.key_frames.get()),
        frames_per_second: digests.frames_per_second().stats(),
        width: count(record.size.map(|(width, _)| width)),
        height: count(record.size.map(|(_, height)| height)),
        freezes: count(totals.freezes.get()),
        frozen_s: totals.frozen_s.get(),
        qp: digests.qp().stats(),
        decode_ms: digests.decode_ms().stats(),
        encode_ms: digests.encode_ms().stats(),
        target_bitrate_bps: digests.target_bitrate_bps().stats(),
        jitter_buffer_delay_ms: digests.jitter_buffer_delay_ms().stats(),
        nacks: count(totals.nacks.get()),
        plis: count(totals.plis.get()),
        quality_limited_s: QualityLimited { cpu, bandwidth, other },
    }
}

/// Converts a sum of whole numbers; `None` beyond `u64`.
pub(super) fn count(value: Option<f64>) -> Option<u64> {
    value.filter(|value| (0.0..=1.8e19).contains(value)).map(|value| value as u64)
}

/// The same for sums that may be negative, such as lost packets. Saturates.
pub(super) fn signed(value: Option<f64>) -> Option<i64> {
    value.map(|value| value as i64)
}
