//! What a score is based on: its inputs and their origins, its impairments and their points. It computes no score.

#[cfg(feature = "serde")]
use alloc::collections::BTreeMap;

/// An input of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[repr(u8)]
pub enum Input {
    /// Concealment after every repair.
    Concealment,
    /// Packets lost.
    Loss,
    /// Packets that arrived too late.
    Discards,
    /// Packets recovered by error correction.
    Recovery,
    /// How losses cluster.
    Burstiness,
    /// The codec.
    Codec,
    /// Its bit rate.
    Bitrate,
    /// How robust the codec is against loss.
    Robustness,
    /// The network's round trip.
    RoundTrip,
    /// The jitter buffer's delay.
    JitterBuffer,
    /// Delay from decoder to loudspeaker.
    Playout,
    /// Time-stretched speech.
    TimeStretch,
    /// The level, and so how much of the window was speech.
    Level,
    /// The quantizer.
    Quantizer,
    /// Width and height of the coded picture.
    Size,
    /// Width and height of the displayed picture.
    DisplaySize,
    /// Frames per second.
    FrameRate,
    /// Frames per second of the source.
    SourceFrameRate,
    /// Freezes.
    Freezes,
    /// The probability that frames were corrupted.
    Corruption,
}

impl Input {
    /// All inputs, in the order of outputs.
    pub const ALL: &'static [Self] = &[
        Self::Concealment,
        Self::Loss,
        Self::Discards,
        Self::Recovery,
        Self::Burstiness,
        Self::Codec,
        Self::Bitrate,
        Self::Robustness,
        Self::RoundTrip,
        Self::JitterBuffer,
        Self::Playout,
        Self::TimeStretch,
        Self::Level,
        Self::Quantizer,
        Self::Size,
        Self::DisplaySize,
        Self::FrameRate,
        Self::SourceFrameRate,
        Self::Freezes,
        Self::Corruption,
    ];

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Concealment => "concealment",
            Self::Loss => "loss",
            Self::Discards => "discards",
            Self::Recovery => "recovery",
            Self::Burstiness => "burstiness",
            Self::Codec => "codec",
            Self::Bitrate => "bitrate",
            Self::Robustness => "robustness",
            Self::RoundTrip => "round_trip",
            Self::JitterBuffer => "jitter_buffer",
            Self::Playout => "playout",
            Self::TimeStretch => "time_stretch",
            Self::Level => "level",
            Self::Quantizer => "quantizer",
            Self::Size => "size",
            Self::DisplaySize => "display_size",
            Self::FrameRate => "frame_rate",
            Self::SourceFrameRate => "source_frame_rate",
            Self::Freezes => "freezes",
            Self::Corruption => "corruption",
        }
    }
}

/// The origin of an input. A more certain one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Origin {
    /// Unknown; the score does without it.
    Missing,
    /// Unknown; the score assumes a usual value, and its interval shows the possible error.
    Assumed,
    /// Derived from another measured value.
    Derived,
    /// Reported by an endpoint that measured it.
    Measured,
}

impl Origin {
    pub(super) const fn measured(is_known: bool) -> Self {
        if is_known { Self::Measured } else { Self::Missing }
    }

    pub(super) const fn measured_or_assumed(is_known: bool) -> Self {
        if is_known { Self::Measured } else { Self::Assumed }
    }

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Assumed => "assumed",
            Self::Derived => "derived",
            Self::Measured => "measured",
        }
    }
}

/// The inputs of a score and their origins. It does not contain inputs that the model does not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inputs(u64);

/// Bits for each input: 0 if it is absent, else 1 and its origin.
const WIDTH: u32 = 3;

const _: () = assert!(Input::ALL.len() as u32 * WIDTH <= u64::BITS);

impl Inputs {
    /// No input.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Sets the origin of `input`.
    #[must_use]
    pub const fn with(self, input: Input, origin: Origin) -> Self {
        let at = input as u32 * WIDTH;
        Self(self.0 & !(0b111 << at) | (0b100 | origin as u64) << at)
    }

    /// The origin of `input`; `None` if the model does not use it.
    #[must_use]
    pub const fn get(self, input: Input) -> Option<Origin> {
        match self.0 >> (input as u32 * WIDTH) & 0b111 {
            0b100 => Some(Origin::Missing),
            0b101 => Some(Origin::Assumed),
            0b110 => Some(Origin::Derived),
            0b111 => Some(Origin::Measured),
            _ => None,
        }
    }

    /// The inputs of both, each with the less certain of its origins.
    pub(crate) fn least_sure(self, other: Self) -> Self {
        Input::ALL.iter().fold(Self::new(), |merged, &input| match (self.get(input), other.get(input)) {
            (Some(one), Some(another)) => merged.with(input, one.min(another)),
            (one, another) => one.or(another).map_or(merged, |origin| merged.with(input, origin)),
        })
    }

    /// All inputs that the model uses, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = (Input, Origin)> {
        Input::ALL.iter().filter_map(move |&input| Some((input, self.get(input)?)))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Inputs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // With its length: compact formats write it first.
        serializer.collect_map(self.iter().collect::<BTreeMap<_, _>>())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Inputs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<Input, Origin>::deserialize(deserializer)?;
        Ok(map.into_iter().fold(Self::new(), |inputs, (input, origin)| inputs.with(input, origin)))
    }
}

