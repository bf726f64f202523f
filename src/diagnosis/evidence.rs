//! The figures that made a diagnosis.

/// How many figures a diagnosis has at most.
const ROOM: usize = 6;

/// Figures by name. Names say the unit; every value is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    #[cfg_attr(feature = "serde", serde(deserialize_with = "names::deserialize"))]
    figures: [Option<(&'static str, f64)>; ROOM],
}

impl Evidence {
    /// The figures, the one that made it first.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.figures.iter().flatten().copied()
    }

    /// One figure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find_map(|(other, value)| (other == name).then_some(value))
    }

    /// Sets a figure; one that is unknown or not finite, or that there is no room for, is left out.
    pub(crate) fn set(&mut self, name: &'static str, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        // What is counted whole when it ends, as a freeze, may be more than the time in which it ended.
        let value = if name.ends_with("_ratio") { value.min(1.0) } else { value };
        let place = self.figures.iter().position(|figure| figure.is_none_or(|(other, _)| other == name));
        if let Some(figure) = place.and_then(|place| self.figures.get_mut(place)) {
            *figure = Some((name, value));
        }
    }
}

/// Names of figures, read from a conference's state.
#[cfg(feature = "serde")]
mod names {
    use alloc::string::String;

    use serde::{Deserialize, Deserializer};

    use super::ROOM;
    use crate::diagnosis::Kind;
    use crate::diagnosis::detectors::facts_of;

    pub(super) fn known(name: &str) -> Option<&'static str> {
        let mut of_kinds = Kind::ALL.iter().flat_map(|&kind| {
            let beside = facts_of(kind).figures.iter().copied();
            [kind.figure(), kind.worst_figure()].into_iter().chain(beside)
        });
        of_kinds.find(|&known| known == name)
    }

    type Figures = [Option<(&'static str, f64)>; ROOM];

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Figures, D::Error> {
        let stored = <[Option<(String, f64)>; ROOM]>::deserialize(deserializer)?;
        let mut figures = Figures::default();
        for (figure, stored) in figures.iter_mut().zip(stored) {
            if let Some((name, value)) = stored {
                let name = known(&name).filter(|_| value.is_finite());
                *figure =
                    Some((name.ok_or_else(|| serde::de::Error::custom("a figure that no diagnosis has"))?, value));
            }
        }
        Ok(figures)
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use std::path::PathBuf;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn every_figure_that_a_detector_sets_is_read_back_from_a_state() {
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
            assert_eq!(super::names::known(name), Some(name));
        }
    }
}
