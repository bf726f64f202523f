//! From streams and fabrics to users: sums pooled before they are divided, in an order that nobody's arrival decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::Conference;
use super::summarize::{View, count, millis, scores, signed, views};
use super::timeline;
use crate::digest::Digest;
use crate::fabric::Fabric;
use crate::id::{Direction, UserId};
use crate::stream::StreamRecord;
use crate::summary::{
    DelaySummary, EventSummary, FlowSummary, LifeSummary, LinkSummary, StaySummary, TalkSummary, UserState, UserSummary,
};
use crate::unit::{Bitrate, Ratio, Timestamp};

/// Every user, by name.
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

/// All that users are made of.
struct All<'a> {
    fabrics: Grouped<&'a Fabric>,
    by_reporter: Grouped<View<'a>>,
    by_owner: Grouped<View<'a>>,
    events: &'a [(Option<UserId>, EventSummary)],
    talk: Option<&'a TalkSummary>,
}

/// Things by the user whose they are; those of one user in the order in which they came.
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
    let flows = |direction| all.by_reporter.of(id).filter(move |view| view.account.direction == direction);
    // What others let pass through somebody's connection is not theirs.
    let sent = || flows(Direction::Outbound).filter(|view| view.user == Some(id));
    let heard = all
        .by_owner
        .of(id)
        .filter(|view| view.account.direction == Direction::Inbound && view.fabric.spec.local_user != Some(id));
    let seconds = |ms: fn(&View<'_>) -> f64| sum(sent().map(|view| ms(&view))) / 1e3;
    let reported: Vec<&StreamRecord> = all.by_reporter.of(id).map(|view| view.account).collect();
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
        life: Lives::of(call, own()).summary(),
        uplink: Pool::of(sent()).summary(),
        downlink: Pool::of(flows(Direction::Inbound)).summary(),
        heard: Pool::of(heard).summary(),
        muted_s: seconds(|view| view.account.times.muted),
        held_s: seconds(|view| view.account.times.held),
        paused_s: seconds(|view| view.account.times.paused),
        screen_shared_s: sum(own().map(|fabric| fabric.app.shared_s(until(call, fabric)))),
        talk: all
            .talk
            .and_then(|talk| talk.speakers.iter().find(|speaker| speaker.user.as_ref() == Some(&user.name)).cloned()),
        feedback: timeline::feedback(call, |who| who == Some(id)),
        events: all.events.iter().filter(|(whose, _)| *whose == Some(id)).map(|(_, event)| event.clone()).collect(),
    })
}

/// Until when something goes on that nobody ended: until the fabric, the conference or the clock stands.
fn until(call: &Conference, fabric: &Fabric) -> Timestamp {
    let now = call.now.unwrap_or_default();
    let end = call.end.map(|end| end.at);
    fabric.life.terminated.into_iter().chain(end).fold(now, Timestamp::min)
}

