//! Orders the diagnoses of all fabrics and links effects to causes across fabrics. It detects nothing.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use ordered_float::OrderedFloat;

use crate::conference::Conference;
use crate::diagnosis::{Diagnosis, Kind, Reach, Severity, Side, causes_of};
use crate::fabric::Fabric;
use crate::id::{Direction, FabricId, MediaKind, Ssrc, UserId};
use crate::summary::DiagnosisSummary;
use crate::summary::unused::{Use, unused as are_unused};

/// A diagnosis with its place and its cause.
struct Case<'a> {
    /// The index of the fabric.
    index: usize,
    diagnosis: &'a Diagnosis,
    reach: Reach,
    /// The mean sample interval of that fabric.
    sample_ms: f64,
    /// The path of the packets: the receiving fabric, if both ends are known.
    path: Option<(usize, Side)>,
    /// The index of the case that caused this one.
    cause: Option<usize>,
    /// The connection never carried anything, and another one of the same user did.
    is_of_unused: bool,
    /// The severity and the total duration, ms, of the case with all its effects.
    severity: Severity,
    all_ms: f64,
}

/// The facts about a case that follow from other cases.
struct CaseContext {
    /// The user whose uplink lost the packets.
    uplink_user: Option<UserId>,
    /// The index of the cause in the summary.
    cause: Option<usize>,
    burst_factor: Option<f64>,
}

/// The diagnoses of all fabrics, worst first: by severity, then by duration including effects. Effects follow right
/// after their cause.
pub(super) fn diagnoses(
    call: &Conference,
    fabrics: &[&Fabric],
    unused: &BTreeSet<FabricId>,
    start_ms: Option<f64>,
) -> Vec<DiagnosisSummary> {
    let peers = peers(fabrics);
    let start_ms = start_ms.unwrap_or(0.0);
    let mut cases = collect_cases(fabrics, unused, &peers, start_ms);
    cases.sort_by(worse);
    find_causes(&mut cases, fabrics);
    let uplink_user = find_lossy_uplinks(&mut cases, fabrics, &peers);
    let causes: Vec<Option<usize>> = (0..cases.len()).map(|at| root(&cases, at)).collect();
    add_effects_to_causes(&mut cases, &causes);
    let order = summary_order(&cases, &causes);
    let mut places: Vec<usize> = alloc::vec![0; order.len()];
    for (place, &at) in order.iter().enumerate() {
        places[at] = place;
    }
    let bursts = burst_factors(&cases);
    let mut summaries = Vec::with_capacity(order.len());
    for at in order {
        let case = &cases[at];
        let is_loss_sent = case.diagnosis.kind == Kind::HighLoss && case.diagnosis.side == Some(Side::Uplink);
        let context = CaseContext {
            uplink_user: uplink_user.get(&at).copied(),
            cause: causes[at].map(|cause| places[cause]),
            burst_factor: bursts.get(&at).copied().flatten().filter(|_| is_loss_sent),
        };
        summaries.push(summary(call, fabrics, case, context, start_ms));
    }
    summaries
}

/// The diagnoses of all fabrics with their places; causes are not known yet. What began before the first snapshot, such
/// as a set-up, counts from it: the call's time begins there.
fn collect_cases<'a>(
    fabrics: &[&'a Fabric],
    unused: &BTreeSet<FabricId>,
    peers: &BTreeMap<usize, usize>,
    start_ms: f64,
) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        let end_ms = fabric.span().map(|(_, last)| last.as_millis());
        let is_of_unused = unused.contains(&fabric.id());
        for diagnosis in fabric.detectors.log.diagnoses.iter().filter(|diagnosis| !diagnosis.is_refuted) {
            let from_ms = diagnosis.from.as_millis().max(start_ms);
            let to_ms = diagnosis.to.map(|to| to.as_millis()).or(end_ms).unwrap_or(from_ms).max(from_ms);
            let receiver = peers.get(&index).map(|&receiver| (receiver, Side::Downlink));
            let path = diagnosis.side.map(|side| match side {
                Side::Uplink => receiver.unwrap_or((index, side)),
                Side::Downlink => (index, side),
            });
            let reach = Reach { from_ms, to_ms };
            let severity = if is_of_unused { Severity::Notice } else { diagnosis.severity };
            let all_ms = reach.length_ms();
            let sample_ms =
                fabric.span().map_or(0.0, |(first, last)| last.millis_since(first)) / fabric.snapshots.max(1) as f64;
            cases.push(Case { index, diagnosis, reach, sample_ms, path, cause: None, is_of_unused, severity, all_ms });
        }
    }
    cases
}

