//! Every recording with the changes that networks, clocks, browsers and bad software make to such files, and what each
//! change must leave intact, or count.

use std::collections::BTreeMap;

use callgauge::id::{Direction, FabricId};
use callgauge::ingest::Reader;
use callgauge::report::Skipped;
use callgauge::summary::{ConferenceSummary, StreamSummary};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use serde_json::{Value, json};

use crate::common::Seeded;
use crate::common::recordings::{lines, names};
use crate::fuzz_targets::outputs;

/// The result of lines.
struct Outcome {
    summary: ConferenceSummary,
    skipped: Skipped,
    refused_lines: usize,
}

/// Reads any lines into a call and checks all outputs.
fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut call = Conference::new("", Config::new());
    let mut fabrics: BTreeMap<String, FabricId> = BTreeMap::new();
    let mut reader = Reader::new();
    let mut refused_lines = 0;
    for line in lines {
        let result = reader.read(line, &mut |snapshot| {
            let fabric = *fabrics
                .entry(snapshot.fabric.to_owned())
                .or_insert_with(|| call.open_fabric(Timestamp::default(), FabricSpec::new(snapshot.fabric)).unwrap());
            call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
            while let Some(event) = call.poll_event() {
                outputs::check_event(&event);
            }
        });
        refused_lines += usize::from(result.is_err());
    }
    outputs::check(&call);
    Outcome { summary: call.summary(), skipped: reader.skipped(), refused_lines }
}

fn read_all(lines: &[String]) -> Outcome {
    read(lines.iter().map(String::as_bytes))
}

/// Each recording's lines and their result.
fn each(mut test: impl FnMut(&str, &[String], &Outcome)) {
    let mut tested = 0;
    for name in names() {
        let lines = lines(&name);
        let outcome = read_all(&lines);
        assert_eq!((outcome.refused_lines, outcome.summary.fabrics.is_empty()), (0, false));
        test(&name, &lines, &outcome);
        tested += 1;
    }
    assert!(tested > 25, "{tested}");
}

/// Streams by properties that do not depend on their names.
fn streams(summary: &ConferenceSummary) -> BTreeMap<(String, Direction, u32), &StreamSummary> {
    let of = |fabric: &'_ str, stream: &StreamSummary| (fabric.to_owned(), stream.direction, stream.ssrc.get());
    let streams = summary.fabrics.iter().flat_map(|fabric| fabric.streams.iter().map(move |stream| (fabric, stream)));
    streams.map(|(fabric, stream)| (of(&fabric.fabric, stream), stream)).collect()
}

/// Traffic, which follows from the first and the last sample alone where no counter was reset.
fn traffic(stream: &StreamSummary) -> (Option<u64>, Option<u64>, f64, f64) {
    (stream.packets, stream.bytes, stream.start_ms, stream.end_ms)
}

/// A line, changed as JSON, as text again.
fn changed(line: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap();
    change(&mut value);
    value.to_string()
}

/// The stats of a line, by id.
fn stats(line: &mut Value) -> impl Iterator<Item = &mut serde_json::Map<String, Value>> {
    line.get_mut("report").unwrap().as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut)
}

#[test]
fn dropped_lines_remove_no_traffic() {
    each(|name, lines, whole| {
        let mut random = Seeded(1);
        let (head, tail) = (4, lines.len() - 4);
        let rest: Vec<String> = lines
            .iter()
            .enumerate()
            .filter(|&(at, _)| at < head || at >= tail || random.below(4) > 0)
            .map(|(_, line)| line.clone())
            .collect();
        assert!(rest.len() < lines.len() * 9 / 10);
        let outcome = read_all(&rest);
        let (all, some) = (streams(&whole.summary), streams(&outcome.summary));
        for (key, stream) in &some {
            let before = all[key];
            let is_whole = before.start_ms == stream.start_ms && before.end_ms == stream.end_ms;
            if is_whole && before.resets + stream.resets == 0 {
                assert_eq!(traffic(stream), traffic(before), "{name} {key:?}");
            }
        }
    });
}

fn take_repetitions(summary: &mut ConferenceSummary) -> u64 {
    let mut repeated = 0;
    for fabric in &mut summary.fabrics {
        fabric.snapshots = 0;
        fabric.streams.iter_mut().for_each(|stream| repeated += std::mem::take(&mut stream.duplicates));
    }
    repeated
}

#[test]
fn repeated_lines_change_only_their_count() {
    each(|name, lines, whole| {
        let twice: Vec<String> = lines.iter().flat_map(|line| [line.clone(), line.clone()]).collect();
        let mut outcome = read_all(&twice).summary;
        let mut expected = whole.summary.clone();
        assert!(take_repetitions(&mut outcome) > take_repetitions(&mut expected), "{name}");
        assert_eq!(outcome, expected, "{name}");
    });
}

