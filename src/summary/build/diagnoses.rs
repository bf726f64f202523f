//! What went wrong, over all fabrics.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use ordered_float::OrderedFloat;

use crate::conference::Conference;
use crate::diagnosis::{Diagnosis, Kind, Reach, Severity, Side, causes_of};
use crate::fabric::Fabric;
use crate::id::{Direction, MediaKind, Ssrc, UserId};
use crate::summary::DiagnosisSummary;

/// A diagnosis, where it belongs, and what it follows from.
struct Case<'a> {
    /// Which of the fabrics.
    index: usize,
    diagnosis: &'a Diagnosis,
    reach: Reach,
    /// How far looks are apart there.
    sample_ms: f64,
    /// The way that packets take: the fabric that receives them, where both ends are known.
    way: Option<(usize, Side)>,
    /// Which of the cases is behind it.
    cause: Option<usize>,
    /// How bad it is with all that follows from it, and how long all of that was together, ms.
    severity: Severity,
    all_ms: f64,
}

/// What other cases tell of one.
struct CaseContext {
    /// Whose uplink it is.
    blamed: Option<UserId>,
    /// Where the case behind it stands in the summary.
    cause: Option<usize>,
    burst_factor: Option<f64>,
}

/// The diagnoses of all fabrics, worst first: by severity, then by how long it went on with all that follows. What follows
/// from another comes right after it.
pub(super) fn diagnoses(call: &Conference, fabrics: &[&Fabric], start_ms: Option<f64>) -> Vec<DiagnosisSummary> {
    let peers = peers(fabrics);
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        let end_ms = fabric.span.map(|(_, last)| last.as_millis());
        for diagnosis in &fabric.detectors.log.diagnoses {
            let from_ms = diagnosis.from.as_millis();
            let to_ms = diagnosis.to.map(|to| to.as_millis()).or(end_ms).unwrap_or(from_ms);
            let receiver = peers.get(&index).map(|&receiver| (receiver, Side::Downlink));
            let way = diagnosis.side.map(|side| match side {
                Side::Uplink => receiver.unwrap_or((index, side)),
                Side::Downlink => (index, side),
            });
            let (reach, severity) = (Reach { from_ms, to_ms }, diagnosis.severity);
            let all_ms = reach.length_ms();
            let sample_ms =
                fabric.span.map_or(0.0, |(first, last)| last.millis_since(first)) / fabric.snapshots.max(1) as f64;
            cases.push(Case { index, diagnosis, reach, sample_ms, way, cause: None, severity, all_ms });
        }
    }
    cases.sort_by(|a, b| worse(a, b));
    find_causes(&mut cases, fabrics);
    let blamed = blame(&mut cases, fabrics, &peers);
    let causes: Vec<Option<usize>> = (0..cases.len()).map(|at| root(&cases, at)).collect();
    for (at, cause) in causes.iter().enumerate() {
        let Some((severity, ms)) = cases.get(at).map(|case| (case.severity, case.reach.length_ms())) else { continue };
        if let Some(cause) = cause.and_then(|cause| cases.get_mut(cause)) {
            cause.severity = cause.severity.max(severity);
            cause.all_ms += ms;
        }
    }
    // Stable: what follows stays worst first.
    let root_of = |at: usize| causes.get(at).copied().flatten().unwrap_or(at);
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|&a, &b| {
        let (root, other) = (root_of(a), root_of(b));
        let order = cases.get(root).zip(cases.get(other)).map_or(Ordering::Equal, |(a, b)| worse(a, b));
        order.then((root, root != a).cmp(&(other, other != b)))
    });
    let mut places: Vec<usize> = alloc::vec![0; order.len()];
    for (place, &at) in order.iter().enumerate() {
        if let Some(slot) = places.get_mut(at) {
            *slot = place;
        }
    }
    // How loss is distributed the receiver knows.
    let mut bursts: BTreeMap<usize, Option<f64>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.diagnosis.kind == Kind::HighLoss) {
        let Some(cause) = case.cause else { continue };
        bursts.entry(cause).or_insert_with(|| case.diagnosis.evidence.get("burst_factor"));
    }
    let start_ms = start_ms.unwrap_or(0.0);
    let summary = |&at: &usize| {
        let case = cases.get(at)?;
        let cause = causes.get(at).copied().flatten().and_then(|cause| places.get(cause).copied());
        let is_loss_sent = case.diagnosis.kind == Kind::HighLoss && case.diagnosis.side == Some(Side::Uplink);
        let burst_factor = bursts.get(&at).copied().flatten().filter(|_| is_loss_sent);
        let context = CaseContext { blamed: blamed.get(&at).copied(), cause, burst_factor };
        Some(summary(call, fabrics, case, context, start_ms))
    };
    order.iter().filter_map(summary).collect()
}

