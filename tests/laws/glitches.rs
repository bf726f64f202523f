//! One wild value of one cumulative member in one snapshot changes no diagnosis, and no sum but its own.

use std::collections::BTreeMap;

use callgauge::id::FabricId;
use callgauge::ingest::Reader;
use callgauge::report::{Flag, Num, Report, StatsType};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use serde_json::Value;

use crate::common::recordings::lines;

/// Calls without trouble: Chromium with and without video, and Firefox. The first 20 s of each: wild values matter most
/// in short calls.
const RECORDINGS: [&str; 3] = ["clean", "audio_clean", "ff_clean"];
const LINES: usize = 40;

/// Wild values after `x`.
const WILD: [fn(f64) -> f64; 11] = [
    |x| x * 7.0 + 1e3,
    |x| x + 65e3,
    |x| x + 8_388_608.0,
    |x| x + 2_147_483_648.0,
    |x| x + 4_294_967_296.0,
    |_| 4_294_967_295.0,
    |_| 3_900_000_000.0,
    |x| x * 1e3,
    |_| 1e15,
    |_| 0.0,
    |_| -1.0,
];

/// Figures of a stream that are no sums, or sums of several members.
const NO_SUMS: [&str; 4] = ["score", "mos", "doubted", "rtt_ms"];

struct Sample {
    now: Timestamp,
    fabric: String,
    report: Report,
}

fn samples(name: &str) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut reader = Reader::new();
    for line in lines(name).iter().take(LINES) {
        reader
            .read(line.as_bytes(), &mut |snapshot| {
                samples.push(Sample {
                    now: Timestamp::from_micros((snapshot.at.unwrap().as_millis() * 1e3) as u64),
                    fabric: snapshot.fabric.to_owned(),
                    report: snapshot.report.clone(),
                });
            })
            .unwrap();
    }
    samples
}

/// The report with another value of one member of one row.
fn changed(report: &Report, id: &str, member: Num, value: f64) -> Report {
    let mut copy = Report::new();
    for entry in report.entries() {
        let mut row = copy.push(entry.kind(), entry.id());
        row.set_timestamp(entry.timestamp());
        if let Some(media) = entry.media() {
            row.set_media(media);
        }
        for (field, old) in entry.numbers() {
            row.set(field, if entry.id() == id && field == member { value } else { old });
        }
        for (field, text) in entry.texts() {
            row.set_text(field, text);
        }
        for &flag in Flag::ALL {
            if let Some(value) = entry.flag(flag) {
                row.set_flag(flag, value);
            }
        }
    }
    copy
}

/// A call after each sample.
fn calls(samples: &[Sample]) -> Vec<(Conference, BTreeMap<String, FabricId>)> {
    let mut call = Conference::new("", Config::new());
    let mut fabrics = BTreeMap::new();
    let mut calls = vec![(call.clone(), fabrics.clone())];
    for sample in samples {
        ingest(&mut call, &mut fabrics, sample, &sample.report);
        calls.push((call.clone(), fabrics.clone()));
    }
    calls
}

fn ingest(call: &mut Conference, fabrics: &mut BTreeMap<String, FabricId>, sample: &Sample, report: &Report) {
    let open = || call.open_fabric(sample.now, FabricSpec::new(&sample.fabric)).unwrap();
    let fabric = *fabrics.entry(sample.fabric.clone()).or_insert_with(open);
    call.ingest(sample.now, fabric, report).unwrap();
    while call.poll_event().is_some() {}
}

/// The diagnoses that participants notice.
fn diagnoses(summary: &Value) -> Vec<String> {
    let all = summary["diagnoses"].as_array().unwrap().iter().filter(|one| one["severity"] != "notice");
    let mut all: Vec<String> =
        all.map(|one| format!("{} {} {} {}", one["kind"], one["fabric"], one["stream"], one["side"])).collect();
    all.sort();
    all
}

/// Every count and time of each stream that is no mean of a distribution.
fn sums(summary: &Value) -> BTreeMap<(String, String), Value> {
    let mut sums = BTreeMap::new();
    for fabric in summary["fabrics"].as_array().unwrap() {
        for stream in fabric["streams"].as_array().unwrap() {
            let about = format!("{} {}", stream["direction"], stream["ssrc"]);
            let parts = ["audio", "video"].iter().filter_map(|&part| stream[part].as_object());
            for (name, value) in parts.flatten().chain(stream.as_object().unwrap()) {
                if !NO_SUMS.contains(&name.as_str()) && !value.is_object() {
                    sums.insert((about.clone(), name.clone()), value.clone());
                }
            }
        }
    }
    sums
}

