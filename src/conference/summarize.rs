//! From accounts to the summary that leaves the engine.

mod diagnoses;
mod distributions;
pub(super) mod scores;

use alloc::string::String;
use alloc::vec::Vec;

pub use distributions::Distributions;

use super::Conference;
use super::speakers;
use super::timeline;
use super::users::{self, Lives, Pool};
use crate::digest::Digest;
use crate::event::CallClass;
use crate::event::EndReason;
use crate::fabric::{Fabric, StoredDevice};
use crate::id::{Direction, MediaKind, UserId};
use crate::stream::{StreamRecord, Totals};
use crate::summary::{
    AudioSummary, ConferenceState, ConferenceSummary, DeviceSummary, FabricSummary, QualityLimited, RttBySource,
    Schema, StreamSummary, VideoSummary,
};
use crate::unit::{Bitrate, Ratio, Timestamp};

pub(super) fn conference(call: &Conference) -> ConferenceSummary {
    let fabrics = order(call);
    let times = || fabrics.iter().filter_map(|fabric| fabric.span);
    let start_ms = times().map(|(first, _)| first.as_millis()).min_by(f64::total_cmp);
    let end_ms = times().map(|(_, last)| last.as_millis()).max_by(f64::total_cmp);
    let events = timeline::events(call);
    let streams = || fabrics.iter().flat_map(|fabric| views(fabric));
    let talk = speakers::talk(call);
    ConferenceSummary {
        schema: Schema::V1,
        conference: call.name.clone(),
        instance: call.instance,
        start_ms,
        end_ms,
        duration_s: start_ms.zip(end_ms).map(|(start, end)| (end - start) / 1e3),
        state: if call.end.is_some() { ConferenceState::Ended } else { ConferenceState::Ongoing },
        end_reason: call.end.map(|end| end.reason),
        class: CallClass::of_conference(fabrics.iter().filter_map(|fabric| class_of(call, fabric))),
        score: scores::group(streams().map(|view| view.account), &call.config),
        life: Lives::of(call, fabrics.iter().copied()).summary(),
        uplink: Pool::of(streams().filter(|view| view.account.direction == Direction::Outbound)).summary(),
        downlink: Pool::of(streams().filter(|view| view.account.direction == Direction::Inbound)).summary(),
        users: users::users(call, &fabrics, &events, talk.as_ref()),
        links: users::links(call, &fabrics),
        talk,
        events: events.into_iter().map(|(_, event)| event).collect(),
        refused_events: call.out.refused,
        errors: timeline::errors(call),
        refused_errors: call.log.refused_errors,
        feedback: timeline::feedback(call, |_| true),
        diagnoses: diagnoses::diagnoses(call, &fabrics, start_ms),
        refused_diagnoses: fabrics.iter().fold(0, |sum: u64, fabric| sum.saturating_add(fabric.detectors.log.refused)),
        fabrics: fabrics.iter().map(|room| fabric(call, room)).collect(),
    }
}

/// The fabrics by the time of opening, then by name and users.
pub(super) fn order(call: &Conference) -> Vec<&Fabric> {
    let mut fabrics: Vec<&Fabric> = call.fabrics.iter().collect();
    let name = |user: Option<UserId>| user.and_then(|user| call.user_name(user));
    fabrics.sort_by_key(|fabric| {
        let spec = &fabric.spec;
        (fabric.life.opened, spec.name(), name(spec.local_user), name(spec.remote_user), fabric.id())
    });
    fabrics
}

/// A stream, or a part of one, and whose it was.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) fabric: &'a Fabric,
    pub(super) account: &'a StreamRecord,
    pub(super) user: Option<UserId>,
    label: Option<&'a str>,
}

/// The streams of a fabric with all their parts: inbound before outbound, audio before video, then by SSRC and time.
pub(super) fn views(fabric: &Fabric) -> Vec<View<'_>> {
    let whole = fabric.streams.iter().map(|stream| {
        let (user, label) = fabric.owner_of(stream);
        View { fabric, account: &stream.record, user, label }
    });
    let parts = fabric.parts.iter().map(|part| {
        let (account, owner) = (&part.account, &part.owner);
        View { fabric, account, user: Some(owner.user), label: Some(&*owner.label).filter(|label| !label.is_empty()) }
    });
    let mut views: Vec<View<'_>> = whole.chain(parts).collect();
    views.sort_by(|View { account: a, .. }, View { account: b, .. }| {
        let kind = |account: &StreamRecord| account.kind.map_or(u8::MAX, |kind| kind as u8);
        let order = (a.direction, kind(a), a.ssrc).cmp(&(b.direction, kind(b), b.ssrc));
        order.then(a.start.as_millis().total_cmp(&b.start.as_millis()))
    });
    views
}

