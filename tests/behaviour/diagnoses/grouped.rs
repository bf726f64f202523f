//! A problem is raised once: its effects follow it directly, and reports of it from both ends are merged.

use callgauge::diagnosis::{Kind, Severity, Side};
use callgauge::summary::DiagnosisSummary;

use super::diagnose;
use crate::common::recordings::{lines, meta, names};

fn conclusions(name: &str) -> Vec<DiagnosisSummary> {
    diagnose(name, &lines(name)).1.diagnoses
}

fn roots(all: &[DiagnosisSummary]) -> Vec<&DiagnosisSummary> {
    all.iter().filter(|diagnosis| diagnosis.follows.is_none()).collect()
}

#[test]
fn diagnoses_are_ordered_by_severity_with_effects_after_causes() {
    let mut following = 0;
    for name in names() {
        let all = conclusions(&name);
        let mut root = 0;
        let mut worst: Vec<Severity> = Vec::new();
        for (at, diagnosis) in all.iter().enumerate() {
            match diagnosis.follows {
                None => {
                    root = at as u64;
                    worst.push(diagnosis.severity);
                }
                Some(cause) => {
                    assert_eq!(cause, root, "{name}: {}", diagnosis.sentence);
                    let last = worst.last_mut().unwrap();
                    *last = (*last).max(diagnosis.severity);
                    following += 1;
                }
            }
        }
        assert!(worst.windows(2).all(|pair| pair[0] >= pair[1]), "{name}: {worst:?}");
    }
    assert!(following > 50, "{following}");
}

#[test]
fn loss_both_ways_is_two_diagnoses_for_any_number_of_reporters() {
    let mut recordings = 0;
    for name in names() {
        let schedule = meta(&name)["schedule"].clone();
        let steps = schedule.as_array().unwrap();
        let is_steady_loss = steps.len() == 3 && steps[1]["set"].as_object().unwrap().len() == 1;
        let loss = steps.get(1).and_then(|step| step["set"]["loss"].as_f64()).unwrap_or(0.0);
        let is_both_ways = steps.iter().all(|step| step["dir"] == "*");
        if !is_steady_loss || !is_both_ways || loss < 0.04 && steps[1]["set"]["ge"].is_null() {
            continue;
        }
        let all = conclusions(&name);
        let roots = roots(&all);
        let ways: Vec<_> = roots.iter().map(|root| (root.kind, root.direction, root.user.as_deref())).collect();
        assert_eq!(ways.len(), 2, "{name}: {ways:?}");
        assert!(roots.iter().all(|root| root.kind == Kind::HighLoss), "{name}: {ways:?}");
        assert_ne!(ways[0], ways[1], "{name}");
        recordings += 1;
    }
    assert!(recordings >= 8, "{recordings}");
}

#[test]
fn loss_from_one_sender_at_all_receivers_blames_that_sender() {
    let all = conclusions("mesh4");
    let first = &all[0];
    assert_eq!((first.kind, first.direction, first.user.as_deref()), (Kind::HighLoss, Some(Side::Uplink), Some("P3")));
    assert!(roots(&all).iter().skip(1).all(|root| root.severity == Severity::Notice), "{all:#?}");
}

#[test]
fn outage_is_raised_at_its_receiver_with_its_effects() {
    let all = conclusions("outage5");
    assert!(roots(&all).iter().all(|root| root.kind == Kind::NoMedia), "{all:#?}");
    assert_eq!(roots(&all).len(), 3);
}