#[test]
fn reordered_lines_count_nothing_twice() {
    each(|name, lines, whole| {
        let mut shuffled = lines.to_vec();
        let mut random = Seeded(3);
        // Neighbouring lines of one connection change places; the first and the last stay.
        let connection = |line: &String| serde_json::from_str::<Value>(line).unwrap()["pc"].clone();
        let of: Vec<Value> = lines.iter().map(connection).collect();
        let last = lines.len() - 2 * whole.summary.fabrics.len();
        for at in 2 * whole.summary.fabrics.len()..last {
            if random.below(5) == 0
                && let Some(next) = (at + 1..last).find(|&next| of[next] == of[at])
            {
                shuffled.swap(at, next);
            }
        }
        let outcome = read_all(&shuffled);
        let (all, some) = (streams(&whole.summary), streams(&outcome.summary));
        assert_eq!(all.len(), some.len());
        let mut late = 0;
        for (key, stream) in &some {
            late += stream.late;
            if all[key].resets + stream.resets == 0 && all[key].start_ms == stream.start_ms {
                assert_eq!(traffic(stream), traffic(all[key]), "{name} {key:?}");
            }
        }
        assert!(late > 0, "{name}");
    });
}

#[test]
fn truncated_lines_are_refused_and_the_rest_is_used() {
    each(|name, lines, whole| {
        let cut: Vec<&[u8]> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                let is_cut = at % 7 == 5 && at < lines.len() - 6;
                if is_cut { &line.as_bytes()[..line.len() * (at % 5 + 1) / 7] } else { line.as_bytes() }
            })
            .collect();
        let outcome = read(cut.iter().copied());
        let refused = (0..lines.len() - 6).filter(|at| at % 7 == 5).count();
        assert_eq!(outcome.refused_lines, refused, "{name}");
        let used: Vec<String> = lines
            .iter()
            .enumerate()
            .filter(|&(at, _)| !(at % 7 == 5 && at < lines.len() - 6))
            .map(|(_, l)| l.clone())
            .collect();
        assert_eq!(outcome.summary, read_all(&used).summary, "{name}");
        assert!(outcome.summary != whole.summary || refused == 0);
    });
}

#[test]
fn numbers_in_strings_are_the_same_numbers() {
    each(|name, lines, whole| {
        let quoted: Vec<String> = lines
            .iter()
            .map(|line| {
                changed(line, |line| {
                    for entry in stats(line) {
                        for member in ["packetsReceived", "packetsSent", "bytesReceived", "bytesSent", "packetsLost"] {
                            if let Some(value) = entry.get_mut(member) {
                                *value = Value::from(value.to_string());
                            }
                        }
                    }
                })
            })
            .collect();
        let outcome = read_all(&quoted);
        assert_eq!(outcome.summary, whole.summary, "{name}");
        assert_eq!(outcome.skipped.bad_fields, whole.skipped.bad_fields);
    });
}

#[test]
fn members_of_a_wrong_type_are_counted_and_unknown() {
    each(|name, lines, whole| {
        let mut odd = 0;
        let changed: Vec<String> = lines
            .iter()
            .map(|line| {
                changed(line, |line| {
                    for (at, entry) in stats(line).enumerate() {
                        if let Some(value) = entry.get_mut("jitter") {
                            *value = [json!([1]), json!({"a": 1}), json!(true), json!("much")][at % 4].clone();
                            odd += 1;
                        }
                    }
                })
            })
            .collect();
        let outcome = read_all(&changed);
        assert_eq!(outcome.skipped.bad_fields, whole.skipped.bad_fields + odd, "{name}");
        assert!(odd > 0 && streams(&outcome.summary).values().all(|stream| stream.jitter_ms.n == 0));
        let all = streams(&whole.summary);
        for (key, stream) in streams(&outcome.summary) {
            assert_eq!((traffic(stream), stream.packets_lost), (traffic(all[&key]), all[&key].packets_lost), "{name}");
        }
    });
}

