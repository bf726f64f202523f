//! User feedback on a call (`sendUserFeedback`): ratings and a comment. It is stored, and never changes a score.

use crate::event::StoredText;

/// A rating from 1 (bad) to 5 (excellent), in the words of ITU-T P.800.
///
/// ```
/// use callgauge::conference::FeedbackRating;
/// assert_eq!(FeedbackRating::new(4).map(FeedbackRating::get), Some(4));
/// assert_eq!(FeedbackRating::new(0), None); // out of range is refused, not clamped
/// assert_eq!(FeedbackRating::of_two(true), FeedbackRating::new(5).unwrap()); // thumb up
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FeedbackRating(u8);

impl FeedbackRating {
    /// Bad.
    pub const WORST: Self = Self(1);
    /// Excellent.
    pub const BEST: Self = Self(5);

    /// Creates a rating; `None` outside of 1 to 5.
    #[must_use]
    pub fn new(rating: u8) -> Option<Self> {
        (1..=5).contains(&rating).then_some(Self(rating))
    }

    /// The rating for a service with two choices, good or bad: 5 or 1.
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

/// A user's feedback on a call, or on one connection of it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Feedback {
    pub(crate) overall: FeedbackRating,
    pub(crate) audio: Option<FeedbackRating>,
    pub(crate) video: Option<FeedbackRating>,
    pub(crate) screen: Option<FeedbackRating>,
    pub(crate) comment: Option<StoredText>,
}

impl Feedback {
    /// Feedback with an overall rating.
    #[must_use]
    pub const fn new(overall: FeedbackRating) -> Self {
        Self { overall, audio: None, video: None, screen: None, comment: None }
    }

    /// Adds an audio rating.
    #[must_use]
    pub const fn with_audio(mut self, rating: FeedbackRating) -> Self {
        self.audio = Some(rating);
        self
    }

    /// Adds a video rating.
    #[must_use]
    pub const fn with_video(mut self, rating: FeedbackRating) -> Self {
        self.video = Some(rating);
        self
    }

    /// Adds a rating of the shared screen.
    #[must_use]
    pub const fn with_screen(mut self, rating: FeedbackRating) -> Self {
        self.screen = Some(rating);
        self
    }

    /// Adds a comment, cut at [`MAX_TEXT`](crate::event::MAX_TEXT); the summary contains the number of bytes cut.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comment = Some(StoredText::new(comment));
        self
    }
}
