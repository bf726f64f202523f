//! Cost of reading each format, against skipping the same text with `serde_json`: `cargo bench --bench formats`.
//!
//! The ratio of the two in a group is the figure that counts. rtcstats writes differences: its text is shorter, and its
//! snapshots are as large.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use callgauge::ingest::{Framing, Reader, framing};
use callgauge::sdp::Sdp;
use common::{recordings, text, workload};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

fn formats(criterion: &mut Criterion) {
    let files = [
        ("recording", recordings::lines("loss5").join("\n")),
        ("rtcstats", text("recordings/other/loss5.rtcstats3.gz")),
        ("webrtc-internals", text("recordings/other/chrome156-webrtc_internals_dump.gz")),
        ("ObserveRTC", workload("p10").iter().map(|line| client_sample(line)).collect::<Vec<_>>().join("\n")),
    ];
    for (name, file) in &files {
        let records: Vec<&str> = match framing(file.lines().next().unwrap().as_bytes()) {
            Framing::Lines => file.lines().collect(),
            _ => vec![file],
        };
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Bytes(file.len() as u64));
        group.sample_size(20);
        group.bench_function("read", |bencher| {
            bencher.iter(|| {
                let mut reader = Reader::new();
                for record in &records {
                    let read = reader.read_all(black_box(record).as_bytes(), &mut |item| {
                        black_box(item);
                    });
                    black_box(read.is_ok());
                }
                assert!(reader.snapshots() > 0, "nothing was read");
            });
        });
        group.bench_function("serde_json skip", |bencher| {
            bencher.iter(|| {
                for record in &records {
                    black_box(serde_json::from_str::<IgnoredAny>(black_box(record)).is_ok());
                }
            });
        });
        group.finish();
    }
}

/// A line of the workload as a client sample of ObserveRTC.
fn client_sample(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    let of = |kinds: &[&str]| -> Vec<&Value> {
        let stats = line["stats"].as_array().unwrap().iter();
        stats.filter(|entry| kinds.contains(&entry["type"].as_str().unwrap())).collect()
    };
    json!({
        "clientId": "alice",
        "timestamp": line["t"],
        "peerConnections": [{
            "peerConnectionId": line["pc"],
            "inboundRtps": of(&["inbound-rtp"]),
            "outboundRtps": of(&["outbound-rtp"]),
            "remoteInboundRtps": of(&["remote-inbound-rtp"]),
            "remoteOutboundRtps": of(&["remote-outbound-rtp"]),
            "mediaSources": of(&["media-source"]),
            "mediaPlayouts": of(&["media-playout"]),
            "codecs": of(&["codec"]),
            "dataChannels": of(&["data-channel"]),
            "iceTransports": of(&["transport"]),
            "iceCandidatePairs": of(&["candidate-pair"]),
            "iceCandidates": of(&["local-candidate", "remote-candidate"]),
            "certificates": of(&["certificate"]),
        }],
    })
    .to_string()
}

/// A description of fifty sections, as a server offers them: its streams, against a scan for line ends.
fn sdp(criterion: &mut Criterion) {
    let mut offer = String::from("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:seSS\r\n");
    for number in 0..50 {
        let (ssrc, retransmission) = (1_000 + number, 2_000 + number);
        offer.push_str(&format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:{number}\r\na=sendonly\r\na=msid:room camera{number}\r\n\
             a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
             a=ssrc-group:FID {ssrc} {retransmission}\r\na=ssrc:{ssrc} cname:who\r\na=ssrc:{retransmission} cname:who\r\n"
        ));
    }
    assert_eq!(Sdp::new(&offer).streams().len(), 100);
    let mut group = criterion.benchmark_group("sdp");
    group.throughput(Throughput::Bytes(offer.len() as u64));
    group.bench_function("streams", |bencher| bencher.iter(|| Sdp::new(black_box(&offer)).streams()));
    group.bench_function("ends of lines", |bencher| bencher.iter(|| black_box(&offer).lines().count()));
    group.finish();
}

criterion_group!(benches, formats, sdp);
criterion_main!(benches);