/// Adds the severity and the duration of each effect to its root cause.
fn add_effects_to_causes(cases: &mut [Case<'_>], causes: &[Option<usize>]) {
    for (at, &cause) in causes.iter().enumerate() {
        let Some(cause) = cause else { continue };
        let (severity, ms) = (cases[at].severity, cases[at].reach.length_ms());
        let cause = &mut cases[cause];
        cause.severity = cause.severity.max(severity);
        cause.all_ms += ms;
    }
}

/// The cases in the order of the summary, with effects right after their cause. The sort is stable: effects stay worst
/// first.
fn summary_order(cases: &[Case<'_>], causes: &[Option<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|&a, &b| {
        let (root, other) = (causes[a].unwrap_or(a), causes[b].unwrap_or(b));
        worse(&cases[root], &cases[other]).then((root, root != a).cmp(&(other, other != b)))
    });
    order
}

/// The burst factor of each loss that causes another loss, from its effect: only the receiver knows the distribution of
/// loss.
fn burst_factors(cases: &[Case<'_>]) -> BTreeMap<usize, Option<f64>> {
    let mut bursts = BTreeMap::new();
    for case in cases.iter().filter(|case| case.diagnosis.kind == Kind::HighLoss) {
        let Some(cause) = case.cause else { continue };
        bursts.entry(cause).or_insert_with(|| case.diagnosis.evidence.get("burst_factor"));
    }
    bursts
}

/// The [unused](crate::summary::unused) fabrics.
pub(super) fn unused(fabrics: &[&Fabric]) -> BTreeSet<FabricId> {
    let uses: Vec<Use<UserId>> = fabrics
        .iter()
        .map(|fabric| Use {
            user: fabric.spec.local_user,
            is_used: fabric.carried_media() || fabric.carried_data(),
            has_streams: fabric.streams.len() > 0,
        })
        .collect();
    fabrics.iter().zip(are_unused(&uses)).filter(|(_, is_unused)| *is_unused).map(|(fabric, _)| fabric.id()).collect()
}

/// Maps each sending fabric to the fabric that receives its streams: a stream has the same SSRC at both ends.
fn peers(fabrics: &[&Fabric]) -> BTreeMap<usize, usize> {
    let mut receivers: BTreeMap<Ssrc, Option<usize>> = BTreeMap::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        for record in fabric.streams.records().filter(|record| record.direction == Direction::Inbound) {
            // A stream with several receivers passes through a server.
            receivers.entry(record.ssrc).and_modify(|receiver| *receiver = None).or_insert(Some(index));
        }
    }
    let mut peers = BTreeMap::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        let sent = fabric.streams.records().filter(|record| record.direction == Direction::Outbound);
        let mut receivers = sent.filter_map(|record| receivers.get(&record.ssrc).copied().flatten());
        if let Some(receiver) = receivers.find(|&receiver| receiver != index) {
            peers.insert(index, receiver);
        }
    }
    peers
}

fn worse(a: &Case<'_>, b: &Case<'_>) -> Ordering {
    let rank = |case: &Case<'_>| {
        let severest_and_longest = Reverse((case.severity, OrderedFloat(case.all_ms)));
        (severest_and_longest, OrderedFloat(case.reach.from_ms), case.key())
    };
    rank(a).cmp(&rank(b))
}

/// The cases by fabric, including the cases on the path to it.
struct CasesByFabric(BTreeMap<usize, Vec<usize>>);

impl CasesByFabric {
    fn of(cases: &[Case<'_>]) -> Self {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, case) in cases.iter().enumerate() {
            for fabric in case.fabrics() {
                places.entry(fabric).or_default().push(at);
            }
        }
        Self(places)
    }

    /// The cases that may be in the same place as this one.
    fn near<'a>(&'a self, case: &Case<'_>) -> impl Iterator<Item = usize> + 'a {
        case.fabrics().filter_map(|fabric| self.0.get(&fabric)).flatten().copied()
    }
}

impl Case<'_> {
    /// Its own fabric, and the fabric that receives the affected media.
    fn fabrics(&self) -> impl Iterator<Item = usize> + use<> {
        let receiver = self.path.map(|(receiver, _)| receiver).filter(|&receiver| receiver != self.index);
        core::iter::once(self.index).chain(receiver)
    }

    /// The order of cases that are equally bad.
    fn key(&self) -> (Kind, usize, Option<Side>, Option<Ssrc>) {
        let diagnosis = self.diagnosis;
        (diagnosis.kind, self.index, diagnosis.side, diagnosis.stream.map(|key| key.ssrc))
    }

    /// Whether it is a loss at a receiver without a known cause.
    fn is_unexplained_loss(&self) -> bool {
        self.diagnosis.kind == Kind::HighLoss && self.diagnosis.side == Some(Side::Downlink) && self.cause.is_none()
    }
}

