//! A conference saved and restored between any two inputs continues without any difference, to the bit.

use std::collections::BTreeMap;

use callgauge::conference::{Checkpoint, RestoreError};
use callgauge::id::FabricId;
use callgauge::ingest::Reader;
use callgauge::score::audio::AudioModel;
use callgauge::score::{Model, ModelId, NoScore, Score};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec, Limits};

use crate::common::recordings::{lines, names};
use crate::common::{Seeded, WORKLOADS, workload};

/// Reads lines into a new call and calls `between` after each input. Returns all outputs.
fn play(lines: &[String], between: impl FnMut(&mut Conference)) -> (Vec<Event>, Conference) {
    go_on(Conference::new("call", Config::new()), lines, between)
}

/// The same for a call that may have begun.
fn go_on(mut call: Conference, lines: &[String], mut between: impl FnMut(&mut Conference)) -> (Vec<Event>, Conference) {
    let mut fabrics: BTreeMap<String, FabricId> = BTreeMap::new();
    let (mut reader, mut events, mut now) = (Reader::new(), Vec::new(), call.clock().unwrap_or_default());
    for line in lines {
        let mut see = |snapshot: callgauge::ingest::Snapshot<'_>| {
            now = Timestamp::from_millis(snapshot.report.latest().map_or(0.0, |at| at.as_millis()) as u64).max(now);
            let fabric = *fabrics.entry(snapshot.fabric.to_owned()).or_insert_with(|| {
                let user = call.user(snapshot.fabric).unwrap();
                let spec = FabricSpec::new(snapshot.fabric).with_local_user(user);
                call.find_fabric(&spec).unwrap_or_else(|| call.open_fabric(now, spec).unwrap())
            });
            call.ingest(now, fabric, snapshot.report).unwrap();
            between(&mut call);
            events.extend(std::iter::from_fn(|| call.poll_event()));
        };
        reader.read(line.as_bytes(), &mut see).unwrap();
    }
    (events, call)
}

fn through_bytes(call: &Conference) -> Conference {
    Conference::restore(&call.save(), Config::new()).unwrap()
}

fn through_json(call: &Conference) -> Conference {
    let text = serde_json::to_string(&call.state()).unwrap();
    serde_json::from_str::<Checkpoint<'_>>(&text).unwrap().resume(Config::new()).unwrap()
}

/// Half a minute of four streams for each of two users, with the events of the last input pending.
fn some_call() -> Conference {
    let mut last = None;
    play(&lines("loss5")[..60], |call| last = Some(call.clone()));
    last.unwrap()
}

#[test]
fn recordings_restored_at_any_input_continue_alike() {
    let mut cuts = 0;
    for name in names() {
        let lines = lines(&name);
        let mut random = Seeded(name.len() as u64);
        let (events, call) = play(&lines, |_| {});
        let (events_again, call_again) = play(&lines, |call| match random.below(40) {
            0 => (*call, cuts) = (through_json(call), cuts + 1),
            1..5 => (*call, cuts) = (through_bytes(call), cuts + 1),
            _ => {}
        });
        assert!(!events.is_empty());
        assert!(events == events_again, "{name}");
        assert!(call.summary() == call_again.summary(), "{name}");
        assert!(call.save() == call_again.save(), "{name}");
    }
    assert!(cuts > 1_000, "{cuts}");
}

#[test]
fn call_restored_after_every_input_continues_alike() {
    let lines = lines("mesh3");
    let (events, call) = play(&lines, |_| {});
    let (events_again, call_again) = play(&lines, |call| *call = through_bytes(call));
    assert!(events == events_again && call.summary() == call_again.summary());
}

/// The whole state divided by the number of streams; `Conference::save` states 3 to 4 KB.
#[test]
fn state_takes_at_most_six_kilobytes_per_stream() {
    let recorded = names().into_iter().map(|name| (lines(&name), name));
    let made = WORKLOADS.iter().map(|&set| (workload(set), set.to_owned()));
    for (lines, name) in recorded.chain(made) {
        let (_, call) = play(&lines, |_| {});
        let streams: usize = call.summary().fabrics.iter().map(|fabric| fabric.streams.len()).sum();
        let bytes = call.save().len() / streams;
        println!("{name}: {streams} streams, {bytes} bytes for each");
        assert!((100..6_000).contains(&bytes), "{name}: {bytes}");
    }
}

