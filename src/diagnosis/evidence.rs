//! The figures behind a diagnosis. It stores them and decides nothing.

/// The most figures of a diagnosis.
const ROOM: usize = 6;

/// Figures by name. Names state the unit; every value is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    #[cfg_attr(feature = "serde", serde(deserialize_with = "names::deserialize"))]
    figures: [Option<(&'static str, f64)>; ROOM],
}

impl Evidence {
    /// The figures, beginning with the one that raised the diagnosis.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.figures.iter().flatten().copied()
    }

    /// One figure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find_map(|(other, value)| (other == name).then_some(value))
    }

    /// Sets a figure; ignores it if it is unknown, not finite, or one too many.
    pub(crate) fn set(&mut self, name: &'static str, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        // A freeze, for example, is counted whole when it ends, and may be longer than the sample in which it ended.
        let value = if name.ends_with("_ratio") { value.min(1.0) } else { value };
        let place = self.figures.iter().position(|figure| figure.is_none_or(|(other, _)| other == name));
        if let Some(figure) = place.and_then(|place| self.figures.get_mut(place)) {
            *figure = Some((name, value));
        }
    }
}

/// Names of figures, read from a checkpoint.
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
            assert_eq!(super::names::known(name), Some(name));
        }
    }
}
