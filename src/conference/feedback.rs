//! What people say of a call (`sendUserFeedback`).

use crate::fabric::Kept;

/// A rating from 1 (bad) to 5 (excellent), as ITU-T P.800 words the scale.
///
/// ```
/// use callgauge::conference::Rating;
/// assert_eq!(Rating::new(4).map(Rating::get), Some(4));
/// assert_eq!(Rating::new(0), None); // out of range is refused, not clamped
/// assert_eq!(Rating::of_two(true), Rating::new(5).unwrap()); // thumb up
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rating(u8);

impl Rating {
    /// Bad.
    pub const WORST: Self = Self(1);
    /// Excellent.
    pub const BEST: Self = Self(5);

    /// `None` outside of 1 to 5.
    #[must_use]
    pub fn new(rating: u8) -> Option<Self> {
        (1..=5).contains(&rating).then_some(Self(rating))
    }

    /// The rating of a service that asks for good or bad only: 5 or 1.
    #[must_use]
    pub const fn of_two(is_good: bool) -> Self {
        if is_good { Self::BEST } else { Self::WORST }
    }

    /// 1 to 5.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What somebody says of a call, or of one connection of it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Feedback {
    pub(super) overall: Rating,
    pub(super) audio: Option<Rating>,
    pub(super) video: Option<Rating>,
    pub(super) screen: Option<Rating>,
    pub(super) comment: Option<Kept>,
}

impl Feedback {
    /// A rating of the whole.
    #[must_use]
    pub const fn new(overall: Rating) -> Self {
        Self { overall, audio: None, video: None, screen: None, comment: None }
    }

    /// A rating of the sound.
    #[must_use]
    pub const fn with_audio(mut self, rating: Rating) -> Self {
        self.audio = Some(rating);
        self
    }

    /// A rating of the picture.
    #[must_use]
    pub const fn with_video(mut self, rating: Rating) -> Self {
        self.video = Some(rating);
        self
    }

    /// A rating of the shared screen.
    #[must_use]
    pub const fn with_screen(mut self, rating: Rating) -> Self {
        self.screen = Some(rating);
        self
    }

    /// A comment, cut at [`MAX_TEXT`](crate::fabric::MAX_TEXT); the summary says how much.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comment = Some(Kept::new(comment));
        self
    }
}