/// An earlier state of the current version can be read. A failure means that the content of states has changed: raise
/// the version, then rewrite the state with `UPDATE_GOLDEN=1`.
#[test]
fn stored_state_of_this_version_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/states/loss5.state");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, some_call().save()).unwrap();
    }
    let bytes = std::fs::read(path).unwrap();
    let call = Conference::restore(&bytes, Config::new()).unwrap();
    assert_eq!(call.summary().fabrics.len(), 2);
    assert_eq!(call.save(), bytes);
    // Values stored by their place in a table keep their meaning: the next samples give the same as without a cut.
    let next = &lines("loss5")[60..90];
    let [read, uncut] = [call, some_call()].map(|call| go_on(call, next, |_| {}).0);
    assert!(read.len() > 100 && read == uncut);
}

#[test]
fn version_bytes_and_text_agree() {
    let call = some_call();
    let words = serde_json::to_value(call.state()).unwrap();
    assert_eq!(words["schema"], format!("callgauge.state/{}", call.save()[3]));
}

#[test]
fn changed_byte_of_a_state_is_detected() {
    let call = some_call();
    let bytes = call.save();
    assert_eq!(Conference::restore(&bytes, Config::new()).unwrap().save(), bytes);
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1 << (at % 8);
        let error = Conference::restore(&broken, Config::new()).unwrap_err();
        let expected = match at {
            0..3 => RestoreError::NotAState,
            3 => RestoreError::OtherVersion,
            _ => RestoreError::Corrupt,
        };
        assert_eq!(error, expected, "{at}");
        assert!(Conference::restore(&bytes[..at], Config::new()).is_err());
    }
    assert_eq!(Conference::restore(b"", Config::new()).unwrap_err(), RestoreError::NotAState);
}

#[test]
fn changed_number_in_a_written_state_is_detected() {
    let text = serde_json::to_string(&some_call().state()).unwrap();
    let read = |text: &str| serde_json::from_str::<Checkpoint<'_>>(text).unwrap().resume(Config::new()).map(drop);
    assert_eq!(read(&text), Ok(()));
    let changed = text.replacen("\"instance\":1", "\"instance\":2", 1);
    assert_ne!(changed, text);
    assert_eq!(read(&changed), Err(RestoreError::Corrupt));
    assert_eq!(read(&text.replacen("state/5", "state/4", 1)), Err(RestoreError::OtherVersion));
}

#[test]
fn scores_of_other_models_are_not_continued() {
    #[derive(Debug)]
    struct Other;
    impl Model<callgauge::score::audio::AudioInputs<'_>> for Other {
        fn id(&self) -> ModelId {
            ModelId::new("other", 1)
        }

        fn score(&self, inputs: &callgauge::score::audio::AudioInputs<'_>) -> Result<Score, NoScore> {
            AudioModel::new().score(inputs)
        }
    }
    let bytes = some_call().save();
    let config = Config::new().with_audio_model(Other);
    assert_eq!(Conference::restore(&bytes, config.clone()).unwrap_err(), RestoreError::OtherModels);
    // A model may delegate to another model; the configured model is the outer one.
    let play_with = |between: fn(&mut Conference, &Config)| {
        let mut call = Conference::new("", config.clone());
        let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("A")).unwrap();
        let (mut reader, mut events) = (Reader::new(), Vec::new());
        for line in lines("loss5") {
            reader
                .read(line.as_bytes(), &mut |snapshot| {
                    call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
                    between(&mut call, &config);
                    events.extend(std::iter::from_fn(|| call.poll_event()));
                })
                .unwrap();
        }
        (events, call.summary())
    };
    let whole = play_with(|_, _| {});
    assert!(whole == play_with(|call, config| *call = Conference::restore(&call.save(), config.clone()).unwrap()));
    let by_other =
        |event: &Event| matches!(event, Event::IntervalClosed { score: Ok(score), .. } if score.model.name == "other");
    assert!(whole.0.iter().any(by_other));
}

#[test]
fn smaller_limits_drop_nothing_already_held() {
    let call = some_call();
    let limits = Limits::new().with_fabrics(0).with_streams_per_fabric(0).with_timeline(0).with_users(0);
    let again = Conference::restore(&call.save(), Config::new().with_limits(limits)).unwrap();
    assert_eq!(again.summary(), call.summary());
}
