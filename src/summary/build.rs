//! Builds summaries from the records of a conference. It reads the conference and changes nothing.

mod diagnoses;
mod distributions;
mod pool;
mod scores;
mod streams;
mod talk;
mod timeline;
mod users;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

pub use distributions::Distributions;

use crate::conference::Conference;
use crate::digest::Digest;
use crate::event::{CallClass, EndReason};
use crate::fabric::{ClockCounts, Fabric, Path, StoredDevice};
use crate::id::{Direction, FabricId, UserId};
use crate::summary::{
    ClockSummary, ConferenceState, ConferenceSummary, DeviceSummary, FabricSummary, FlowSummary, PathSummary,
    RttBySource, Schema,
};
use crate::unit::StatTime;
use pool::{Connectivity, Pool};
use streams::{OwnedStream, doubted_values, millis, order, stream, views};

impl Conference {
    /// Summarizes the call so far. It changes nothing, so the caller may ask at any time.
    ///
    /// Cost: linear in the number of streams, with an allocation for each; meant for the end of a call or a slow tick.
    #[must_use]
    pub fn summary(&self) -> ConferenceSummary {
        conference(self)
    }

    /// The fabrics in the order of [`ConferenceSummary::fabrics`]: by the time of opening, then by name and users, so
    /// the order of simultaneous openings does not matter.
    #[must_use]
    pub fn fabric_order(&self) -> Vec<FabricId> {
        order(self).into_iter().map(Fabric::id).collect()
    }
}

fn conference(call: &Conference) -> ConferenceSummary {
    let fabrics = order(call);
    let spans = fabrics.iter().filter_map(|fabric| fabric.span());
    let start_ms = spans.clone().map(|(first, _)| first).min().map(StatTime::as_millis);
    let end_ms = spans.map(|(_, last)| last).max().map(StatTime::as_millis);
    let events = timeline::events(call);
    let streams: Vec<OwnedStream<'_>> = fabrics.iter().flat_map(|fabric| views(fabric)).collect();
    let talk = talk::talk(call);
    let unused = diagnoses::unused(&fabrics);
    let used = fabrics.iter().filter(|fabric| !unused.contains(&fabric.id()));
    ConferenceSummary {
        schema: Schema::V1,
        conference: call.name.clone(),
        instance: call.instance,
        start_ms,
        end_ms,
        duration_s: start_ms.zip(end_ms).map(|(start, end)| (end - start) / 1e3),
        state: if call.end.is_some() { ConferenceState::Ended } else { ConferenceState::Ongoing },
        end_reason: call.end.map(|end| end.reason),
        call_class: CallClass::of_conference(used.filter_map(|fabric| class_of(call, fabric))),
        score: scores::group(streams.iter().map(|view| view.record), &call.config),
        connectivity: Connectivity::of(call, &fabrics, &unused).summary(),
        uplink: flow(&streams, Direction::Outbound),
        downlink: flow(&streams, Direction::Inbound),
        users: users::users(call, &fabrics, &unused, &events, talk.as_ref()),
        deliveries: users::deliveries(call, &fabrics),
        talk,
        events: events.into_iter().map(|(_, event)| event).collect(),
        refused_events: call.out.timeline.refused,
        errors: timeline::errors(call),
        refused_errors: call.log.refused_errors,
        feedback: timeline::feedback(call, |_| true),
        diagnoses: diagnoses::diagnoses(call, &fabrics, &unused, start_ms),
        refused_diagnoses: fabrics.iter().fold(0, |sum: u64, fabric| sum.saturating_add(fabric.detectors.log.refused)),
        fabrics: fabrics.iter().map(|fabric| fabric_summary(call, fabric)).collect(),
    }
}

/// How the call went on a fabric.
fn class_of(call: &Conference, fabric: &Fabric) -> Option<CallClass> {
    let left = match fabric.spec.local_user {
        Some(user) => call.roster.get(user).and_then(|user| user.presence.left),
        None => call.roster.unnamed.left,
    };
    let is_over = left.is_some() || call.end.is_some();
    fabric.lifecycle.class(is_over, matches!(left, Some((_, EndReason::Timeout))), fabric.has_received())
}

