//! Figures of several streams or fabrics together: sums are pooled before they are divided. It names no user.

use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::streams::{View, count, signed};
use crate::conference::Conference;
use crate::digest::Digest;
use crate::fabric::Fabric;
use crate::summary::{ConnectivitySummary, DelaySummary, FlowSummary};
use crate::unit::{Bitrate, Ratio, Timestamp};

/// Until when something goes on that nobody ended: until the fabric, the conference or the clock stands.
pub(super) fn until(call: &Conference, fabric: &Fabric) -> Timestamp {
    let now = call.now.unwrap_or_default();
    let end = call.end.map(|end| end.at);
    fabric.lifecycle.terminated.into_iter().chain(end).fold(now, Timestamp::min)
}

/// The sum, 0 of nothing; `Iterator::sum` makes that −0.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
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
        for View { record, .. } in views {
            let totals = &record.totals;
            pool.streams += 1;
            for (sum, value) in
                [(&mut pool.packets, totals.packets), (&mut pool.lost, totals.lost), (&mut pool.bytes, totals.bytes)]
            {
                if let Some(value) = value {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                }
            }
            if let Some((lost, expected)) = totals.loss(record.direction) {
                let (lost_before, expected_before) = pool.loss.unwrap_or((0.0, 0.0));
                pool.loss = Some((lost_before + lost, expected_before + expected));
            }
            let (start, end) = (record.start.as_millis(), record.end().as_millis());
            let (first, last) = pool.span.unwrap_or((start, end));
            pool.span = Some((first.min(start), last.max(end)));
            pool.jitter_ms.merge(&record.digests.jitter_ms);
            pool.rtt_ms.merge(&record.digests.rtt_ms);
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
pub(super) struct Connectivity {
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

impl Connectivity {
    pub(super) fn of<'a>(call: &Conference, fabrics: impl IntoIterator<Item = &'a Fabric>) -> Self {
        let mut lives = Self::default();
        for fabric in fabrics {
            let life = &fabric.lifecycle;
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

    pub(super) fn summary(mut self) -> ConnectivitySummary {
        ConnectivitySummary {
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
    delays_ms.sort_by_key(|&delay_ms| OrderedFloat(delay_ms));
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
