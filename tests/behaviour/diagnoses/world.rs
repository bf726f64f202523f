//! A synthetic call: one endpoint sends and receives audio and video, with one sample per second, and a problem from
//! second 30 to second 90.

use std::collections::BTreeMap;

use callgauge::diagnosis::{Kind, Side};
use callgauge::ingest::Reader;
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use serde_json::{Map, Value, json};

use super::{Change, DiagnosisEvent};

/// Start and end of the problem, and end of the call, s.
pub(crate) const FROM_S: u32 = 30;
pub(crate) const TO_S: u32 = 90;
pub(crate) const END_S: u32 = 150;

/// Loudness of speech in consecutive seconds, relative to its mean: speech has pauses, noise has none.
const SPEECH: [f64; 5] = [1.6, 1.2, 0.02, 1.8, 0.5];

/// Entry and member of a value.
type Member = (&'static str, &'static str);

/// The current entries, and how much their counters grow per second.
pub(crate) struct World {
    entries: BTreeMap<&'static str, Map<String, Value>>,
    rates: BTreeMap<Member, f64>,
    counters: BTreeMap<Member, f64>,
    /// Identifiers that the reports omit.
    pub(crate) gone: Vec<&'static str>,
    /// Interval of the remote endpoint's reports by entry, s.
    pub(crate) reports: BTreeMap<&'static str, u32>,
    /// The second of the current sample.
    pub(crate) s: u32,
    /// Offset of the reporter's clock, ms.
    pub(crate) ahead_ms: f64,
}

