//! The engine's sums against two other sources: the other end of the call, and the relay between the two, which counted
//! every packet that it received, dropped and delivered.

use std::collections::BTreeMap;

use callgauge::Event;
use callgauge::id::{Direction, MediaKind};
use callgauge::metric::Metric;
use callgauge::summary::StreamSummary;
use serde_json::Value;

use crate::common::recordings::{lines, meta, names, replay};

/// SSRCs seen by both ends and the relay, over all recordings.
const COMPARED: usize = 123;

/// Exceptions where lost packets and the relay's drops differ: recording, link, kind, reason.
const EXCEPTIONS: &[(&str, &str, MediaKind, Why)] = &[
    ("outage5", "B>A", MediaKind::Audio, Why::OutageIsNoLoss),
    ("outage5", "A>B", MediaKind::Audio, Why::OutageIsNoLoss),
    ("hold", "B>A", MediaKind::Video, Why::Renegotiated(4)),
    ("mesh4", "P3>P1", MediaKind::Audio, Why::LossToTheEnd(0.1)),
    ("mesh4", "P3>P2", MediaKind::Audio, Why::LossToTheEnd(0.1)),
    ("mesh4", "P3>P4", MediaKind::Audio, Why::LossToTheEnd(0.1)),
];

#[derive(Clone, Copy, Debug)]
enum Why {
    /// Chromium counts none of the audio packets of an outage of 5 s as lost (the recordings' README, 1).
    OutageIsNoLoss,
    /// This many packets were in flight when the receiver was switched off, and the relay dropped none of them.
    Renegotiated(i64),
    /// The relay still dropped this share after the last sample.
    LossToTheEnd(f64),
}

/// The relay's counts of one SSRC on one link.
#[derive(Clone, Copy, Debug, Default)]
struct Relayed {
    taken: i64,
    dropped: i64,
}

/// The raw reports of one stream of one connection.
struct Raw {
    first: Value,
    last: Value,
}

/// Every stream of a recording: by connection, type and SSRC.
fn raw(lines: &[String]) -> BTreeMap<(String, String, u64), Raw> {
    let mut streams = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(report) = line.get("report").and_then(Value::as_object) else { continue };
        for entry in report.values() {
            let kind = entry["type"].as_str().unwrap();
            let Some(ssrc) = entry["ssrc"].as_u64().filter(|_| matches!(kind, "inbound-rtp" | "outbound-rtp")) else {
                continue;
            };
            let key = (line["pc"].as_str().unwrap().to_owned(), kind.to_owned(), ssrc);
            streams.entry(key).or_insert_with(|| Raw { first: entry.clone(), last: Value::Null }).last = entry.clone();
        }
    }
    streams
}

/// The relay's counts by link and SSRC.
fn relayed(meta: &Value) -> BTreeMap<(String, u64), Relayed> {
    let mut rows: BTreeMap<_, Relayed> = BTreeMap::new();
    for row in meta["relay"]["total"].as_array().unwrap() {
        if row["kind"] != "rtp" {
            continue;
        }
        let count = |name: &str| row[name].as_i64().unwrap();
        let dropped = count("drop_loss") + count("drop_queue") + count("drop_outage");
        assert_eq!(count("in_pkts"), count("out_pkts") + dropped, "the relay's own sums");
        let sum = rows.entry((row["link"].as_str().unwrap().to_owned(), row["ssrc"].as_u64().unwrap())).or_default();
        sum.taken += count("in_pkts");
        sum.dropped += dropped;
    }
    rows
}

