//! Builds the figures of users from streams and fabrics: sums are pooled before they are divided. The result does not
//! depend on the order of arrival.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::pool::{Connectivity, Pool, sum, until};
use super::streams::{OwnedStream, count, millis, views};
use super::timeline;
use super::{name, scores};
use crate::conference::Conference;
use crate::fabric::Fabric;
use crate::id::{Direction, FabricId, UserId};
use crate::stream::StreamRecord;
use crate::summary::{DeliverySummary, EventSummary, StaySummary, TalkSummary, UserState, UserSummary};
use crate::unit::Ratio;

/// All users, by name.
pub(super) fn users(
    call: &Conference,
    fabrics: &[&Fabric],
    unused: &BTreeSet<FabricId>,
    events: &[(Option<UserId>, EventSummary)],
    talk: Option<&TalkSummary>,
) -> Vec<UserSummary> {
    let mut ids: Vec<UserId> = (0_u32..).take(call.roster.users.len()).map(UserId).collect();
    ids.sort_by_key(|&id| call.user_name(id));
    let views: Vec<OwnedStream<'_>> = fabrics.iter().flat_map(|fabric| views(fabric)).collect();
    let all = All {
        fabrics: Grouped::new(fabrics.iter().copied(), |fabric| fabric.spec.local_user),
        by_reporter: Grouped::new(views.iter().copied(), |view| view.fabric.spec.local_user),
        by_owner: Grouped::new(views.iter().copied(), |view| view.user),
        unused,
        events,
        talk,
    };
    ids.into_iter().filter_map(|id| user(call, id, &all)).collect()
}

/// The inputs of user summaries.
struct All<'a> {
    fabrics: Grouped<&'a Fabric>,
    by_reporter: Grouped<OwnedStream<'a>>,
    by_owner: Grouped<OwnedStream<'a>>,
    unused: &'a BTreeSet<FabricId>,
    events: &'a [(Option<UserId>, EventSummary)],
    talk: Option<&'a TalkSummary>,
}

/// Items grouped by user; those of one user in their original order.
struct Grouped<T>(Vec<(UserId, T)>);

impl<T: Copy> Grouped<T> {
    fn new(items: impl Iterator<Item = T>, owner: impl Fn(&T) -> Option<UserId>) -> Self {
        let mut items: Vec<(UserId, T)> = items.filter_map(|item| Some((owner(&item)?, item))).collect();
        items.sort_by_key(|&(user, _)| user);
        Self(items)
    }

    fn of(&self, user: UserId) -> impl Iterator<Item = T> {
        let first = self.0.partition_point(|&(other, _)| other < user);
        self.0.iter().skip(first).take_while(move |&&(other, _)| other == user).map(|&(_, item)| item)
    }
}