/// The sums that are made of a member.
fn own_sums(member: Num) -> &'static [&'static str] {
    use Num as N;
    match member {
        N::PacketsReceived | N::PacketsSent => &["packets", "packets_expected", "loss_ratio"],
        N::RetransmittedPacketsReceived | N::RetransmittedPacketsSent => {
            &["retransmitted_packets", "packets_expected", "loss_ratio"]
        }
        N::PacketsLost => &["packets_lost", "packets_expected", "loss_ratio"],
        N::BytesReceived | N::BytesSent => &["bytes", "bitrate_bps"],
        N::TotalSamplesReceived => &["concealed_ratio", "audible_concealed_ratio", "time_stretch_ratio"],
        N::ConcealedSamples => &["concealed_ratio", "audible_concealed_ratio"],
        N::SilentConcealedSamples => &["audible_concealed_ratio"],
        N::InsertedSamplesForDeceleration | N::RemovedSamplesForAcceleration => &["time_stretch_ratio"],
        N::ConcealmentEvents => &["concealment_events"],
        N::FecPacketsReceived => &["fec_packets"],
        N::FecPacketsDiscarded => &["fec_packets_discarded"],
        N::PacketsDiscarded => &["packets_discarded"],
        N::FramesDecoded | N::FramesSent => &["frames"],
        N::FramesDropped => &["frames_dropped"],
        N::KeyFramesDecoded | N::KeyFramesEncoded => &["key_frames"],
        N::FreezeCount => &["freezes"],
        N::TotalFreezesDuration => &["frozen_s"],
        N::NackCount => &["nacks"],
        N::PliCount => &["plis"],
        // A new round trip shows that a report is new, so what it counts is known until then.
        N::TotalRoundTripTime | N::RoundTripTimeMeasurements => &["packets_expected", "loss_ratio"],
        _ => &[],
    }
}

/// Whether a leap could be true: a second of audio that was concealed.
fn could_be(member: Num, leap: f64) -> bool {
    matches!(member, Num::ConcealedSamples) && (0.0..60e3).contains(&leap)
}

#[test]
fn a_wild_value_of_one_sample_harms_nothing_else() {
    let mut turn = 0_usize;
    for name in RECORDINGS {
        let samples = samples(name);
        let calls = calls(&samples);
        let clean = serde_json::to_value(calls.last().unwrap().0.summary()).unwrap();
        let (clean_diagnoses, clean_sums) = (diagnoses(&clean), sums(&clean));
        let middle = samples.len() / 2;
        for place in [middle, middle + 1] {
            let fabric = &samples[place].fabric;
            for entry in samples[place].report.entries().filter(|entry| entry.kind() != StatsType::Codec) {
                let has =
                    |at: &usize| samples[*at].fabric == *fabric && samples[*at].report.by_id(entry.id()).is_some();
                let places: Vec<usize> = (0..samples.len()).filter(has).collect();
                let (Some(&second), Some(&last)) = (places.get(1), places.last()) else { continue };
                for (member, _) in entry.numbers().filter(|(member, _)| member.rule().is_cumulative()) {
                    for at in [second, place, last] {
                        let Some(x) = samples[at].report.by_id(entry.id()).unwrap().get(member) else { continue };
                        // Each place has another third of the wild values.
                        turn += 1;
                        for value in
                            WILD.iter().skip(turn % 3).step_by(3).map(|wild| wild(x)).filter(|&value| value != x)
                        {
                            let (mut call, mut fabrics) = calls[at].clone();
                            let report = changed(&samples[at].report, entry.id(), member, value);
                            ingest(&mut call, &mut fabrics, &samples[at], &report);
                            for sample in &samples[at + 1..] {
                                ingest(&mut call, &mut fabrics, sample, &sample.report);
                            }
                            let found = serde_json::to_value(call.summary()).unwrap();
                            let wild = format!(
                                "{name} {fabric} {}.{}: {x}, {value} in sample {at}",
                                entry.id(),
                                member.name()
                            );
                            if !could_be(member, value - x) {
                                assert_eq!(diagnoses(&found), clean_diagnoses, "{wild}");
                            }
                            for (key, sum) in sums(&found) {
                                let is_own = own_sums(member).contains(&key.1.as_str());
                                assert!(is_own || clean_sums.get(&key) == Some(&sum), "{wild}: {key:?} {sum}");
                            }
                        }
                    }
                }
            }
        }
    }
}
