//! Other dominant speaker detectors, written from their authors' descriptions.

use super::conversation::Sample;

pub(crate) trait Detector {
    fn update(&mut self, sample: &Sample) -> Option<usize>;

    /// Start of the current dominance.
    fn since_ms(&self, sample: &Sample) -> u64 {
        sample.arrival_ms
    }
}

/// The loudest participant of the last sample, if above −50 dBov.
pub(crate) struct Loudest(Vec<f64>);

impl Loudest {
    pub(crate) fn new(people: usize) -> Self {
        Self(vec![0.0; people])
    }
}

impl Detector for Loudest {
    fn update(&mut self, sample: &Sample) -> Option<usize> {
        self.0[sample.who] = sample.power;
        loudest(&self.0, 1e-5)
    }
}

/// LiveKit's `audiolevel.go`: over 400 ms, the loudest level reduced by the inactive share, where 40 % were above −35
/// dBov; smoothed over two windows, and active above the same threshold.
pub(crate) struct Smoothed(Vec<Window>);

#[derive(Clone, Copy, Default)]
struct Window {
    observed_ms: f64,
    active_ms: f64,
    loudest: f64,
    smoothed: f64,
}

impl Smoothed {
    pub(crate) fn new(people: usize) -> Self {
        Self(vec![Window::default(); people])
    }
}

impl Detector for Smoothed {
    fn update(&mut self, sample: &Sample) -> Option<usize> {
        let window = &mut self.0[sample.who];
        let ms = (sample.to_ms - sample.from_ms) as f64;
        let threshold = 10_f64.powf(-35.0 / 20.0);
        let level = sample.power.sqrt();
        window.observed_ms += ms;
        if level >= threshold {
            window.active_ms += ms;
            window.loudest = window.loudest.max(level);
        }
        if window.observed_ms >= 400.0 {
            let share = window.active_ms / window.observed_ms;
            let now = if share >= 0.4 { window.loudest * share } else { 0.0 };
            window.smoothed = if now == 0.0 { 0.0 } else { window.smoothed + (now - window.smoothed) * 2.0 / 3.0 };
            *window = Window { smoothed: window.smoothed, ..Window::default() };
        }
        let smoothed: Vec<f64> = self.0.iter().map(|window| window.smoothed).collect();
        loudest(&smoothed, threshold)
    }
}

/// Another detector, believed after it has given the same result for a while.
pub(crate) struct Patient {
    inner: Box<dyn Detector>,
    wait_ms: u64,
    latest: Option<usize>,
    since_ms: u64,
    believed: Option<usize>,
}

impl Patient {
    pub(crate) fn new(inner: Box<dyn Detector>, wait_ms: u64) -> Self {
        Self { inner, wait_ms, latest: None, since_ms: 0, believed: None }
    }
}

impl Detector for Patient {
    fn update(&mut self, sample: &Sample) -> Option<usize> {
        let now = self.inner.update(sample);
        if now != self.latest {
            (self.latest, self.since_ms) = (now, sample.arrival_ms);
        }
        if sample.arrival_ms >= self.since_ms + self.wait_ms {
            self.believed = self.latest;
        }
        self.believed
    }
}

fn loudest(levels: &[f64], least: f64) -> Option<usize> {
    let best = levels.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (*best.1 >= least).then_some(best.0)
}
