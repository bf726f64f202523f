//! States with impossible numbers under a valid checksum: the engine refuses them or continues with them. Arithmetic is
//! checked here, as in every build with debug assertions.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::conference::Checkpoint;
use callgauge::id::{FabricId, Ssrc, UserId};
use callgauge::ingest::Reader;
use callgauge::unit::Timestamp;
use callgauge::{AppEvent, Conference, Config, FabricSpec};
use serde_json::Value;

use crate::common::Seeded;
use crate::common::recordings::lines;

/// The largest and the smallest values of a number, those of the widest type first.
fn extremes(number: &Value) -> [Vec<Value>; 2] {
    if number.is_f64() {
        return [vec![f64::MAX.into()], vec![f64::MIN.into()]];
    }
    let largest = vec![u64::MAX.into(), i64::MAX.into(), u32::MAX.into(), u16::MAX.into(), u8::MAX.into()];
    [largest, vec![i64::MIN.into(), i32::MIN.into(), i16::MIN.into(), 0.into()]]
}

/// A call and its inputs, with any result.
#[derive(Clone)]
struct Subject {
    call: Conference,
    fabrics: BTreeMap<String, FabricId>,
}

impl Subject {
    fn feed(&mut self, lines: &[String]) {
        let (mut reader, Self { call, fabrics }) = (Reader::new(), self);
        for line in lines {
            let read = reader.read(line.as_bytes(), &mut |snapshot| {
                let now = Timestamp::from_millis(snapshot.report.latest().map_or(0.0, |at| at.as_millis()) as u64);
                let now = now.max(call.clock().unwrap_or_default());
                let open = || call.open_fabric(now, FabricSpec::new(snapshot.fabric)).unwrap();
                let fabric = *fabrics.entry(snapshot.fabric.to_owned()).or_insert_with(open);
                let _ = call.ingest(now, fabric, snapshot.report);
            });
            read.unwrap();
        }
    }

    /// Associates streams with users and mutes them.
    fn associate(&mut self, users: [UserId; 2]) {
        let fabrics: Vec<_> = self.call.summary().fabrics.into_iter().zip(self.fabrics.values()).collect();
        for (summary, &fabric) in fabrics {
            let now = self.call.clock().unwrap_or_default();
            for (n, stream) in summary.streams.iter().enumerate() {
                for &user in users.iter().cycle().skip(n).take(1 + n % 2) {
                    let _ = self.call.fabric(fabric).unwrap().associate(stream.ssrc, user, "camera");
                }
                let _ = self.call.fabric(fabric).unwrap().group(stream.ssrc, &[Ssrc::new(n as u32)]);
                let _ = self.call.send_event(now, fabric, AppEvent::AudioMute(Some(stream.ssrc)));
            }
            let _ = self.call.send_event(now, fabric, AppEvent::AudioUnmute(None));
        }
    }

    /// Continues with a forged state; false if it is refused.
    fn goes_on(&self, forged: &Value, users: [UserId; 2], lines: &[String]) -> bool {
        let Some(call) = resume(forged) else { return false };
        let mut subject = Self { call, ..self.clone() };
        let _ = subject.call.summary();
        subject.feed(lines);
        subject.associate(users);
        subject.ask();
        true
    }

    /// Requests every output of a call.
    fn ask(&mut self) {
        let (_, text) = (self.call.snapshot(), serde_json::to_string(&self.call.summary()).unwrap());
        assert!(!text.is_empty());
        assert!(Conference::restore(&self.call.save(), Config::new()).is_ok(), "its own state");
        let later = self.call.clock().unwrap_or_default().as_micros().saturating_add(40_000_000);
        let _ = self.call.handle_timeout(Timestamp::from_micros(later));
        while self.call.poll_event().is_some() {}
    }
}

fn read(state: &Value) -> Option<Checkpoint<'static>> {
    serde_json::from_value(state.clone()).ok()
}

/// Restores a call from a state, under the checksum that fits it. `None` if it is refused.
fn resume(state: &Value) -> Option<Conference> {
    let bytes = postcard::to_allocvec(&read(state)?).unwrap();
    // The schema, the checksum, the models, and the content of the checksum.
    type Frame<'a> = (&'a str, u32, (&'a str, &'a str));
    let (_, call) = postcard::take_from_bytes::<Frame<'_>>(&bytes).unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(call);
    let mut state = state.clone();
    state["checksum"] = crc.sum().into();
    read(&state).unwrap().resume(Config::new()).ok()
}