fn fabric_summary(call: &Conference, fabric: &Fabric) -> FabricSummary {
    let mut rtcp = Digest::new();
    let views = views(fabric);
    for view in views.iter().filter(|view| view.record.direction == Direction::Outbound) {
        rtcp.merge(&view.record.digests.rtt_ms());
    }
    let (spec, life) = (&fabric.spec, &fabric.lifecycle);
    let [active, connected] = &fabric.devices;
    FabricSummary {
        fabric: spec.name().into(),
        local_user: name(call, spec.local_user),
        remote_user: name(call, spec.remote_user),
        usage: spec.usage,
        remote_endpoint_type: spec.endpoint,
        transmission_direction: spec.direction,
        state: life.state(),
        call_class: class_of(call, fabric),
        opened_ms: life.is_opening_known.then(|| millis(life.opened)),
        terminated_ms: life.terminated.map(millis),
        setup_delay_ms: life.setup().and_then(|setup| setup.delay_ms),
        setup_delay_uncertainty_ms: life.setup().and_then(|setup| setup.uncertainty_ms),
        gathering_delay_ms: life.gathering_delay_ms,
        connectivity_delay_ms: life.setup().and_then(|setup| setup.connectivity_ms),
        failure_delay_ms: life.course.failure.and_then(|(delay_ms, _)| delay_ms),
        failure_reason: life.course.failure.map(|(_, reason)| reason),
        connectivity: Connectivity::of(call, &[fabric], &BTreeSet::new()).summary(),
        uplink: flow(&views, Direction::Outbound),
        downlink: flow(&views, Direction::Inbound),
        active_devices: devices(active),
        connected_devices: devices(connected),
        start_ms: fabric.span().map(|(first, _)| first.as_millis()),
        end_ms: fabric.span().map(|(_, last)| last.as_millis()),
        clock: clock(fabric),
        skipped_entries: fabric.skipped_entries,
        bad_fields: fabric.bad_fields,
        snapshots: fabric.snapshots,
        carried_media: fabric.carried_media(),
        carried_data: fabric.carried_data(),
        selected_pair_changes: fabric.paths.main.selected_changes,
        refused_streams: fabric.refused_streams,
        rtt_ms: RttBySource { rtcp: rtcp.stats(), ice: fabric.paths.main.ice_rtt_ms.stats() },
        score: scores::group(views.iter().map(|view| view.record), &call.config),
        available_outgoing_bps: fabric.paths.main.available_outgoing_bps.stats(),
        doubted: doubted_values(fabric.paths.iter().fold(fabric.playout.doubted, |sum, path| sum.plus(path.doubted))),
        paths: fabric.paths.iter().filter(|path| path.is_known()).map(path).collect(),
        streams: views.iter().map(|view| stream(call, view)).collect(),
    }
}

fn path(path: &Path) -> PathSummary {
    PathSummary {
        transport: path.transport.as_deref().map(String::from),
        state: path.state,
        rtt_ms: path.ice_rtt_ms.stats(),
        available_outgoing_bps: path.available_outgoing_bps.stats(),
        relayed: path.is_relayed(),
        relay: path.relay(),
        protocol: path.is_tcp().map(|is_tcp| String::from(if is_tcp { "tcp" } else { "udp" })),
        relayed_s: path.relayed_ms.map(|ms| ms / 1e3),
        selected_pair_changes: path.selected_changes,
    }
}

/// The streams of one direction, pooled.
fn flow(views: &[OwnedStream<'_>], direction: Direction) -> FlowSummary {
    Pool::of(views.iter().copied().filter(|view| view.record.direction == direction)).summary()
}

fn clock(fabric: &Fabric) -> ClockSummary {
    let ClockCounts { steps, unit_changes, untimed, wild, offset_ms } = fabric.clock.counts;
    ClockSummary { steps, unit_changes, untimed, wild, offset_ms }
}

fn name(call: &Conference, user: Option<UserId>) -> Option<String> {
    call.user_name(user?).map(String::from)
}

fn devices(devices: &[StoredDevice]) -> Vec<DeviceSummary> {
    devices.iter().map(device).collect()
}

fn device(device: &StoredDevice) -> DeviceSummary {
    DeviceSummary {
        id: device.id.clone(),
        kind: device.kind.clone(),
        group: device.group.clone(),
        label: device.label.clone(),
    }
}