/// Application inputs in a second of the call.
pub(crate) type Act = fn(u32, &mut Conference, callgauge::id::FabricId, Timestamp);

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            entries: BTreeMap::new(),
            rates: BTreeMap::new(),
            counters: BTreeMap::new(),
            gone: Vec::new(),
            reports: BTreeMap::new(),
            s: 0,
            ahead_ms: 0.0,
        };
        world.add("T", json!({"type": "transport", "selectedCandidatePairId": "P", "dtlsState": "connected", "iceState": "connected"}));
        world.add(
            "P",
            json!({"type": "candidate-pair", "state": "succeeded", "nominated": true, "currentRoundTripTime": 0.05,
            "localCandidateId": "L", "remoteCandidateId": "R", "availableOutgoingBitrate": 2.5e6}),
        );
        world.add("L", json!({"type": "local-candidate", "candidateType": "host", "protocol": "udp"}));
        world.add("R", json!({"type": "remote-candidate", "candidateType": "host", "protocol": "udp"}));
        for (field, rate) in
            [("bytesReceived", 130_000.0), ("bytesSent", 130_000.0), ("requestsSent", 0.4), ("responsesReceived", 0.4)]
        {
            world.grow("P", field, rate);
        }
        world.add("IA", json!({"type": "inbound-rtp", "kind": "audio", "ssrc": 1, "jitter": 0.003, "packetsLost": 0}));
        for (field, rate) in [
            ("packetsReceived", 50.0),
            ("bytesReceived", 4_000.0),
            ("totalSamplesReceived", 48_000.0),
            ("concealedSamples", 0.0),
            ("silentConcealedSamples", 0.0),
            ("insertedSamplesForDeceleration", 100.0),
            ("removedSamplesForAcceleration", 100.0),
            ("jitterBufferDelay", 2_400.0),
            ("jitterBufferTargetDelay", 2_400.0),
            ("jitterBufferEmittedCount", 48_000.0),
            ("totalAudioEnergy", 0.001),
            ("totalSamplesDuration", 1.0),
        ] {
            world.grow("IA", field, rate);
        }
        world.add(
            "IV",
            json!({"type": "inbound-rtp", "kind": "video", "ssrc": 2, "jitter": 0.003, "packetsLost": 0,
            "frameWidth": 640, "frameHeight": 360, "decoderImplementation": "libvpx"}),
        );
        for (field, rate) in [
            ("packetsReceived", 100.0),
            ("bytesReceived", 100_000.0),
            ("framesReceived", 25.0),
            ("framesDecoded", 25.0),
            ("framesDropped", 0.0),
            ("totalDecodeTime", 0.1),
            ("freezeCount", 0.0),
            ("totalFreezesDuration", 0.0),
            ("pliCount", 0.0),
            ("firCount", 0.0),
        ] {
            world.grow("IV", field, rate);
        }
        world.add(
            "OA",
            json!({"type": "outbound-rtp", "kind": "audio", "ssrc": 3, "mediaSourceId": "SA", "active": true}),
        );
        world.grow("OA", "packetsSent", 50.0);
        world.grow("OA", "bytesSent", 4_000.0);
        world.add(
            "OV",
            json!({"type": "outbound-rtp", "kind": "video", "ssrc": 4, "mediaSourceId": "SV", "active": true,
            "frameWidth": 640, "frameHeight": 360}),
        );
        for (field, rate) in [
            ("packetsSent", 100.0),
            ("bytesSent", 100_000.0),
            ("framesSent", 25.0),
            ("framesEncoded", 25.0),
            ("totalEncodeTime", 0.1),
            ("pliCount", 0.0),
            ("limited.none", 1.0),
            ("limited.cpu", 0.0),
            ("limited.bandwidth", 0.0),
            ("limited.other", 0.0),
        ] {
            world.grow("OV", field, rate);
        }
        world.add("SA", json!({"type": "media-source", "kind": "audio", "trackIdentifier": "a"}));
        world.grow("SA", "totalAudioEnergy", 0.001);
        world.grow("SA", "totalSamplesDuration", 1.0);
        world
            .add("SV", json!({"type": "media-source", "kind": "video", "trackIdentifier": "v", "framesPerSecond": 25}));
        for (id, ssrc, kind, rate, every) in [("HA", 3, "audio", 50.0, 5), ("HV", 4, "video", 100.0, 1)] {
            world.add(
                id,
                json!({"type": "remote-inbound-rtp", "kind": kind, "ssrc": ssrc, "roundTripTime": 0.05,
                "packetsLost": 0, "jitter": 0.003}),
            );
            world.grow(id, "packetsReceived", rate);
            world.reports.insert(id, every);
        }
        for (id, ssrc, kind, rate, every) in [("GA", 1, "audio", 50.0, 5), ("GV", 2, "video", 100.0, 1)] {
            world.add(id, json!({"type": "remote-outbound-rtp", "kind": kind, "ssrc": ssrc}));
            world.grow(id, "packetsSent", rate);
            world.reports.insert(id, every);
        }
        world
    }

    pub(crate) fn add(&mut self, id: &'static str, entry: Value) {
        let Value::Object(mut entry) = entry else { panic!("no entry") };
        entry.insert("id".into(), id.into());
        self.entries.insert(id, entry);
    }

    /// Sets the growth of a counter per second.
    pub(crate) fn grow(&mut self, id: &'static str, field: &'static str, rate: f64) {
        self.rates.insert((id, field), rate);
    }

    /// Stops all counters of an entry.
    pub(crate) fn stop(&mut self, id: &'static str) {
        self.rates.iter_mut().filter(|((of, _), _)| *of == id).for_each(|(_, rate)| *rate = 0.0);
    }

    pub(crate) fn set(&mut self, id: &'static str, field: &str, value: impl Into<Value>) {
        self.entries.get_mut(id).unwrap().insert(field.into(), value.into());
    }

    /// Removes a member from an entry.
    pub(crate) fn forget(&mut self, id: &'static str, field: &'static str) {
        self.rates.remove(&(id, field));
        self.counters.remove(&(id, field));
        self.entries.get_mut(id).unwrap().remove(field);
    }

    /// Restores the initial state; counters continue.
    pub(crate) fn mend(&mut self) {
        let fresh = Self::new();
        for (member, rate) in fresh.rates {
            if let Some(now) = self.rates.get_mut(&member) {
                *now = rate;
            }
        }
        for (id, entry) in fresh.entries {
            self.entries.get_mut(id).unwrap().extend(entry);
        }
        (self.reports, self.gone) = (fresh.reports, Vec::new());
    }

    /// Stops all reception on all paths.
    pub(crate) fn cut(&mut self) {
        for id in ["IA", "IV", "GA", "GV", "HA", "HV"] {
            self.stop(id);
            self.reports.remove(id);
        }
        // Playout continues with concealment.
        self.grow("IA", "totalSamplesReceived", 48_000.0);
        self.grow("P", "bytesReceived", 0.0);
        self.grow("P", "requestsSent", 10.0);
        self.grow("P", "responsesReceived", 0.0);
    }

    fn report(&mut self) -> String {
        for (&member, &rate) in &self.rates {
            let loudness = if member.1 == "totalAudioEnergy" { SPEECH[self.s as usize % SPEECH.len()] } else { 1.0 };
            *self.counters.entry(member).or_default() += rate * loudness;
        }
        let now_ms = 1.7e12 + f64::from(self.s) * 1e3 + self.ahead_ms;
        let is_remote = |id: &str| id.starts_with(['G', 'H']);
        for (&id, entry) in &mut self.entries {
            let is_due = !is_remote(id) || self.reports.get(id).is_some_and(|every| self.s.is_multiple_of(*every));
            if !is_due {
                continue;
            }
            entry.insert("timestamp".into(), now_ms.into());
            let mut limited = Map::new();
            for (&(_, field), &value) in self.counters.iter().filter(|((of, _), _)| *of == id) {
                match field.strip_prefix("limited.") {
                    Some(reason) => limited.insert(reason.into(), value.into()),
                    None if field.starts_with("total")
                        || field.starts_with("jitterBufferT")
                        || field == "jitterBufferDelay" =>
                    {
                        entry.insert(field.into(), value.into())
                    }
                    None => entry.insert(field.into(), (value as u64).into()),
                };
            }
            if !limited.is_empty() {
                entry.insert("qualityLimitationDurations".into(), limited.into());
            }
        }
        let entries: Map<String, Value> = self
            .entries
            .iter()
            .filter(|(id, entry)| !self.gone.contains(id) && entry.contains_key("timestamp"))
            .map(|(&id, entry)| (id.to_owned(), entry.clone().into()))
            .collect();
        Value::from(entries).to_string()
    }
}