/// Finds the cause of each case.
fn find_causes(cases: &mut [Case<'_>], fabrics: &[&Fabric]) {
    let places = CasesByFabric::of(cases);
    let found: Vec<Option<usize>> = cases.iter().map(|effect| find_cause(effect, cases, &places, fabrics)).collect();
    for (case, found) in cases.iter_mut().zip(found) {
        case.cause = found;
    }
}

/// The cause of a case: among the possible causes in the same place and time the deepest, and of several of one kind
/// the worst. A problem that both ends report gets one root.
fn find_cause(effect: &Case<'_>, cases: &[Case<'_>], places: &CasesByFabric, fabrics: &[&Fabric]) -> Option<usize> {
    let kinds = causes_of(effect.diagnosis.kind);
    let near: Vec<usize> = places.near(effect).collect();
    let candidates = near.iter().filter_map(|&at| {
        let cause = &cases[at];
        let kind = cause.diagnosis.kind;
        let depth = kinds.iter().position(|&other| other == kind && kind != effect.diagnosis.kind)?;
        (is_same_place(effect, cause) && effect.reach.follows(cause.reach, effect.sample_ms)).then_some((depth, at))
    });
    candidates
        .min()
        .map(|(_, at)| at)
        .or_else(|| first_case(&near, cases, |cause| is_jitter_behind(effect, cause)))
        .or_else(|| first_case(&near, cases, |cause| leads(cause, effect)))
        .or_else(|| first_case(&near, cases, |cause| is_other_stream(fabrics, cause, effect)))
}

/// The first of some cases that has a property.
fn first_case(near: &[usize], cases: &[Case<'_>], is_it: impl Fn(&Case<'_>) -> bool) -> Option<usize> {
    near.iter().copied().filter(|&at| is_it(&cases[at])).min()
}

/// Whether the same user's media is missing in two streams at once and `a` represents both: the audio stream, or the
/// first by SSRC.
fn is_other_stream(fabrics: &[&Fabric], a: &Case<'_>, b: &Case<'_>) -> bool {
    let are_one_way = [a, b].iter().all(|case| case.diagnosis.kind == Kind::OneWayMedia);
    if !are_one_way || a.index != b.index || !a.reach.meets(b.reach) {
        return false;
    }
    let (Some((owner, a)), Some((other, b))) = (owner_and_rank(fabrics, a), owner_and_rank(fabrics, b)) else {
        return false;
    };
    owner == other && a < b
}

/// The owner of the stream of a case, and its rank: audio first, then by SSRC.
fn owner_and_rank(fabrics: &[&Fabric], case: &Case<'_>) -> Option<(Option<UserId>, (bool, Ssrc))> {
    let (fabric, key) = (fabrics.get(case.index)?, case.diagnosis.stream?);
    let stream = fabric.streams.find(key.direction, key.ssrc)?;
    let is_video = stream.record.kind == Some(MediaKind::Video);
    Some((fabric.owner_of(stream).0, (is_video, key.ssrc)))
}

const fn is_congestion(kind: Kind) -> bool {
    matches!(kind, Kind::UplinkCongestion | Kind::DownlinkCongestion)
}

fn is_jitter_behind(effect: &Case<'_>, cause: &Case<'_>) -> bool {
    let is_jitter = cause.diagnosis.kind == Kind::HighJitter;
    is_congestion(effect.diagnosis.kind)
        && is_jitter
        && is_same_place(effect, cause)
        && cause.reach.is_jitter_behind(effect.reach)
}

fn is_same_place(effect: &Case<'_>, cause: &Case<'_>) -> bool {
    match (effect.path, cause.path) {
        (Some(a), Some(b)) => a == b,
        _ => effect.index == cause.index,
    }
}

/// Whether `a` and `b` report the same problem from both ends of a path and `a` is the better report: the sender's, if
/// it covers the receiver's.
fn leads(a: &Case<'_>, b: &Case<'_>) -> bool {
    let (kind, other) = (a.diagnosis.kind, b.diagnosis.kind);
    let is_same = kind == other && kind == Kind::HighLoss || is_congestion(kind) && is_congestion(other);
    if !is_same || a.path != b.path || a.path.is_none() || !a.reach.meets(b.reach) {
        return false;
    }
    match (a.diagnosis.side, b.diagnosis.side) {
        (Some(Side::Uplink), Some(Side::Downlink)) => a.reach.covers(b.reach),
        (Some(Side::Downlink), Some(Side::Uplink)) => !b.reach.covers(a.reach),
        _ => false,
    }
}

