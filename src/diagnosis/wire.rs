//! Reads the figures of a diagnosis from a checkpoint: only names that a detector has. It writes nothing.

use alloc::string::String;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::detectors::facts_of;
use super::evidence::MAX_FIGURES;
use super::{Evidence, Kind};

impl<'de> Deserialize<'de> for Evidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `Serialize` is derived: a struct with one member.
        #[derive(Deserialize)]
        #[serde(rename = "Evidence")]
        struct StoredEvidence {
            figures: [Option<(String, f64)>; MAX_FIGURES],
        }
        let mut evidence = Self::default();
        let stored = StoredEvidence::deserialize(deserializer)?;
        for (figure, stored) in evidence.figures.iter_mut().zip(stored.figures) {
            if let Some((name, value)) = stored {
                let name = known(&name).filter(|_| value.is_finite());
                *figure = Some((name.ok_or_else(|| D::Error::custom("unknown figure of a diagnosis"))?, value));
            }
        }
        Ok(evidence)
    }
}

/// The name as the detectors have it; `None` if no detector has it.
fn known(name: &str) -> Option<&'static str> {
    let mut of_kinds = Kind::ALL.iter().flat_map(|&kind| {
        let beside = facts_of(kind).figures.iter().copied();
        [kind.figure(), kind.worst_figure()].into_iter().chain(beside)
    });
    of_kinds.find(|&known| known == name)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn every_figure_of_a_detector_is_read_from_a_checkpoint() {
        let mut paths = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnosis"))];
        let mut text = String::new();
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()));
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
        let names: Vec<&str> =
            text.split("evidence.set(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
        assert!(names.len() > 30, "{}", names.len());
        for name in names {
            assert_eq!(super::known(name), Some(name));
        }
    }
}
