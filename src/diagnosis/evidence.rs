//! The figures that made a diagnosis.

/// How many figures a diagnosis has at most.
const ROOM: usize = 6;

/// Figures by name. Names say the unit; every value is finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
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