/// The sum, 0 of nothing; `Iterator::sum` makes that −0.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Every stream that both ends report: sent on one fabric and received on another, by SSRC, kind and user.
pub(super) fn links(call: &Conference, fabrics: &[&Fabric]) -> Vec<LinkSummary> {
    let all: Vec<(usize, View<'_>)> = fabrics
        .iter()
        .enumerate()
        .flat_map(|(place, fabric)| views(fabric).into_iter().map(move |view| (place, view)))
        .filter(|(_, view)| view.account.looks > 1)
        .collect();
    let by_ssrc = |direction| {
        let mut views: Vec<_> = all.iter().filter(|(_, view)| view.account.direction == direction).collect();
        views.sort_by_key(|(place, view)| (view.account.ssrc, *place));
        views
    };
    let (sent, received) = (by_ssrc(Direction::Outbound), by_ssrc(Direction::Inbound));
    let mut links = Vec::new();
    for (sender_place, sender) in sent {
        let first = received.partition_point(|(_, view)| view.account.ssrc < sender.account.ssrc);
        let same = received.iter().skip(first).take_while(|(_, view)| view.account.ssrc == sender.account.ssrc);
        for (receiver_place, receiver) in same {
            let agree = |a: Option<UserId>, b: Option<UserId>| a.is_none() || b.is_none() || a == b;
            let is_one = sender_place != receiver_place
                && sender.account.kind == receiver.account.kind
                && agree(sender.user, receiver.user)
                && links.len() < MAX_LINKS;
            if is_one {
                links.push(link(call, sender, receiver));
            }
        }
    }
    links
}

/// One SSRC may be sent and received on any number of fabrics; beyond this many, pairs tell nothing any more.
const MAX_LINKS: usize = 65_536;

fn link(call: &Conference, sender: &View<'_>, receiver: &View<'_>) -> LinkSummary {
    let name = |user: Option<UserId>| user.and_then(|user| call.user_name(user)).map(String::from);
    let loss = |view: &View<'_>| view.account.totals.loss_ratio(view.account.direction).map(Ratio::as_f64);
    LinkSummary {
        ssrc: sender.account.ssrc,
        kind: sender.account.kind,
        from: name(sender.user.or(receiver.user)),
        to: name(receiver.fabric.spec.local_user),
        sender_fabric: sender.fabric.spec.name().into(),
        receiver_fabric: receiver.fabric.spec.name().into(),
        packets_sent: count(sender.account.totals.packets),
        packets_received: count(receiver.account.totals.packets),
        sender_loss_ratio: loss(sender),
        receiver_loss_ratio: loss(receiver),
        sender_rtt_ms: sender.account.digests.rtt_ms.stats(),
        receiver_jitter_ms: receiver.account.digests.jitter_ms.stats(),
    }
}

/// Streams pooled.
#[derive(Default)]
pub(super) struct Pool {
    streams: u64,
    packets: Option<f64>,
    lost: Option<f64>,
    bytes: Option<f64>,
    /// Lost and expected packets of streams that say both.
    loss: Option<(f64, f64)>,
    /// The first look at any of them, and the last.
    span: Option<(f64, f64)>,
    jitter_ms: Digest,
    rtt_ms: Digest,
}

impl Pool {
    pub(super) fn of<'a>(views: impl IntoIterator<Item = View<'a>>) -> Self {
        let mut pool = Self::default();
        for View { account, .. } in views {
            let totals = &account.totals;
            pool.streams += 1;
            for (sum, value) in
                [(&mut pool.packets, totals.packets), (&mut pool.lost, totals.lost), (&mut pool.bytes, totals.bytes)]
            {
                if let Some(value) = value {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                }
            }
            if let Some((lost, expected)) = totals.loss(account.direction) {
                let (lost_before, expected_before) = pool.loss.unwrap_or((0.0, 0.0));
                pool.loss = Some((lost_before + lost, expected_before + expected));
            }
            let (start, end) = (account.start.as_millis(), account.end().as_millis());
            let (first, last) = pool.span.unwrap_or((start, end));
            pool.span = Some((first.min(start), last.max(end)));
            pool.jitter_ms.merge(&account.digests.jitter_ms);
            pool.rtt_ms.merge(&account.digests.rtt_ms);
        }
        pool
    }

    pub(super) fn summary(&self) -> FlowSummary {
        let bitrate =
            self.bytes.zip(self.span).and_then(|(bytes, (first, last))| Bitrate::from_bytes(bytes, last - first));
        FlowSummary {
            streams: self.streams,
            packets: count(self.packets),
            packets_lost: signed(self.lost),
            bytes: count(self.bytes),
            bitrate_bps: bitrate.map(Bitrate::as_bps),
            loss_ratio: self.loss.and_then(|(lost, expected)| Ratio::of(lost, expected)).map(Ratio::as_f64),
            jitter_ms: self.jitter_ms.stats(),
            rtt_ms: self.rtt_ms.stats(),
        }
    }
}

/// What befell fabrics.
#[derive(Default)]
pub(super) struct Lives {
    setup_delays_ms: Vec<f64>,
    setup_failures: u64,
    disruptions: u64,
    disrupted_ms: f64,
    restarts: u64,
    switches: u64,
    drops: u64,
    relayed_ms: Option<f64>,
    errors: u64,
}

impl Lives {
    pub(super) fn of<'a>(call: &Conference, fabrics: impl IntoIterator<Item = &'a Fabric>) -> Self {
        let mut lives = Self::default();
        for fabric in fabrics {
            let life = &fabric.life;
            lives.setup_delays_ms.extend(life.setup.and_then(|setup| setup.delay_ms));
            lives.setup_failures += u64::from(life.failure.is_some());
            lives.disruptions = lives.disruptions.saturating_add(life.disruptions);
            lives.disrupted_ms += life.disrupted_ms(until(call, fabric));
            lives.restarts = lives.restarts.saturating_add(life.restarts);
            lives.switches = lives.switches.saturating_add(life.switches);
            lives.drops = lives.drops.saturating_add(life.drops);
            if let Some(ms) = fabric.path.relayed_ms {
                lives.relayed_ms = Some(lives.relayed_ms.unwrap_or(0.0) + ms);
            }
            let errors = call.log.errors.iter().filter(|error| error.fabric == Some(fabric.id()));
            lives.errors += errors.filter(|error| !error.function.is_log()).count() as u64;
        }
        lives
    }

    pub(super) fn summary(mut self) -> LifeSummary {
        LifeSummary {
            setup_delay_ms: delays(&mut self.setup_delays_ms),
            setup_failures: self.setup_failures,
            disruptions: self.disruptions,
            disrupted_s: self.disrupted_ms / 1e3,
            restarts: self.restarts,
            transport_switches: self.switches,
            drops: self.drops,
            relayed_s: self.relayed_ms.map(|ms| ms / 1e3),
            errors: self.errors,
        }
    }
}

fn delays(delays_ms: &mut [f64]) -> DelaySummary {
    delays_ms.sort_by(f64::total_cmp);
    let n = delays_ms.len();
    let at = |place: usize| delays_ms.get(place).copied();
    let last = n.checked_sub(1);
    DelaySummary {
        min: at(0),
        mean: (n > 0).then(|| delays_ms.iter().sum::<f64>() / n as f64),
        median: last.and_then(|last| Some((at(last / 2)? + at(n / 2)?) / 2.0)),
        max: last.and_then(at),
        n: n as u64,
    }
}
