//! The playout delay of audio, from the decoder to the loudspeaker. It is read from stats and not estimated.

use crate::metric::Formula;
use crate::metric::counter::{EntryTracker, Progress};
use crate::report::{Fields, Num, Report, StatsType};
use crate::stream::Doubted;

/// No output device delays sound by more, ms: those without a wire by some hundreds.
const MAX_DELAY_MS: f64 = 2_000.0;

/// The playout of a PeerConnection (`media-playout` in webrtc-stats).
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Playout {
    track: Option<EntryTracker>,
    delay_ms: Option<f64>,
    pub(crate) doubted: Doubted,
}

impl Playout {
    /// Takes a sample of a report. Of several playouts, the first by id counts.
    pub(crate) fn sample(&mut self, report: &Report) {
        let Some(entry) = report.of(StatsType::MediaPlayout).min_by(|a, b| a.id().cmp(b.id())) else { return };
        let entry = entry.without_fillers();
        let Some(track) = &mut self.track else {
            self.track = EntryTracker::new(entry);
            return;
        };
        match track.step(entry) {
            Progress::Advance(mut delta) if delta.span_ms() > 0.0 => {
                delta.disbelieve();
                let delay_ms = Formula::Mean(Num::TotalPlayoutDelay, Num::TotalSamplesCount, 1e3).of(&delta);
                if delay_ms > Some(MAX_DELAY_MS) {
                    delta.doubt(Fields::of(&[Num::TotalPlayoutDelay]));
                }
                self.doubted.note(delta.doubted());
                self.delay_ms = delay_ms.filter(|&delay_ms| delay_ms <= MAX_DELAY_MS).or(self.delay_ms);
            }
            Progress::Restart(_) => self.delay_ms = None,
            _ => return,
        }
        track.accept(entry);
    }

    /// The mean delay between the last two samples, ms. `None` if it is not reported.
    pub(crate) const fn delay_ms(&self) -> Option<f64> {
        self.delay_ms
    }
}
