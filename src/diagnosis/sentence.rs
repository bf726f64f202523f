//! A diagnosis as a sentence.

use alloc::format;
use alloc::string::String;

use super::sync::LATE_IS_BETTER_MS;
use super::{Diagnosis, Kind, Side};

/// So many times as uneven as random loss is loss in bursts: of two packets in the mean.
const BURSTY: f64 = 4.0;

impl Diagnosis {
    /// The conclusion in words, as summaries have it: `bob's uplink lost 10 % between 0:08 and 1:20`, or `from 0:08 on` as
    /// long as it lasts. `who`: whose endpoint it is, by the name that is to be read; `start_ms`: when the call began on the
    /// reporter's clock, from which its places count.
    ///
    /// ```
    /// use callgauge::{Conference, Config, Event};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// // What happens is put in; the first report was of 1 700 000 000 000 ms.
    /// while let Some(event) = call.poll_event() {
    ///     if let Event::DiagnosisRaised { diagnosis, .. } = event {
    ///         println!("{}", diagnosis.sentence("Bob", 1_700_000_000_000.0));
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn sentence(&self, who: &str, start_ms: f64) -> String {
        let figure = self.evidence.get(self.kind.figure()).unwrap_or_default();
        let side = self.side.map_or("connection", Side::name);
        let get = |name: &str| self.evidence.get(name);
        let percent = |ratio: f64| format!("{:.0} %", libm::round(ratio * 100.0));
        let what = match self.kind {
            Kind::UplinkCongestion | Kind::DownlinkCongestion => {
                format!("{who}'s {side} was congested: video fell by {}", percent(figure))
            }
            Kind::HighLoss => {
                let bursts = if get("burst_factor") >= Some(BURSTY) { " in bursts" } else { "" };
                format!("{who}'s {side} lost {}{bursts}", percent(figure))
            }
            Kind::HighRtt => format!("{who}'s packets took {figure:.0} ms there and back"),
            Kind::HighJitter => format!("{who}'s {side} was uneven: {figure:.0} ms of jitter"),
            Kind::BufferStress => format!("what {who} heard was held back by {figure:.0} ms against jitter"),
            Kind::AudibleConcealment => {
                format!("{} of what {who} heard was made up for missing sound", percent(figure))
            }
            Kind::RoboticVoice => format!("{} of what {who} heard was stretched or squeezed", percent(figure)),
            Kind::FrozenVideo => {
                format!("the picture that {who} saw stood still {} of the time", percent(figure.min(1.0)))
            }
            Kind::LowFrameRate => match self.side {
                Some(Side::Uplink) => format!("{who} sent {} too few frames", percent(figure)),
                _ => format!("{who} saw {} fewer frames than before", percent(figure)),
            },
            Kind::LowResolution => format!("the picture on {who}'s {side} was small for its bitrate"),
            Kind::CpuLimitedSender => format!("{who}'s processor could not keep up with encoding"),
            Kind::CpuLimitedReceiver => {
                format!("{who}'s processor could not keep up: {} of the frames dropped", percent(figure))
            }
            Kind::StuckDecoder => format!("{who}'s decoder was stuck: pictures came and none was shown"),
            Kind::NullDecoder => format!("{who}'s browser had no decoder for a picture"),
            Kind::NoMedia if self.to.is_some() => format!("nothing came to {who}"),
            Kind::NoMedia => format!("nothing came to {who} any more"),
            Kind::OneWayMedia => format!("what was sent to {who} did not come"),
            Kind::MediaTimeout => format!("what {who} sent did not arrive"),
            Kind::RtcpTimeout if self.to.is_some() => format!("nobody confirmed what {who} sent"),
            Kind::RtcpTimeout => format!("nobody confirmed any more what {who} sent"),
            Kind::SilentMicrophone if get("level") > Some(0.0) => {
                format!("{who}'s microphone was never louder than noise")
            }
            Kind::SilentMicrophone => format!("{who}'s microphone was silent"),
            Kind::SpeakingWhileMuted => format!("{who} spoke while muted"),
            Kind::Echo => format!("others may have heard themselves by {who}'s microphone"),
            Kind::AvOutOfSync => {
                let is_early = get("sound_ahead_ms") > Some(0.0);
                let (ms, word) = if is_early { (figure, "before") } else { (figure + LATE_IS_BETTER_MS, "after") };
                format!("{who} heard sound {ms:.0} ms {word} its picture")
            }
            Kind::IceDisrupted => format!("{who}'s connection was lost"),
            Kind::IceFlapping => format!("{who}'s connection changed its path again and again"),
            Kind::RelayOverTcp => format!("{who}'s packets went by a relay over TCP"),
            Kind::SlowSetup if get("failed_after_ms").is_some() => {
                format!("{who}'s connection failed after {:.1} s", figure / 1e3)
            }
            Kind::SlowSetup if get("connected_after_ms").is_some() => {
                format!("{who}'s connection took {:.1} s to be set up", figure / 1e3)
            }
            Kind::SlowSetup => format!("{who}'s connection was not set up in {:.1} s", figure / 1e3),
            Kind::StatsGap => format!("nobody measured {who}'s connection for {:.0} s", figure / 1e3),
            Kind::ClockSkew => format!("{who}'s clock was off by {:.1} s", figure / 1e3),
            Kind::KeyFrameStorm => {
                format!("whole pictures were asked for {figure:.1} times a second on {who}'s {side}")
            }
        };
        let from = clock(self.from.as_millis() - start_ms);
        match self.to {
            Some(to) => format!("{what} between {from} and {}", clock(to.as_millis() - start_ms)),
            None => format!("{what} from {from} on"),
        }
    }
}

/// `1:05`: a place in the call, from its beginning.
fn clock(ms: f64) -> String {
    let seconds = libm::floor(ms.max(0.0) / 1e3);
    let minutes = libm::floor(seconds / 60.0);
    format!("{minutes:.0}:{:02.0}", seconds - minutes * 60.0)
}