/// How the call went on a fabric.
fn class_of(call: &Conference, fabric: &Fabric) -> Option<CallClass> {
    let left = match fabric.spec.local_user {
        Some(user) => call.roster.get(user).and_then(|user| user.presence.left),
        None => call.roster.nameless.left,
    };
    fabric.life.class(left.is_some() || call.end.is_some(), matches!(left, Some((_, EndReason::Timeout))))
}

fn fabric(call: &Conference, fabric: &Fabric) -> FabricSummary {
    let mut rtcp = Digest::new();
    let views = views(fabric);
    for view in views.iter().filter(|view| view.account.direction == Direction::Outbound) {
        rtcp.merge(&view.account.digests.rtt_ms);
    }
    let flow = |direction| Pool::of(views.iter().copied().filter(|view| view.account.direction == direction)).summary();
    let name = |user: Option<UserId>| user.and_then(|user| call.user_name(user)).map(String::from);
    let (spec, life) = (&fabric.spec, &fabric.life);
    let [active, connected] = &fabric.devices;
    FabricSummary {
        fabric: spec.name().into(),
        local_user: name(spec.local_user),
        remote_user: name(spec.remote_user),
        usage: spec.usage,
        remote_endpoint_type: spec.endpoint,
        transmission_direction: spec.direction,
        state: life.state(),
        class: class_of(call, fabric),
        opened_ms: life.is_opening_known.then(|| millis(life.opened)),
        terminated_ms: life.terminated.map(millis),
        setup_delay_ms: life.setup.and_then(|setup| setup.delay_ms),
        setup_delay_uncertainty_ms: life.setup.and_then(|setup| setup.uncertainty_ms),
        gathering_delay_ms: life.gathering_delay_ms,
        connectivity_delay_ms: life.setup.and_then(|setup| setup.connectivity_ms),
        failure_delay_ms: life.failure.and_then(|(delay_ms, _)| delay_ms),
        failure_reason: life.failure.map(|(_, reason)| reason),
        life: Lives::of(call, [fabric]).summary(),
        uplink: flow(Direction::Outbound),
        downlink: flow(Direction::Inbound),
        active_devices: devices(active),
        connected_devices: devices(connected),
        start_ms: fabric.span.map(|(first, _)| first.as_millis()),
        end_ms: fabric.span.map(|(_, last)| last.as_millis()),
        snapshots: fabric.snapshots,
        selected_pair_changes: fabric.path.selected_changes,
        refused_streams: fabric.refused_streams,
        rtt_ms: RttBySource { rtcp: rtcp.stats(), ice: fabric.path.ice_rtt_ms.stats() },
        score: scores::group(views.iter().map(|view| view.account), &call.config),
        available_outgoing_bps: fabric.path.available_outgoing_bps.stats(),
        streams: views.iter().map(|view| stream(call, view)).collect(),
    }
}

fn devices(devices: &[StoredDevice]) -> Vec<DeviceSummary> {
    let device = |device: &StoredDevice| DeviceSummary {
        id: device.id.clone(),
        kind: device.kind.clone(),
        group: device.group.clone(),
        label: device.label.clone(),
    };
    devices.iter().map(device).collect()
}

/// Milliseconds of the caller's clock.
pub(super) fn millis(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1e3
}

fn stream(call: &Conference, view: &View<'_>) -> StreamSummary {
    let account = view.account;
    let (totals, digests, times) = (&account.totals, &account.digests, &account.times);
    let duration_ms = account.duration_ms();
    let (mos, score) = scores::stream(account);
    StreamSummary {
        ssrc: account.ssrc,
        direction: account.direction,
        kind: account.kind,
        user: view.user.and_then(|user| call.user_name(user)).map(String::from),
        label: view.label.or(account.label.as_deref()).map(String::from),
        codec: account.codec.as_deref().map(String::from),
        start_ms: account.start.as_millis(),
        end_ms: account.end().as_millis(),
        duration_s: duration_ms / 1e3,
        samples: account.looks,
        duplicates: account.duplicates,
        late: account.late,
        epochs: account.resets.saturating_add(1),
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
        mos,
        score,
    }
}

fn audio(account: &StreamRecord) -> AudioSummary {
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

fn video(account: &StreamRecord) -> VideoSummary {
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
pub(super) fn count(value: Option<f64>) -> Option<u64> {
    value.filter(|value| (0.0..=1.8e19).contains(value)).map(|value| value as u64)
}

// Saturates.
pub(super) fn signed(value: Option<f64>) -> Option<i64> {
    value.map(|value| value as i64)
}
