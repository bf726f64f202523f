//! Edge cases of real data, numbered 1 to 45; the test `case_N_…` defines case N.
//!
//! Three groups stand elsewhere, because they concern formats that have their own tests: 35 (what each format's
//! differences leave out) and 42 (empty dominant speakers) in `tests/laws/line_rules.rs`, 36 and 37 (series of unequal
//! length, the cap) in `tests/behaviour/internals/synthetic.rs`. Their names have the same form: `case_35_…`.

mod connections;
mod formats;
mod metrics;
mod plausibility;
mod recorded;
mod scores;
mod streams;

use callgauge::id::{Direction, FabricId};
use callgauge::ingest::getstats::Scanner;
use callgauge::metric::Interval;
use callgauge::report::Report;
use callgauge::summary::{FabricSummary, StreamSummary};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use serde_json::{Value, json};

/// A call of one connection, fed with getStats text.
struct Call {
    conference: Conference,
    fabric: FabricId,
    scanner: Scanner,
    report: Report,
    now: u64,
    /// The latest time of the last snapshot.
    at_ms: Option<f64>,
}

impl Call {
    fn new() -> Self {
        let mut conference = Conference::new("", Config::new());
        let fabric = conference.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
        Self { conference, fabric, scanner: Scanner::new(), report: Report::new(), now: 0, at_ms: None }
    }

    /// Ingests one snapshot and returns the intervals that it closed.
    fn snapshot(&mut self, entries: &[Value]) -> Vec<Interval> {
        self.scanner.read(Value::from(entries.to_vec()).to_string().as_bytes(), &mut self.report).unwrap();
        // The caller's clock agrees with the reporter's, unless that goes back.
        let at_ms = self.report.latest().map(|at| at.as_millis());
        let passed_ms = at_ms.zip(self.at_ms).map_or(0.0, |(at_ms, before_ms)| at_ms - before_ms);
        self.now += passed_ms.clamp(1_000.0, 1e9) as u64;
        self.at_ms = at_ms;
        self.conference.ingest(Timestamp::from_millis(self.now), self.fabric, &self.report).unwrap();
        let mut closed = Vec::new();
        while let Some(event) = self.conference.poll_event() {
            if let Event::IntervalClosed { interval, .. } = event {
                closed.push(interval);
            }
        }
        closed
    }

    /// Ingests one snapshot of one stream and returns the interval that it closed, if any.
    fn one(&mut self, entry: Value) -> Option<Interval> {
        let closed = self.snapshot(&[entry]);
        assert!(closed.len() <= 1);
        closed.into_iter().next()
    }

    fn summary(&self) -> FabricSummary {
        self.conference.summary().fabrics.remove(0)
    }

    /// The only stream.
    fn stream(&self) -> StreamSummary {
        let mut streams = self.summary().streams;
        assert_eq!(streams.len(), 1);
        streams.remove(0)
    }

    fn outbound(&self) -> StreamSummary {
        self.summary().streams.into_iter().find(|stream| stream.direction == Direction::Outbound).unwrap()
    }
}

/// An entry: `base` overlaid with `more`; a null member is removed.
fn entry(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { panic!("no objects") };
    for (name, value) in more {
        if value.is_null() {
            base.remove(&name);
        } else {
            base.insert(name, value);
        }
    }
    base.into()
}

/// Audio received for `second` seconds: 50 packets and 4 000 bytes per second, 1 of 50 lost.
fn received_audio(second: f64, more: Value) -> Value {
    entry(
        json!({
            "id": "IT01A7", "type": "inbound-rtp", "kind": "audio", "ssrc": 7, "mid": "0", "trackIdentifier": "voice",
            "timestamp": 1e6 + second * 1e3, "packetsReceived": (second * 49.0) as u64, "packetsLost": second as u64,
            "bytesReceived": (second * 4e3) as u64, "headerBytesReceived": (second * 600.0) as u64, "jitter": 0.004,
            "totalSamplesReceived": (second * 48e3) as u64, "concealedSamples": (second * 480.0) as u64,
            "silentConcealedSamples": 0, "totalAudioEnergy": second * 0.01, "totalSamplesDuration": second,
            "jitterBufferDelay": second * 48e3 * 0.05, "jitterBufferEmittedCount": (second * 48e3) as u64,
        }),
        more,
    )
}

/// Audio sent for `second` seconds: 50 packets and 4 000 bytes per second.
fn sent_audio(second: f64, more: Value) -> Value {
    entry(
        json!({
            "id": "OT01A8", "type": "outbound-rtp", "kind": "audio", "ssrc": 8, "timestamp": 1e6 + second * 1e3,
            "packetsSent": (second * 50.0) as u64, "bytesSent": (second * 4e3) as u64,
        }),
        more,
    )
}

/// The remote endpoint's report on [`sent_audio`] at `second`: 2 of 100 lost, 80 ms round trip.
fn reported(second: f64, more: Value) -> Value {
    entry(
        json!({
            "id": "RIA8", "type": "remote-inbound-rtp", "kind": "audio", "ssrc": 8, "timestamp": 1e6 + second * 1e3,
            "packetsLost": second as u64, "jitter": 0.01, "roundTripTime": 0.08,
        }),
        more,
    )
}

/// Video received for `second` seconds: 25 frames in 100 packets and 100 000 bytes per second.
fn received_video(second: f64, more: Value) -> Value {
    entry(
        json!({
            "id": "IT01V9", "type": "inbound-rtp", "kind": "video", "ssrc": 9, "timestamp": 1e6 + second * 1e3,
            "packetsReceived": (second * 100.0) as u64, "packetsLost": 0, "bytesReceived": (second * 1e5) as u64,
            "framesReceived": (second * 25.0) as u64, "framesDecoded": (second * 25.0) as u64, "framesDropped": 0,
            "freezeCount": 0, "totalFreezesDuration": 0, "qpSum": (second * 25.0 * 20.0) as u64,
        }),
        more,
    )
}