/// An impairment that lowers a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[repr(u8)]
pub enum Cause {
    /// Audio: the codec at its bit rate, without loss.
    Codec,
    /// Audio: loss that was not repaired.
    Loss,
    /// Audio: speech time-stretched by the jitter buffer.
    TimeStretch,
    /// Audio: a mouth-to-ear delay too long for conversation.
    Delay,
    /// Video: coarse coding.
    Coding,
    /// Video: fewer pixels than displayed.
    Upscaling,
    /// Video: too few frames.
    FrameRate,
    /// Video: freezes.
    Freezes,
    /// Video: frames decoded from incomplete data.
    Corruption,
}

impl Cause {
    /// All causes, in the order of outputs.
    pub const ALL: &'static [Self] = &[
        Self::Codec,
        Self::Loss,
        Self::TimeStretch,
        Self::Delay,
        Self::Coding,
        Self::Upscaling,
        Self::FrameRate,
        Self::Freezes,
        Self::Corruption,
    ];

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Codec => "codec",
            Self::Loss => "loss",
            Self::TimeStretch => "time_stretch",
            Self::Delay => "delay",
            Self::Coding => "coding",
            Self::Upscaling => "upscaling",
            Self::FrameRate => "frame_rate",
            Self::Freezes => "freezes",
            Self::Corruption => "corruption",
        }
    }
}

/// The cost of each impairment, in points of the 100 scale ([`Rx`](crate::unit::Rx)).
///
/// The rest of 100 is the score: if the impairments exceed 100, each counts less.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts([f64; Cause::ALL.len()]);

impl Parts {
    /// No impairment.
    #[must_use]
    pub const fn new() -> Self {
        Self([0.0; Cause::ALL.len()])
    }

    /// Sets the points of `cause`; a value that is not a positive number counts as 0.
    pub fn set(&mut self, cause: Cause, points: f64) {
        if let Some(part) = self.0.get_mut(cause as usize) {
            *part = if points > 0.0 && points.is_finite() { points } else { 0.0 };
        }
    }

    /// The points of `cause`; 0 if none.
    #[must_use]
    pub fn get(&self, cause: Cause) -> f64 {
        self.0.get(cause as usize).copied().unwrap_or(0.0)
    }

    /// The impairments above 0, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, f64)> + '_ {
        Cause::ALL.iter().zip(&self.0).filter(|&(_, &points)| points > 0.0).map(|(&cause, &points)| (cause, points))
    }

    /// The sum of all points.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// The largest impairment; the first of equals. `None` without any.
    #[must_use]
    pub fn largest(&self) -> Option<Cause> {
        self.iter()
            .fold(None, |largest, (cause, points)| match largest {
                Some((_, most)) if points <= most => largest,
                _ => Some((cause, points)),
            })
            .map(|(cause, _)| cause)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Parts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // With its length: compact formats write it first.
        serializer.collect_map(self.iter().collect::<BTreeMap<_, _>>())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Parts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut parts = Self::new();
        for (cause, points) in BTreeMap::<Cause, f64>::deserialize(deserializer)? {
            parts.set(cause, points);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn each_input_keeps_its_own_origin() {
        let origins = [Origin::Missing, Origin::Assumed, Origin::Derived, Origin::Measured];
        let mut inputs = Inputs::new();
        for (&input, &origin) in Input::ALL.iter().zip(origins.iter().cycle()) {
            assert_eq!(inputs.get(input), None);
            inputs = inputs.with(input, Origin::Measured).with(input, origin);
        }
        let got: Vec<_> = inputs.iter().collect();
        assert_eq!(got, Input::ALL.iter().copied().zip(origins.into_iter().cycle()).collect::<Vec<_>>());
    }

    #[test]
    fn tables_are_in_the_order_of_their_enums() {
        assert!(Input::ALL.iter().enumerate().all(|(at, &input)| input as usize == at));
        assert!(Cause::ALL.iter().enumerate().all(|(at, &cause)| cause as usize == at));
    }

    #[test]
    fn the_first_of_equal_parts_is_the_cause() {
        let mut parts = Parts::new();
        assert_eq!(parts.largest(), None);
        parts.set(Cause::Delay, 3.0);
        parts.set(Cause::Loss, 3.0);
        parts.set(Cause::Codec, f64::NAN);
        assert_eq!((parts.largest(), parts.sum()), (Some(Cause::Loss), 6.0));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn parts_and_inputs_survive_serde_under_output_names() {
        let mut parts = Parts::new();
        parts.set(Cause::TimeStretch, 2.5);
        parts.set(Cause::Codec, 11.0);
        let inputs = Inputs::new().with(Input::RoundTrip, Origin::Missing).with(Input::Loss, Origin::Measured);
        let text = serde_json::to_string(&(parts, inputs)).unwrap();
        assert_eq!(text, r#"[{"codec":11.0,"time_stretch":2.5},{"loss":"measured","round_trip":"missing"}]"#);
        assert_eq!(serde_json::from_str::<(Parts, Inputs)>(&text).unwrap(), (parts, inputs));
        for (input, cause) in Input::ALL.iter().zip(Cause::ALL) {
            assert_eq!(serde_json::to_value(input).unwrap(), input.name());
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
        }
    }
}