#[test]
fn extreme_values_change_no_other_connection() {
    each(|name, lines, whole| {
        for extreme in ["1e308", "-1e308", "18446744073709551615", "-1", "4294967295"] {
            let at = lines.len() / 2;
            let mut wild = lines.to_vec();
            wild[at] = changed(&wild[at], |line| {
                for entry in stats(line) {
                    for (member, value) in entry.iter_mut() {
                        if value.is_number() && !matches!(member.as_str(), "timestamp" | "ssrc") {
                            *value = serde_json::from_str(extreme).unwrap();
                        }
                    }
                }
            });
            // `read` checks that all outputs are sound; here, one line must not affect another connection.
            let outcome = read_all(&wild);
            let fabric = serde_json::from_str::<Value>(&lines[at]).unwrap()["pc"].as_str().unwrap().to_owned();
            let others = |summary: &ConferenceSummary| -> Vec<_> {
                summary.fabrics.iter().filter(|other| other.fabric != fabric).cloned().collect()
            };
            assert_eq!(others(&outcome.summary), others(&whole.summary), "{name}: {extreme}");
            assert!(whole.summary.fabrics.len() < 2 || !others(&whole.summary).is_empty());
        }
    });
}

#[test]
fn renamed_ids_give_the_same_call() {
    each(|name, lines, whole| {
        let renamed: Vec<String> = lines
            .iter()
            .map(|line| {
                changed(line, |line| {
                    let report = line.get_mut("report").unwrap().as_object_mut().unwrap();
                    let ids: Vec<String> = report.keys().cloned().collect();
                    let new = |id: &str| format!("é{}\"{id}", id.len());
                    for entry in report.values_mut().filter_map(Value::as_object_mut) {
                        for value in entry.values_mut() {
                            if let Some(id) = value.as_str().filter(|id| ids.iter().any(|known| known == id)) {
                                *value = Value::from(new(id));
                            }
                        }
                    }
                    *report = std::mem::take(report).into_iter().map(|(id, entry)| (new(&id), entry)).collect();
                })
            })
            .collect();
        let summaries = [read_all(&renamed).summary, whole.summary.clone()].map(without_transports);
        assert_eq!(summaries[0], summaries[1], "{name}");
    });
}

/// The summary without the ids of transports, which it shows as they are.
fn without_transports(mut summary: ConferenceSummary) -> ConferenceSummary {
    for fabric in &mut summary.fabrics {
        fabric.paths.iter_mut().for_each(|path| path.transport = None);
        fabric.streams.iter_mut().for_each(|stream| stream.transport = None);
    }
    summary
}

#[test]
fn time_shifted_call_has_the_same_figures() {
    const LATER_MS: f64 = 86_400_000.0 * 512.0;
    each(|name, lines, whole| {
        let moved: Vec<String> = lines
            .iter()
            .map(|line| {
                changed(line, |line| {
                    let later = |value: &mut Value| {
                        if let Some(ms) = value.as_f64() {
                            *value = Value::from(ms + LATER_MS);
                        }
                    };
                    line.get_mut("t").map(later);
                    for entry in stats(line) {
                        entry.get_mut("timestamp").map(later);
                    }
                })
            })
            .collect();
        let outcome = read_all(&moved);
        let all = streams(&whole.summary);
        for (key, stream) in streams(&outcome.summary) {
            let before = all[&key];
            // Sums of doubles of another magnitude: the last bits differ.
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * a.abs().max(1.0);
            assert!(near(stream.start_ms - LATER_MS, before.start_ms) && near(stream.duration_s, before.duration_s));
            assert_eq!((stream.packets, stream.bytes, stream.resets), (before.packets, before.bytes, before.resets));
            let mos = |stream: &StreamSummary| stream.score.mos.unwrap_or(0.0);
            assert!((mos(stream) - mos(before)).abs() < 1e-3, "{name} {key:?}: {} {}", mos(stream), mos(before));
        }
    });
}

/// Time stamps in microseconds or seconds: the call has the same duration, or is longer by that factor; nothing else
/// changes.
#[test]
fn time_stamp_unit_changes_only_durations() {
    each(|name, lines, whole| {
        for unit in [1e3, 1e-3] {
            let scaled: Vec<String> = lines
                .iter()
                .map(|line| {
                    changed(line, |line| {
                        for entry in stats(line) {
                            if let Some(value) = entry.get_mut("timestamp") {
                                *value = Value::from(value.as_f64().unwrap() * unit);
                            }
                        }
                    })
                })
                .collect();
            let outcome = read_all(&scaled);
            let (all, some) = (streams(&whole.summary), streams(&outcome.summary));
            for (key, stream) in &some {
                assert_eq!((stream.packets, stream.bytes), (all[key].packets, all[key].bytes), "{name} {unit}");
                let share = stream.duration_s / all[key].duration_s;
                assert!((share - 1.0).abs() < 1e-3 || (share / unit - 1.0).abs() < 1e-3, "{name} {unit}: {share}");
            }
        }
    });
}