/// Plays a call. `change` edits the world before each sample; a sample for which it returns false is left out.
pub(crate) fn play(
    mut change: impl FnMut(&mut World) -> bool,
    act: Option<Act>,
) -> (Vec<DiagnosisEvent>, ConferenceSummary) {
    let mut world = World::new();
    let mut call = Conference::new("made", Config::new());
    let alice = call.user("alice").unwrap();
    let fabric = call.open_fabric(Timestamp::from_millis(1_000), FabricSpec::new("pc").with_local_user(alice)).unwrap();
    let (mut reader, mut events) = (Reader::new(), Vec::new());
    for s in 1..=END_S {
        world.s = s;
        let now = Timestamp::from_millis(u64::from(s) * 1_000);
        if let Some(act) = act {
            act(s, &mut call, fabric, now);
        }
        let is_sampled = change(&mut world);
        let text = world.report();
        if is_sampled {
            let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
                assert_eq!(snapshot.report.skipped().bad_fields, 0, "{text}");
                call.ingest(now, fabric, snapshot.report).unwrap();
            };
            reader.read(text.as_bytes(), &mut each).unwrap();
        }
        while let Some(event) = call.poll_event() {
            let (change, diagnosis) = match event {
                Event::DiagnosisRaised { diagnosis, .. } => (Change::Raised, diagnosis),
                Event::DiagnosisUpdated { diagnosis, .. } => (Change::Updated, diagnosis),
                Event::DiagnosisCleared { diagnosis, .. } => (Change::Cleared, diagnosis),
                _ => continue,
            };
            events.push((f64::from(s), "pc".to_owned(), change, diagnosis));
        }
    }
    (events, call.summary())
}

/// A problem and the diagnosis that must be raised.
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) side: Option<Side>,
    /// When it is raised and when it is cleared, s; no end where the call ends first.
    pub(crate) raised: std::ops::RangeInclusive<u32>,
    pub(crate) over: Option<std::ops::RangeInclusive<u32>>,
    /// When the problem began, s: the time in the diagnosis.
    pub(crate) from: std::ops::RangeInclusive<u32>,
    pub(crate) change: fn(&mut World),
    pub(crate) act: Option<Act>,
    /// Kinds that may be raised too, as effects.
    pub(crate) with: &'static [Kind],
}
