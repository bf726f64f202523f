//! Builds the figures of users from streams and fabrics: sums are pooled before they are divided. The result does not
//! depend on the order of arrival.

use alloc::string::String;
use alloc::vec::Vec;

use super::pool::{Connectivity, Pool, sum, until};
use super::scores;
use super::streams::{View, count, millis, views};
use super::timeline;
use crate::conference::Conference;
use crate::fabric::Fabric;
use crate::id::{Direction, UserId};
use crate::stream::StreamRecord;
use crate::summary::{DeliverySummary, EventSummary, StaySummary, TalkSummary, UserState, UserSummary};
use crate::unit::Ratio;

/// All users, by name.
pub(super) fn users(
    call: &Conference,
    fabrics: &[&Fabric],
    events: &[(Option<UserId>, EventSummary)],
    talk: Option<&TalkSummary>,
) -> Vec<UserSummary> {
    let mut ids: Vec<UserId> = (0_u32..).take(call.roster.users.len()).map(UserId).collect();
    ids.sort_by_key(|&id| call.user_name(id));
    let views = || fabrics.iter().flat_map(|fabric| views(fabric));
    let all = All {
        fabrics: Grouped::new(fabrics.iter().copied(), |fabric| fabric.spec.local_user),
        by_reporter: Grouped::new(views(), |view| view.fabric.spec.local_user),
        by_owner: Grouped::new(views(), |view| view.user),
        events,
        talk,
    };
    ids.into_iter().filter_map(|id| user(call, id, &all)).collect()
}

/// The inputs of user summaries.
struct All<'a> {
    fabrics: Grouped<&'a Fabric>,
    by_reporter: Grouped<View<'a>>,
    by_owner: Grouped<View<'a>>,
    events: &'a [(Option<UserId>, EventSummary)],
    talk: Option<&'a TalkSummary>,
}

/// Items grouped by user; those of one user in their original order.
struct Grouped<T>(Vec<(UserId, T)>);

impl<T: Copy> Grouped<T> {
    fn new(things: impl Iterator<Item = T>, whose: impl Fn(&T) -> Option<UserId>) -> Self {
        let mut things: Vec<(UserId, T)> = things.filter_map(|thing| Some((whose(&thing)?, thing))).collect();
        things.sort_by_key(|&(user, _)| user);
        Self(things)
    }

    fn of(&self, user: UserId) -> impl Iterator<Item = T> {
        let first = self.0.partition_point(|&(other, _)| other < user);
        self.0.iter().skip(first).take_while(move |&&(other, _)| other == user).map(|&(_, thing)| thing)
    }
}

fn user(call: &Conference, id: UserId, all: &All<'_>) -> Option<UserSummary> {
    let user = call.roster.get(id)?;
    let own = || all.fabrics.of(id);
    let flows = |direction| all.by_reporter.of(id).filter(move |view| view.record.direction == direction);
    // Media of other users that passes through a user's connection is not theirs.
    let sent = || flows(Direction::Outbound).filter(|view| view.user == Some(id));
    let heard = all
        .by_owner
        .of(id)
        .filter(|view| view.record.direction == Direction::Inbound && view.fabric.spec.local_user != Some(id));
    let seconds = |ms: fn(&View<'_>) -> f64| sum(sent().map(|view| ms(&view))) / 1e3;
    let reported: Vec<&StreamRecord> = all.by_reporter.of(id).map(|view| view.record).collect();
    let presence = user.presence;
    let stays = user.stays.iter().map(|stay| StaySummary {
        joined_ms: millis(stay.joined),
        left_ms: stay.left.map(|(at, _)| millis(at)),
        end_reason: stay.left.map(|(_, reason)| reason),
    });
    Some(UserSummary {
        user: user.name.clone(),
        state: (presence.joins > 0).then(|| if presence.is_here() { UserState::Present } else { UserState::Left }),
        joins: presence.joins,
        stays: stays.collect(),
        score: scores::group(reported.iter().copied(), &call.config),
        fabrics: own().map(|fabric| fabric.spec.name().into()).collect(),
        connectivity: Connectivity::of(call, own()).summary(),
        uplink: Pool::of(sent()).summary(),
        downlink: Pool::of(flows(Direction::Inbound)).summary(),
        delivered: Pool::of(heard).summary(),
        muted_s: seconds(|view| view.record.times.muted),
        held_s: seconds(|view| view.record.times.held),
        paused_s: seconds(|view| view.record.times.paused),
        screen_shared_s: sum(own().map(|fabric| fabric.app.shared_s(until(call, fabric)))),
        talk: all
            .talk
            .and_then(|talk| talk.speakers.iter().find(|speaker| speaker.user.as_ref() == Some(&user.name)).cloned()),
        feedback: timeline::feedback(call, |who| who == Some(id)),
        events: all.events.iter().filter(|(whose, _)| *whose == Some(id)).map(|(_, event)| event.clone()).collect(),
    })
}

/// The streams that both ends report: sent on one fabric and received on another, matched by SSRC, kind and user.
pub(super) fn deliveries(call: &Conference, fabrics: &[&Fabric]) -> Vec<DeliverySummary> {
    let all: Vec<(usize, View<'_>)> = fabrics
        .iter()
        .enumerate()
        .flat_map(|(place, fabric)| views(fabric).into_iter().map(move |view| (place, view)))
        .filter(|(_, view)| view.record.samples > 1)
        .collect();
    let by_ssrc = |direction| {
        let mut views: Vec<_> = all.iter().filter(|(_, view)| view.record.direction == direction).collect();
        views.sort_by_key(|(place, view)| (view.record.ssrc, *place));
        views
    };
    let (sent, received) = (by_ssrc(Direction::Outbound), by_ssrc(Direction::Inbound));
    let mut links = Vec::new();
    for (sender_place, sender) in sent {
        let first = received.partition_point(|(_, view)| view.record.ssrc < sender.record.ssrc);
        let same = received.iter().skip(first).take_while(|(_, view)| view.record.ssrc == sender.record.ssrc);
        for (receiver_place, receiver) in same {
            let agree = |a: Option<UserId>, b: Option<UserId>| a.is_none() || b.is_none() || a == b;
            let is_one = sender_place != receiver_place
                && sender.record.kind == receiver.record.kind
                && agree(sender.user, receiver.user)
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

fn delivery(call: &Conference, sender: &View<'_>, receiver: &View<'_>) -> DeliverySummary {
    let name = |user: Option<UserId>| user.and_then(|user| call.user_name(user)).map(String::from);
    let loss = |view: &View<'_>| view.record.totals.loss_ratio(view.record.direction).map(Ratio::as_f64);
    DeliverySummary {
        ssrc: sender.record.ssrc,
        kind: sender.record.kind,
        from: name(sender.user.or(receiver.user)),
        to: name(receiver.fabric.spec.local_user),
        sender_fabric: sender.fabric.spec.name().into(),
        receiver_fabric: receiver.fabric.spec.name().into(),
        packets_sent: count(sender.record.totals.packets),
        packets_received: count(receiver.record.totals.packets),
        sender_loss_ratio: loss(sender),
        receiver_loss_ratio: loss(receiver),
        sender_rtt_ms: sender.record.digests.rtt_ms.stats(),
        receiver_jitter_ms: receiver.record.digests.jitter_ms.stats(),
    }
}