#[test]
fn both_ends_and_the_relay_agree_on_every_stream() {
    let mut compared = 0;
    let mut exceptions = 0;
    for name in names() {
        let (lines, meta) = (lines(&name), meta(&name));
        let (raw, relayed) = (raw(&lines), relayed(&meta));
        let replay = replay(&lines);
        let summary = replay.call.summary();
        let ends: BTreeMap<(&str, &str), &str> = meta["pcs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pc| ((pc["at"].as_str().unwrap(), pc["to"].as_str().unwrap()), pc["pc"].as_str().unwrap()))
            .collect();
        let find = |pc: &str, direction: Direction, ssrc: u64| -> Option<&StreamSummary> {
            let fabric = summary.fabrics.iter().find(|fabric| fabric.fabric == pc)?;
            fabric.streams.iter().find(|stream| stream.direction == direction && u64::from(stream.ssrc.get()) == ssrc)
        };
        for (&(to, from), &at) in &ends {
            let (link, sender) = (format!("{from}>{to}"), ends[&(from, to)]);
            let fabric = summary.fabrics.iter().find(|fabric| fabric.fabric == at).unwrap();
            for received in fabric.streams.iter().filter(|stream| stream.direction == Direction::Inbound) {
                let ssrc = u64::from(received.ssrc.get());
                let what = format!("{name} {link} {} {ssrc}", received.kind.unwrap().name());
                let sent = find(sender, Direction::Outbound, ssrc).unwrap_or_else(|| panic!("{what} has no sender"));
                let relay = relayed.get(&(link.clone(), ssrc)).unwrap_or_else(|| panic!("{what} passed no relay"));
                let raw_in = &raw[&(at.to_owned(), "inbound-rtp".to_owned(), ssrc)];
                let raw_out = &raw[&(sender.to_owned(), "outbound-rtp".to_owned(), ssrc)];

                // Since the stream's beginning: the engine's sum, and the count of the first sample.
                let since = |sum: i64, raw: &Raw, member: &str| sum + raw.first[member].as_i64().unwrap();
                let got = since(received.packets.unwrap() as i64, raw_in, "packetsReceived");
                let lost = since(received.packets_lost.unwrap(), raw_in, "packetsLost");
                let left = since(sent.packets.unwrap() as i64, raw_out, "packetsSent");

                // Chromium counts retransmissions among the packets of the stream that they repair, at both ends; a
                // receiver that does not know them (Firefox; a layer of simulcast received on its own) leaves all out.
                let repairs = repairs(&raw, &relayed, sender, &link, raw_out);
                let counts_repairs = raw_in.last.get("retransmittedPacketsReceived").is_some();
                let unseen = if counts_repairs { repairs.dropped } else { repairs.taken };

                // The two ends are sampled at different moments, and packets are in flight.
                let later_s =
                    (raw_in.last["timestamp"].as_f64().unwrap() - raw_out.last["timestamp"].as_f64().unwrap()) / 1e3;
                let rate = rate_at_end(&replay.events, &replay.fabrics[sender], ssrc);
                let (low, high) = (rate * (later_s.min(0.0) - 0.2) - 2.0, rate * (later_s.max(0.0) + 0.1) + 2.0);
                let outage =
                    if what.contains("outage5") && received.kind == Some(MediaKind::Audio) { relay.dropped } else { 0 };
                let surplus = (got + lost + unseen + outage - left) as f64;
                assert!(
                    (low..=high).contains(&surplus),
                    "{what}: {got} received, {lost} lost, {unseen} repairs unseen of {left} sent; {surplus} is not in {low:.0}..{high:.0}"
                );

                // The relay counted at least as many, since it continues after the last sample; but never fewer than
                // arrived.
                assert!(relay.taken - relay.dropped + repairs.taken - repairs.dropped >= got, "{what}: {relay:?}");

                let why = EXCEPTIONS
                    .iter()
                    .find(|(recording, on, kind, _)| *recording == name && *on == link && Some(*kind) == received.kind);
                exceptions += usize::from(why.is_some());
                match why.map(|(.., why)| *why) {
                    None => assert_eq!(lost, relay.dropped, "{what}: lost, and dropped by the relay"),
                    Some(Why::OutageIsNoLoss) => assert!(lost == 0 && relay.dropped >= 250, "{what}: {lost}"),
                    Some(Why::Renegotiated(packets)) => assert_eq!(lost, relay.dropped + packets, "{what}"),
                    Some(Why::LossToTheEnd(share)) => {
                        let (after, dropped) = ((relay.taken - got - lost) as f64, (relay.dropped - lost) as f64);
                        let spread = 4.0 * (share * (1.0 - share) / after).sqrt();
                        assert!(
                            (dropped / after - share).abs() < spread,
                            "{what}: {dropped} of {after} after the last sample"
                        );
                    }
                }

                // The sender's reported losses equal the receiver's count, up to the latest report.
                if let Some(heard) = sent.packets_lost.filter(|_| later_s >= 0.0) {
                    let counted = received.packets_lost.unwrap() + raw_in.first["packetsLost"].as_i64().unwrap();
                    assert!(heard <= counted, "{what}: {heard} heard of {counted}");
                }
                compared += 1;
            }
        }
    }
    assert_eq!(exceptions, EXCEPTIONS.len(), "every exception is one");
    assert_eq!(compared, COMPARED);
}

/// The relay's counts of the stream that repairs `own`: the one that it names, or, where the browser names none
/// (Firefox), the only one on the link without a report.
fn repairs(
    raw: &BTreeMap<(String, String, u64), Raw>,
    relayed: &BTreeMap<(String, u64), Relayed>,
    sender: &str,
    link: &str,
    own: &Raw,
) -> Relayed {
    if own.last["kind"] != "video" {
        return Relayed::default();
    }
    if let Some(ssrc) = own.last["rtxSsrc"].as_u64() {
        return relayed.get(&(link.to_owned(), ssrc)).copied().unwrap_or_default();
    }
    let is_reported = |ssrc: u64| raw.contains_key(&(sender.to_owned(), "outbound-rtp".to_owned(), ssrc));
    let mut unreported =
        relayed.iter().filter(|((on, ssrc), _)| on == link && !is_reported(*ssrc)).map(|(_, relayed)| *relayed);
    let found = unreported.next().unwrap_or_default();
    assert!(unreported.next().is_none(), "{link} has two streams without a report");
    found
}

/// The highest packet rate in the last five intervals, packets per second.
fn rate_at_end(events: &[Event], fabric: &callgauge::id::FabricId, ssrc: u64) -> f64 {
    let rates = events.iter().filter_map(|event| match event {
        Event::IntervalClosed { stream, interval, .. }
            if stream.fabric == *fabric
                && stream.direction == Direction::Outbound
                && u64::from(stream.ssrc.get()) == ssrc =>
        {
            interval.get(Metric::PacketRatePps)
        }
        _ => None,
    });
    let rates: Vec<f64> = rates.collect();
    rates[rates.len() - 5..].iter().fold(0.0, |most, rate| rate.max(most))
}