/// Path of the first number of each member, in any element of a list.
fn numbers(value: &Value, path: &str, class: &str, found: &mut (BTreeSet<String>, Vec<String>)) {
    match value {
        Value::Number(_) if found.0.insert(class.to_owned()) => found.1.push(path.to_owned()),
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                numbers(value, &format!("{path}/{n}"), &format!("{class}/#"), found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                numbers(value, &format!("{path}/{name}"), &format!("{class}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// The members of each object, including nested objects and lists of numbers: the places where numbers stand or could stand.
fn members(value: &Value, path: &str, class: &str, found: &mut BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut own = vec![];
    match value {
        Value::Number(_) | Value::Null => own.push(path.to_owned()),
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate().take(8) {
                let inner = members(value, &format!("{path}/{n}"), &format!("{class}/#"), found);
                if value.is_number() {
                    own.extend(inner);
                }
            }
        }
        Value::Object(inner) => {
            for (name, value) in inner {
                own.extend(members(value, &format!("{path}/{name}"), &format!("{class}/{name}"), found));
            }
            found.entry(class.to_owned()).or_insert_with(|| own.clone());
        }
        _ => {}
    }
    own
}

/// A call with every possible content, and its state.
fn subject(lines: &[String]) -> (Subject, [UserId; 2], Value) {
    let mut subject = Subject { call: Conference::new("c", Config::new()), fabrics: BTreeMap::new() };
    subject.feed(lines);
    let users = [subject.call.user("u").unwrap(), subject.call.user("v").unwrap()];
    subject.associate(users);
    let state = serde_json::to_value(subject.call.state()).unwrap();
    assert_eq!(resume(&state).unwrap().save(), subject.call.save());
    (subject, users, state)
}

#[test]
fn extreme_number_in_a_state_is_refused_or_continued_with() {
    let lines = lines("loss5");
    let (subject, users, state) = subject(&lines[..24]);
    let mut found = (BTreeSet::new(), Vec::new());
    numbers(&state["call"], "/call", "", &mut found);
    let (mut tried, mut resumed) = (0, 0);
    for path in &found.1 {
        let mut forged = state.clone();
        for extremes in extremes(state.pointer(path).unwrap()) {
            let holds = |extreme: &Value| {
                *forged.pointer_mut(path).unwrap() = extreme.clone();
                read(&forged).is_some()
            };
            let extreme = extremes.into_iter().find(holds);
            // Shown with a failure.
            println!("{path} = {extreme:?}");
            tried += 1;
            resumed += usize::from(subject.goes_on(&forged, users, &lines[22..28]));
        }
    }
    assert!(resumed > 1_000 && tried - resumed > 20, "continued with {resumed} of {tried}");
}

#[test]
fn many_extreme_numbers_in_a_state_are_refused_or_continued() {
    let lines = lines("loss5");
    let (subject, users, state) = subject(&lines[..24]);
    let mut found = BTreeMap::new();
    members(&state["call"], "/call", "", &mut found);
    let ends =
        [0, 1, u8::MAX.into(), u32::MAX.into(), 1 << 48, (1 << 48) * 100, u64::MAX - 1, u64::MAX].map(Value::from);
    let floats = [0.0, -1e15, 1e15, -1e300, 1e300, f64::MAX].map(Value::from);
    let (mut random, mut tried, mut resumed) = (Seeded(7), 0, 0);
    for (class, paths) in &found {
        for _ in 0..8 {
            let mut forged = state.clone();
            // Many of a few, or few of many.
            let one_in = 2 + random.below(1 + paths.len() / 4);
            for path in paths {
                if random.below(one_in) > 0 {
                    continue;
                }
                let before = forged.pointer(path).unwrap().clone();
                let is_float = before.is_f64() || before.is_null() && random.below(2) == 0;
                let pool = if is_float { floats.as_slice() } else { &ends };
                let value = pool[random.below(pool.len())].clone();
                println!("{path} = {value}");
                *forged.pointer_mut(path).unwrap() = value;
                if read(&forged).is_none() {
                    *forged.pointer_mut(path).unwrap() = before;
                }
            }
            println!("{class}");
            tried += 1;
            resumed += usize::from(subject.goes_on(&forged, users, &lines[22..26]));
        }
    }
    assert!(resumed > 1_000 && tried - resumed > 20, "continued with {resumed} of {tried}");
}

#[test]
fn id_beyond_the_lists_of_a_state_is_refused() {
    let lines = lines("loss5");
    let (mut subject, _, _) = subject(&lines[..24]);
    subject.feed(&lines[24..28]);
    let state = serde_json::to_value(subject.call.state()).unwrap();
    for id in ["sources/0/speaker", "sources/0/superseded_by", "speakers/0/primary", "by_stream/0/1", "senders/0/1"] {
        let mut forged = state.clone();
        *forged.pointer_mut(&format!("/call/attribution/{id}")).unwrap() = 99.into();
        assert!(resume(&state).is_some() && resume(&forged).is_none(), "{id}");
    }
}
