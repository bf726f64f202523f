//! Pools figures of several streams or fabrics: sums are pooled before they are divided. It knows no users.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::streams::{OwnedStream, count, signed};
use crate::conference::Conference;
use crate::digest::Digest;
use crate::fabric::Fabric;
use crate::id::FabricId;
use crate::stream::add;
use crate::summary::{ConnectivitySummary, DelaySummary, FlowSummary};
use crate::unit::{Bitrate, Ratio, Timestamp};

/// The end of something without a reported end: the end of the fabric or of the conference, otherwise the present.
pub(super) fn until(call: &Conference, fabric: &Fabric) -> Timestamp {
    let now = call.now.unwrap_or_default();
    let end = call.end.map(|end| end.at);
    fabric.lifecycle.terminated.into_iter().chain(end).fold(now, Timestamp::min)
}

/// The sum, 0 for no values; `Iterator::sum` returns −0.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Pooled streams.
#[derive(Default)]
pub(super) struct Pool {
    streams: u64,
    packets: Option<f64>,
    lost: Option<f64>,
    bytes: Option<f64>,
    /// Lost and expected packets of the streams that report both.
    loss: Option<(f64, f64)>,
    /// The bytes of the time of known rates, and its spans, in no order and overlapping.
    rated_bytes: Option<f64>,
    rated: Vec<(f64, f64)>,
    jitter_ms: Digest,
    rtt_ms: Digest,
}

impl Pool {
    pub(super) fn of<'a>(views: impl IntoIterator<Item = OwnedStream<'a>>) -> Self {
        let mut pool = Self::default();
        for OwnedStream { record, .. } in views {
            let totals = &record.totals;
            pool.streams += 1;
            add(&mut pool.packets, totals.packets.get());
            add(&mut pool.lost, totals.lost.get());
            add(&mut pool.bytes, totals.bytes.get());
            if let Some((lost, expected)) = totals.loss(record.direction) {
                let (lost_before, expected_before) = pool.loss.unwrap_or((0.0, 0.0));
                pool.loss = Some((lost_before + lost, expected_before + expected));
            }
            if let Some((spans, bytes)) = record.rated_spans() {
                pool.rated.extend(spans);
                add(&mut pool.rated_bytes, bytes);
            }
            pool.jitter_ms.merge(&record.digests.jitter_ms());
            pool.rtt_ms.merge(&record.digests.rtt_ms());
        }
        pool
    }

    pub(super) fn summary(mut self) -> FlowSummary {
        let rated_ms = covered(&mut self.rated);
        let bitrate = self.rated_bytes.and_then(|bytes| Bitrate::from_bytes(bytes, rated_ms));
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

/// The time that spans cover together.
fn covered(spans: &mut [(f64, f64)]) -> f64 {
    spans.sort_by_key(|&(start, _)| OrderedFloat(start));
    let mut joined: Option<(f64, f64)> = None;
    let mut before = 0.0;
    for &(start, end) in spans.iter() {
        joined = match joined {
            Some((first, last)) if start <= last => Some((first, last.max(end))),
            Some((first, last)) => {
                before += last - first;
                Some((start, end))
            }
            None => Some((start, end)),
        };
    }
    before + joined.map_or(0.0, |(first, last)| last - first)
}

/// Pooled connectivity counters.
#[derive(Default)]
pub(super) struct Connectivity {
    setup_delays_ms: Vec<f64>,
    setup_failures: u64,
    disruptions: u64,
    disrupted_ms: f64,
    lost_ms: f64,
    restarts: u64,
    switches: u64,
    drops: u64,
    relayed_ms: Option<f64>,
    errors: u64,
}

impl Connectivity {
    /// Lost time of `unused` fabrics is not added.
    pub(super) fn of(call: &Conference, fabrics: &[&Fabric], unused: &BTreeSet<FabricId>) -> Self {
        let mut lives = Self::default();
        for &fabric in fabrics {
            let life = &fabric.lifecycle;
            lives.setup_delays_ms.extend(life.setup().and_then(|setup| setup.delay_ms));
            lives.setup_failures += u64::from(life.course.failure.is_some());
            lives.disruptions = lives.disruptions.saturating_add(life.course.disruptions);
            lives.disrupted_ms += life.disrupted_ms(until(call, fabric));
            if !unused.contains(&fabric.id()) {
                lives.lost_ms += life.all_lost_ms(until(call, fabric));
            }
            lives.restarts = lives.restarts.saturating_add(life.restarts);
            lives.switches = lives.switches.saturating_add(life.switches);
            lives.drops = lives.drops.saturating_add(life.course.drops);
            // The paths of a connection run at the same time.
            if let Some(ms) = fabric.paths.iter().filter_map(|path| path.relayed_ms).reduce(f64::max) {
                lives.relayed_ms = Some(lives.relayed_ms.unwrap_or(0.0) + ms);
            }
            let errors = call.log.errors.iter().filter(|error| error.fabric == Some(fabric.id()));
            lives.errors += errors.filter(|error| !error.function.is_log()).count() as u64;
        }
        lives
    }

    pub(super) fn summary(mut self) -> ConnectivitySummary {
        ConnectivitySummary {
            setup_delay_ms: delays(&mut self.setup_delays_ms),
            setup_failures: self.setup_failures,
            disruptions: self.disruptions,
            disrupted_s: self.disrupted_ms / 1e3,
            lost_s: self.lost_ms / 1e3,
            restarts: self.restarts,
            transport_switches: self.switches,
            drops: self.drops,
            relayed_s: self.relayed_ms.map(|ms| ms / 1e3),
            errors: self.errors,
        }
    }
}

fn delays(delays_ms: &mut [f64]) -> DelaySummary {
    delays_ms.sort_by_key(|&delay_ms| OrderedFloat(delay_ms));
    let n = delays_ms.len();
    let (middle, other) = (n.saturating_sub(1) / 2, n / 2);
    DelaySummary {
        min: delays_ms.first().copied(),
        mean: (n > 0).then(|| delays_ms.iter().sum::<f64>() / n as f64),
        median: (n > 0).then(|| (delays_ms[middle] + delays_ms[other]) / 2.0),
        max: delays_ms.last().copied(),
        n: n as u64,
    }
}