/// The root cause of a case; `None` if it has no cause. Kinds form no cycles; both ends of a path may form one with
/// others, and then any member serves as the root.
fn root(cases: &[Case<'_>], at: usize) -> Option<usize> {
    let mut root = cases[at].cause?;
    for _ in 0..cases.len() {
        match cases[root].cause {
            Some(deeper) if deeper != at => root = deeper,
            _ => break,
        }
    }
    Some(root)
}

/// Finds senders whose media arrive with loss at several receivers that get other media without loss; the loss is then
/// on the sender's uplink. The first receiver's case represents the others.
fn find_lossy_uplinks(
    cases: &mut [Case<'_>],
    fabrics: &[&Fabric],
    peers: &BTreeMap<usize, usize>,
) -> BTreeMap<usize, UserId> {
    let senders: BTreeMap<usize, UserId> = peers
        .iter()
        .filter_map(|(&sender, &receiver)| Some((receiver, fabrics.get(sender)?.spec.local_user?)))
        .collect();
    let lossy: Vec<usize> = (0..cases.len()).filter(|&at| cases[at].is_unexplained_loss()).collect();
    let mut uplink_user = BTreeMap::new();
    for &at in &lossy {
        let first = &cases[at];
        if !first.is_unexplained_loss() {
            continue;
        }
        let Some(&sender) = senders.get(&first.index) else { continue };
        let (reach, index) = (first.reach, first.index);
        let receiver = fabrics.get(index).and_then(|fabric| fabric.spec.local_user);
        // Other receivers with loss: of the sender's packets, and of other senders' packets on the path to the same
        // receiver.
        let (mut others, mut is_receiver_hit) = (Vec::new(), false);
        for &other in &lossy {
            let case = &cases[other];
            if !case.is_unexplained_loss() || !case.reach.meets(reach) {
                continue;
            }
            if senders.get(&case.index) != Some(&sender) {
                let other_receiver = fabrics.get(case.index).and_then(|fabric| fabric.spec.local_user);
                is_receiver_hit |= receiver.is_some() && other_receiver == receiver;
            } else if case.index != index {
                others.push(other);
            }
        }
        if others.is_empty() || is_receiver_hit {
            continue;
        }
        uplink_user.insert(at, sender);
        for other in others {
            cases[other].cause = Some(at);
        }
    }
    uplink_user
}

fn summary(
    call: &Conference,
    fabrics: &[&Fabric],
    case: &Case<'_>,
    context: CaseContext,
    start_ms: f64,
) -> DiagnosisSummary {
    let CaseContext { uplink_user, cause, .. } = context;
    let mut diagnosis = *case.diagnosis;
    if let Some(factor) = context.burst_factor {
        diagnosis.evidence.set("burst_factor", Some(factor));
    }
    if uplink_user.is_some() {
        (diagnosis.user, diagnosis.side) = (uplink_user, Some(Side::Uplink));
    }
    let name = fabrics.get(case.index).map_or("", |fabric| fabric.spec.name());
    let local = fabrics.get(case.index).and_then(|fabric| fabric.spec.local_user);
    let user = uplink_user.or(local).and_then(|user| call.user_name(user));
    let who = user.unwrap_or(name);
    let mut sentence = diagnosis.sentence(if who.is_empty() { "an unnamed user" } else { who }, start_ms);
    if uplink_user.is_some()
        && let Some(receiver) = local.and_then(|local| call.user_name(local))
    {
        sentence = format!("{sentence}, to {receiver} and others");
    }
    // Each connection of a user is set up separately.
    let has_others =
        || fabrics.iter().filter(|fabric| local.is_some() && fabric.spec.local_user == local).nth(1).is_some();
    if matches!(diagnosis.kind, Kind::SlowSetup | Kind::ConnectionFailed)
        && user.is_some()
        && !name.is_empty()
        && has_others()
    {
        sentence = format!("{sentence}: {name}");
    }
    if case.is_of_unused {
        sentence = format!("{sentence}; it never carried media or data");
    }
    DiagnosisSummary {
        kind: diagnosis.kind,
        severity: if case.is_of_unused { Severity::Notice } else { diagnosis.severity },
        fabric: name.into(),
        user: user.map(String::from),
        direction: diagnosis.side,
        ssrc: diagnosis.stream.map(|key| key.ssrc),
        from_ms: case.reach.from_ms,
        to_ms: diagnosis.to.map(|_| case.reach.to_ms),
        follows: cause.map(|cause| cause as u64),
        evidence: diagnosis.evidence.iter().map(|(name, value)| (name.into(), value)).collect(),
        sentence,
    }
}
