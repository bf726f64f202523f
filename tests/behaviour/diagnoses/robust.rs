//! Diagnoses under odd input, other polling intervals and configured thresholds.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::diagnosis::{Diagnosis, Kind, Side, Threshold, Thresholds};
use callgauge::{Config, Limits};

use super::{Change, DiagnosisEvent, diagnose, diagnose_with};
use crate::common::recordings::{lines, meta, names};

/// Asserts that diagnoses are raised and cleared alternately, with figures, and in order of time.
fn check(name: &str, events: &[DiagnosisEvent]) -> usize {
    let mut on: BTreeMap<String, Diagnosis> = BTreeMap::new();
    let mut raised = 0;
    for (_, fabric, change, diagnosis) in events {
        let key = format!("{fabric} {:?} {:?} {:?}", diagnosis.kind, diagnosis.stream, diagnosis.side);
        assert!(diagnosis.evidence.get(diagnosis.kind.figure()).is_some(), "{name}: {key}");
        assert!(diagnosis.evidence.iter().all(|(_, value)| value.is_finite()), "{name}: {key}");
        assert!(diagnosis.to.is_none_or(|to| to >= diagnosis.from), "{name}: {key}");
        match change {
            Change::Raised => {
                assert!(on.insert(key, *diagnosis).is_none(), "{name}");
                raised += 1;
            }
            Change::Updated => assert!(on.contains_key(&key), "{name}"),
            Change::Cleared => assert!(on.remove(&key).is_some(), "{name}"),
        }
    }
    raised
}

#[test]
fn polling_every_five_seconds_gives_the_same_diagnoses() {
    let mut compared = 0;
    for name in names() {
        let all = lines(&name);
        let fabrics = meta(&name)["pcs"].as_array().unwrap().len();
        // Every fifth snapshot of each connection.
        let thin: Vec<String> = all.chunks(fabrics).step_by(5).flatten().cloned().collect();
        let steady =
            ["loss10", "loss20", "burst10", "ff_loss20", "audio_nofec_loss10", "jitter80", "rate300", "delay150"];
        let (events, summary) = diagnose(&name, &thin);
        check(&name, &events);
        let (_, whole) = diagnose(&name, &all);
        if steady.contains(&name.as_str()) {
            // Either end may report the congested direction.
            let plain = |kind: Kind| if kind == Kind::UplinkCongestion { Kind::DownlinkCongestion } else { kind };
            let roots = |summary: &callgauge::summary::ConferenceSummary| {
                let first = plain(summary.diagnoses[0].kind);
                let of_first =
                    summary.diagnoses.iter().filter(|other| plain(other.kind) == first && other.follows.is_none());
                (
                    first,
                    of_first
                        .map(|root| root.sentence.split("'s").next().unwrap().to_owned())
                        .collect::<BTreeSet<_>>()
                        .len(),
                )
            };
            assert_eq!(roots(&summary), roots(&whole), "{name}");
            compared += 1;
        } else if whole.diagnoses.is_empty() {
            let sentences: Vec<_> = summary.diagnoses.iter().map(|diagnosis| &diagnosis.sentence).collect();
            assert!(sentences.is_empty(), "{name}: {sentences:?}");
            compared += 1;
        }
    }
    assert!(compared >= 14, "{compared}");
}

#[test]
fn single_endpoint_reaches_its_own_diagnosis() {
    let of_a: Vec<String> = lines("loss10")
        .into_iter()
        .filter(|line| line.contains("\"pc\": \"A\"") || line.contains("\"pc\":\"A\""))
        .collect();
    assert!(of_a.len() > 50);
    let (_, summary) = diagnose("loss10", &of_a);
    let roots: Vec<_> = summary.diagnoses.iter().filter(|diagnosis| diagnosis.follows.is_none()).collect();
    let sides: Vec<_> = roots.iter().map(|root| (root.kind, root.direction)).collect();
    assert_eq!(sides.len(), 2, "{sides:?}");
    assert!(
        sides.contains(&(Kind::HighLoss, Some(Side::Uplink)))
            && sides.contains(&(Kind::HighLoss, Some(Side::Downlink)))
    );
}

/// A random number generator with the same numbers on every platform.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn impossible_numbers_make_no_impossible_diagnosis() {
    const ODD: [&str; 10] =
        ["0", "-1", "1e300", "4294967295", "9007199254740993", "1e-300", "null", "\"7\"", "true", "0.5"];
    let (mut raised, mut numbers) = (0, Random(7));
    for name in ["outage5", "rate300", "screen", "mute"] {
        for _ in 0..6 {
            let odd = lines(name).into_iter().map(|line| {
                let (head, report) = line.split_once("\"report\"").unwrap();
                let mut out = format!("{head}\"report\"");
                for (index, part) in report.split("\":").enumerate() {
                    let end = part.find([',', '}']).unwrap_or(0);
                    let is_number = end > 0 && part[..end].parse::<f64>().is_ok();
                    if index > 0 {
                        out.push_str("\":");
                    }
                    if is_number && numbers.below(40) == 0 {
                        out.push_str(ODD[numbers.below(ODD.len() as u64) as usize]);
                        out.push_str(&part[end..]);
                    } else {
                        out.push_str(part);
                    }
                }
                out
            });
            let odd: Vec<String> = odd.collect();
            assert!(odd != lines(name), "nothing is odd");
            let (events, summary) = diagnose(name, &odd);
            raised += check(name, &events);
            for diagnosis in &summary.diagnoses {
                assert!(diagnosis.follows.is_none_or(|cause| (cause as usize) < summary.diagnoses.len()), "{name}");
                assert!(!diagnosis.sentence.contains("NaN") && !diagnosis.sentence.contains("inf"), "{name}");
            }
        }
    }
    assert!(raised > 20, "{raised}");
}

#[test]
fn diagnoses_beyond_the_limit_are_counted_and_refused() {
    for limit in [0, 1, 2] {
        let config = Config::new().with_limits(Limits::new().with_diagnoses_per_fabric(limit));
        let (events, summary) = diagnose_with("loss20", &lines("loss20"), config);
        assert_eq!(summary.diagnoses.len(), 2 * limit);
        assert_eq!(events.iter().filter(|event| event.2 == Change::Raised).count(), 2 * limit);
        assert!(summary.refused_diagnoses > 4, "{}", summary.refused_diagnoses);
    }
}

#[test]
fn diagnoses_of_all_fabrics_share_one_limit() {
    for limit in [0, 1, 3] {
        let config = Config::new().with_limits(Limits::new().with_diagnoses(limit));
        let (events, summary) = diagnose_with("loss20", &lines("loss20"), config);
        assert_eq!(summary.diagnoses.len(), limit);
        assert_eq!(check("loss20", &events), limit);
        assert!(summary.refused_diagnoses > 4, "{}", summary.refused_diagnoses);
    }
}

#[test]
fn configured_thresholds_apply() {
    let limit: Threshold = Thresholds::new().of(Kind::HighLoss);
    let bears = Config::new().with_threshold(Kind::HighLoss, limit.with_raise(0.5).with_clear(0.4).with_severe(0.9));
    let (_, summary) = diagnose_with("loss20", &lines("loss20"), bears);
    assert!(!summary.diagnoses.is_empty());
    assert!(summary.diagnoses.iter().all(|diagnosis| diagnosis.kind != Kind::HighLoss));
    let strict = Config::new().with_threshold(Kind::HighLoss, limit.with_raise(0.004).with_clear(0.001));
    let (events, _) = diagnose_with("loss1", &lines("loss1"), strict);
    assert!(events.iter().any(|event| event.3.kind == Kind::HighLoss));
}