fn user(call: &Conference, id: UserId, all: &All<'_>) -> Option<UserSummary> {
    let user = call.roster.get(id)?;
    let own: Vec<&Fabric> = all.fabrics.of(id).collect();
    let (sent, received): (Vec<OwnedStream<'_>>, Vec<OwnedStream<'_>>) =
        all.by_reporter.of(id).partition(|view| view.record.direction == Direction::Outbound);
    // Media of other users that passes through a user's connection is not theirs.
    let sent: Vec<OwnedStream<'_>> = sent.into_iter().filter(|view| view.user == Some(id)).collect();
    let delivered = all
        .by_owner
        .of(id)
        .filter(|view| view.record.direction == Direction::Inbound && view.fabric.spec.local_user != Some(id));
    let reported: Vec<&StreamRecord> = all.by_reporter.of(id).map(|view| view.record).collect();
    let presence = user.presence;
    let stays = user.stays.iter().map(|stay| StaySummary {
        joined_ms: millis(stay.joined),
        left_ms: stay.left.map(|(at, _)| millis(at)),
        end_reason: stay.left.map(|(_, reason)| reason),
    });
    Some(UserSummary {
        user: user.name.clone(),
        state: (presence.joins > 0).then(|| if presence.is_present() { UserState::Present } else { UserState::Left }),
        joins: presence.joins,
        stays: stays.collect(),
        score: scores::group(reported.iter().copied(), &call.config),
        fabrics: own.iter().map(|fabric| fabric.spec.name().into()).collect(),
        connectivity: Connectivity::of(call, &own, all.unused).summary(),
        uplink: Pool::of(sent.iter().copied()).summary(),
        downlink: Pool::of(received).summary(),
        delivered: Pool::of(delivered).summary(),
        muted_s: sum(sent.iter().map(|view| view.record.times.muted)) / 1e3,
        held_s: sum(sent.iter().map(|view| view.record.times.held)) / 1e3,
        paused_s: sum(sent.iter().map(|view| view.record.times.paused)) / 1e3,
        lost_s: sum(sent.iter().map(|view| view.record.times.lost)) / 1e3,
        screen_shared_s: sum(own.iter().map(|fabric| fabric.app.shared_s(until(call, fabric)))),
        talk: all
            .talk
            .and_then(|talk| talk.speakers.iter().find(|speaker| speaker.user.as_ref() == Some(&user.name)).cloned()),
        feedback: timeline::feedback(call, |user| user == Some(id)),
        events: all.events.iter().filter(|(owner, _)| *owner == Some(id)).map(|(_, event)| event.clone()).collect(),
    })
}

/// The streams that both ends report: sent on one fabric and received on another, matched by SSRC, kind and user.
pub(super) fn deliveries(call: &Conference, fabrics: &[&Fabric]) -> Vec<DeliverySummary> {
    let all: Vec<(usize, OwnedStream<'_>)> = fabrics
        .iter()
        .enumerate()
        .flat_map(|(place, fabric)| views(fabric).into_iter().map(move |view| (place, view)))
        .filter(|(_, view)| view.record.samples > 1)
        .collect();
    let (mut sent, mut received): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, view)| view.record.direction == Direction::Outbound);
    sent.sort_by_key(|(place, view)| (view.record.ssrc, *place));
    received.sort_by_key(|(place, view)| (view.record.ssrc, *place));
    let mut links = Vec::new();
    for (sender_place, sender) in &sent {
        let first = received.partition_point(|(_, view)| view.record.ssrc < sender.record.ssrc);
        let same = received.iter().skip(first).take_while(|(_, view)| view.record.ssrc == sender.record.ssrc);
        for (receiver_place, receiver) in same {
            let same_user = sender.user.is_none() || receiver.user.is_none() || sender.user == receiver.user;
            let is_one = sender_place != receiver_place
                && sender.record.kind == receiver.record.kind
                && same_user
                && links.len() < MAX_LINKS;
            if is_one {
                links.push(delivery(call, sender, receiver));
            }
        }
    }
    links
}

/// An SSRC may be sent and received on any number of fabrics; more pairs than this carry no information.
const MAX_LINKS: usize = 65_536;

fn delivery(call: &Conference, sender: &OwnedStream<'_>, receiver: &OwnedStream<'_>) -> DeliverySummary {
    DeliverySummary {
        ssrc: sender.record.ssrc,
        kind: sender.record.kind,
        from: name(call, sender.user.or(receiver.user)),
        to: name(call, receiver.fabric.spec.local_user),
        sender_fabric: sender.fabric.spec.name().into(),
        receiver_fabric: receiver.fabric.spec.name().into(),
        packets_sent: count(sender.record.totals.packets.get()),
        packets_received: count(receiver.record.totals.packets.get()),
        sender_loss_ratio: loss(sender),
        receiver_loss_ratio: loss(receiver),
        sender_rtt_ms: sender.record.digests.rtt_ms().stats(),
        receiver_jitter_ms: receiver.record.digests.jitter_ms().stats(),
    }
}

fn loss(view: &OwnedStream<'_>) -> Option<f64> {
    view.record.totals.loss_ratio(view.record.direction).map(Ratio::as_f64)
}
