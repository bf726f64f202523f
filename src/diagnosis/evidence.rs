//! The figures behind a diagnosis. It stores them and decides nothing.

/// The most figures of a diagnosis.
pub(super) const MAX_FIGURES: usize = 6;

/// Figures by name. Names state the unit; every value is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evidence {
    pub(super) figures: [Option<(&'static str, f64)>; MAX_FIGURES],
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