/// Which fabric receives what a fabric sends: streams have the same SSRC at both ends.
fn peers(fabrics: &[&Fabric]) -> BTreeMap<usize, usize> {
    let mut receivers: BTreeMap<Ssrc, Option<usize>> = BTreeMap::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        for record in fabric.streams.records().filter(|record| record.direction == Direction::Inbound) {
            // One that several receive comes by way of a server.
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
    let key = |case: &Case<'_>| {
        let severest_and_longest = Reverse((case.severity, OrderedFloat(case.all_ms)));
        let ssrc = case.diagnosis.stream.map(|key| key.ssrc);
        let place = (case.diagnosis.kind, case.index, case.diagnosis.side, ssrc);
        (severest_and_longest, OrderedFloat(case.reach.from_ms), place)
    };
    key(a).cmp(&key(b))
}

/// The cases of each fabric, and of those on the way to it.
struct Places(BTreeMap<usize, Vec<usize>>);

impl Places {
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
    /// Its own fabric, and the one that receives what it is about.
    fn fabrics(&self) -> impl Iterator<Item = usize> + use<> {
        let receiver = self.way.map(|(receiver, _)| receiver).filter(|&receiver| receiver != self.index);
        core::iter::once(self.index).chain(receiver)
    }
}

/// Finds the case behind each: of what may be behind it in the same place at the time, what goes deepest, and of several of
/// a kind the worst. What both ends tell is told by one.
fn find_causes(cases: &mut [Case<'_>], fabrics: &[&Fabric]) {
    let places = Places::of(cases);
    let found: Vec<Option<usize>> = cases
        .iter()
        .map(|effect| {
            let kinds = causes_of(effect.diagnosis.kind);
            let depth = |kind: Kind| kinds.iter().position(|&other| other == kind && kind != effect.diagnosis.kind);
            let near = || places.near(effect).filter_map(|at| Some((at, cases.get(at)?)));
            let candidates = near().filter_map(|(at, cause)| {
                let depth = depth(cause.diagnosis.kind)?;
                (is_same_place(effect, cause) && effect.reach.follows(cause.reach, effect.sample_ms))
                    .then_some((depth, at))
            });
            let first =
                |is_it: &dyn Fn(&Case<'_>) -> bool| near().filter(|(_, cause)| is_it(cause)).map(|(at, _)| at).min();
            let jitter = || first(&|cause| is_jitter_behind(effect, cause));
            let other_end = || first(&|cause| leads(cause, effect));
            let other_stream = || first(&|cause| is_other_stream(fabrics, cause, effect));
            candidates.min().map(|(_, at)| at).or_else(jitter).or_else(other_end).or_else(other_stream)
        })
        .collect();
    for (case, found) in cases.iter_mut().zip(found) {
        case.cause = found;
    }
}

/// Whether what somebody sends does not come in two streams at once, of which `a` tells: the sound, or the first by SSRC.
fn is_other_stream(fabrics: &[&Fabric], a: &Case<'_>, b: &Case<'_>) -> bool {
    let is_it = |case: &Case<'_>| case.diagnosis.kind == Kind::OneWayMedia;
    if !is_it(a) || !is_it(b) || a.index != b.index || !a.reach.meets(b.reach) {
        return false;
    }
    let stream = |case: &Case<'_>| {
        let (fabric, key) = (fabrics.get(case.index)?, case.diagnosis.stream?);
        let stream = fabric.streams.find(key.direction, key.ssrc)?;
        let is_video = stream.record.kind == Some(MediaKind::Video);
        Some((fabric.owner_of(stream).0, (is_video, key.ssrc)))
    };
    let (Some((owner, a)), Some((other, b))) = (stream(a), stream(b)) else { return false };
    owner == other && a < b
}

fn is_jitter_behind(effect: &Case<'_>, cause: &Case<'_>) -> bool {
    let is_held_back = matches!(effect.diagnosis.kind, Kind::UplinkCongestion | Kind::DownlinkCongestion);
    let is_jitter = cause.diagnosis.kind == Kind::HighJitter;
    is_held_back && is_jitter && is_same_place(effect, cause) && cause.reach.is_jitter_behind(effect.reach)
}

fn is_same_place(effect: &Case<'_>, cause: &Case<'_>) -> bool {
    match (effect.way, cause.way) {
        (Some(a), Some(b)) => a == b,
        _ => effect.index == cause.index,
    }
}

/// Whether `a` is the account that one end of a way gives of what `b` tells from the other, and the better one: that of the
/// sender, if it covers the receiver's.
fn leads(a: &Case<'_>, b: &Case<'_>) -> bool {
    let is_both_ways = |kind| matches!(kind, Kind::UplinkCongestion | Kind::DownlinkCongestion);
    let (kind, other) = (a.diagnosis.kind, b.diagnosis.kind);
    let is_same = kind == other && kind == Kind::HighLoss || is_both_ways(kind) && is_both_ways(other);
    if !is_same || a.way != b.way || a.way.is_none() || !a.reach.meets(b.reach) {
        return false;
    }
    match (a.diagnosis.side, b.diagnosis.side) {
        (Some(Side::Uplink), Some(Side::Downlink)) => a.reach.covers(b.reach),
        (Some(Side::Downlink), Some(Side::Uplink)) => !b.reach.covers(a.reach),
        _ => false,
    }
}

/// The case at the bottom of another; `None` for one that follows from nothing. Kinds have no circles; both ends of a way
/// may make one with others, and then the step is as good as the bottom.
fn root(cases: &[Case<'_>], at: usize) -> Option<usize> {
    let next = |at: usize| cases.get(at).and_then(|case| case.cause);
    let mut root = next(at)?;
    for _ in 0..cases.len() {
        match next(root) {
            Some(deeper) if deeper != at => root = deeper,
            _ => break,
        }
    }
    Some(root)
}

/// Who sends what several receive with loss, though they receive from others without: it is the sender's uplink. The first of
/// the receivers tells of all.
fn blame(cases: &mut [Case<'_>], fabrics: &[&Fabric], peers: &BTreeMap<usize, usize>) -> BTreeMap<usize, UserId> {
    let senders: BTreeMap<usize, UserId> = peers
        .iter()
        .filter_map(|(&sender, &receiver)| Some((receiver, fabrics.get(sender)?.spec.local_user?)))
        .collect();
    let is_lossy = |case: &Case<'_>| {
        case.diagnosis.kind == Kind::HighLoss && case.diagnosis.side == Some(Side::Downlink) && case.cause.is_none()
    };
    let receiver = |index: usize| fabrics.get(index).and_then(|fabric| fabric.spec.local_user);
    let lossy: Vec<usize> = cases.iter().enumerate().filter(|(_, case)| is_lossy(case)).map(|(at, _)| at).collect();
    let mut blamed = BTreeMap::new();
    for &at in &lossy {
        let Some(first) = cases.get(at).filter(|case| is_lossy(case)) else { continue };
        let Some(&sender) = senders.get(&first.index) else { continue };
        let (reach, index) = (first.reach, first.index);
        let at_once = |case: &&Case<'_>| is_lossy(case) && case.reach.meets(reach);
        // Who else loses: of the sender's packets, and of others' on the way to the same receivers.
        let all = || lossy.iter().filter_map(|&at| Some((at, cases.get(at)?)));
        let others: Vec<usize> = all()
            .filter(|(_, case)| at_once(case) && case.index != index && senders.get(&case.index) == Some(&sender))
            .map(|(other, _)| other)
            .collect();
        let is_receiver_hit = all().map(|(_, case)| case).filter(at_once).any(|case| {
            receiver(case.index).is_some()
                && receiver(case.index) == receiver(index)
                && senders.get(&case.index) != Some(&sender)
        });
        if others.is_empty() || is_receiver_hit {
            continue;
        }
        blamed.insert(at, sender);
        for other in others {
            if let Some(case) = cases.get_mut(other) {
                case.cause = Some(at);
            }
        }
    }
    blamed
}

fn summary(
    call: &Conference,
    fabrics: &[&Fabric],
    case: &Case<'_>,
    context: CaseContext,
    start_ms: f64,
) -> DiagnosisSummary {
    let CaseContext { blamed, cause, .. } = context;
    let mut diagnosis = *case.diagnosis;
    if let Some(factor) = context.burst_factor {
        diagnosis.evidence.set("burst_factor", Some(factor));
    }
    if blamed.is_some() {
        (diagnosis.user, diagnosis.side) = (blamed, Some(Side::Uplink));
    }
    let name = fabrics.get(case.index).map_or("", |fabric| fabric.spec.name());
    let local = fabrics.get(case.index).and_then(|fabric| fabric.spec.local_user);
    let user = blamed.or(local).and_then(|user| call.user_name(user));
    let who = user.unwrap_or(name);
    let mut sentence = diagnosis.sentence(if who.is_empty() { "an unnamed user" } else { who }, start_ms);
    if blamed.is_some()
        && let Some(receiver) = local.and_then(|local| call.user_name(local))
    {
        sentence = format!("{sentence}, to {receiver} and others");
    }
    // Each connection of a user is set up by itself.
    let has_others =
        || fabrics.iter().filter(|fabric| local.is_some() && fabric.spec.local_user == local).nth(1).is_some();
    if diagnosis.kind == Kind::SlowSetup && user.is_some() && !name.is_empty() && has_others() {
        sentence = format!("{sentence}: {name}");
    }
    DiagnosisSummary {
        kind: diagnosis.kind,
        severity: diagnosis.severity,
        fabric: name.into(),
        user: user.map(String::from),
        direction: diagnosis.side,
        ssrc: diagnosis.stream.map(|key| key.ssrc),
        from_ms: diagnosis.from.as_millis(),
        to_ms: diagnosis.to.map(|to| to.as_millis()),
        follows: cause.map(|cause| cause as u64),
        evidence: diagnosis.evidence.iter().map(|(name, value)| (name.into(), value)).collect(),
        sentence,
    }
}
