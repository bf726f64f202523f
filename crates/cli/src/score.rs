//! `score`: one score from figures given as options, as text or JSON.
//! The engine's models make the score; no recording is read.

use std::io::{self, Write};

use callgauge::score::audio::{AudioInputs, AudioModel};
use callgauge::score::video::{VideoInputs, VideoModel};
use callgauge::score::{Model, NoScore, Origin, Score, mos_of};
use callgauge::unit::{Bitrate, Ratio};
use clap::{Args, Subcommand};

use crate::output::{Format, Page};
use crate::wording::{confidence, impairment};

#[derive(Debug, Subcommand)]
pub(crate) enum Media {
    /// Score an audio stream. A figure that is not given is unknown.
    Audio(Audio),
    /// Score a video stream or a shared screen. A figure that is not given is unknown.
    Video(Video),
}

/// The figures of an audio stream. A figure that is not given is unknown.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Audio {
    /// Codec: opus, PCMU, G722, AMR-WB, …
    #[arg(long, value_name = "NAME")]
    codec: String,
    /// Payload bitrate during speech, bit/s [default: the codec's usual bitrate].
    #[arg(long, value_name = "BPS", value_parser = bitrate)]
    bitrate: Option<Bitrate>,
    /// Audio per packet (ptime), ms [default: 20].
    #[arg(long, value_name = "MS", value_parser = amount)]
    packet_ms: Option<f64>,
    /// Earlier frames that each packet repeats, as RED or in-band FEC does.
    #[arg(long, value_name = "FRAMES", value_parser = amount)]
    redundancy: Option<f64>,
    /// The encoder uses a constant bitrate (CBR).
    #[arg(long)]
    constant_bitrate: bool,
    /// Packet loss in the network, a ratio from 0 to 1.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    loss: Option<Ratio>,
    /// Packets carry in-band FEC (forward error correction), which repairs single losses.
    #[arg(long)]
    fec: bool,
    /// Packets that arrived too late to be played, as a ratio of received packets.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    discarded: Option<Ratio>,
    /// Audio concealed after all repair, as a ratio of all audio; replaces --loss.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    concealed: Option<Ratio>,
    /// Concealment events per second.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    concealments_per_second: Option<f64>,
    /// Packets recovered by FEC, as a ratio.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    recovered: Option<Ratio>,
    /// Samples that the jitter buffer stretched or compressed (time-stretch), as a ratio.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    stretched: Option<Ratio>,
    /// Round-trip time (RTT) of the network, ms; without it, delay is not scored.
    #[arg(long, value_name = "MS", value_parser = amount)]
    rtt_ms: Option<f64>,
    /// Interarrival jitter, ms; used only without --buffer-ms.
    #[arg(long, value_name = "MS", value_parser = amount)]
    jitter_ms: Option<f64>,
    /// Jitter-buffer delay, ms.
    #[arg(long, value_name = "MS", value_parser = amount)]
    buffer_ms: Option<f64>,
    /// Playout delay from the decoder to the loudspeaker, ms.
    #[arg(long, value_name = "MS", value_parser = amount)]
    playout_ms: Option<f64>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The figures of a video stream. A figure that is not given is unknown.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Video {
    /// Codec: VP8, VP9, H264, H265, AV1.
    #[arg(long, value_name = "NAME")]
    codec: Option<String>,
    /// Mean quantizer (QP), on the codec's own scale.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    qp: Option<f64>,
    /// Payload bitrate, bit/s; used only without --qp.
    #[arg(long, value_name = "BPS", value_parser = bitrate)]
    bitrate: Option<Bitrate>,
    /// Resolution of the encoded video, such as 1280x720.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(f64, f64)>,
    /// Resolution of the display.
    #[arg(long, value_name = "WxH", value_parser = size)]
    display: Option<(f64, f64)>,
    /// Frames per second outside freezes.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    fps: Option<f64>,
    /// Frames per second of the camera or the shared screen.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    source_fps: Option<f64>,
    /// Time in freezes, as a ratio of all time.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    frozen: Option<Ratio>,
    /// Freezes per ten seconds.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    freezes_per_10_s: Option<f64>,
    /// Probability that a displayed frame is corrupted.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    corruption: Option<Ratio>,
    /// The video is a shared screen.
    #[arg(long)]
    screen: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Video {
    fn inputs(&self) -> VideoInputs<'_> {
        let mut inputs = VideoInputs::new();
        inputs.codec = self.codec.as_deref();
        inputs.qp = self.qp;
        inputs.bitrate = self.bitrate;
        (inputs.width, inputs.height) = self.size.unzip();
        (inputs.display_width, inputs.display_height) = self.display.unzip();
        inputs.frames_per_second = self.fps;
        inputs.source_frames_per_second = self.source_fps;
        inputs.frozen = self.frozen;
        inputs.freezes_per_10_s = self.freezes_per_10_s;
        // Video can only freeze while frames are pending.
        inputs.pending_data = (self.frozen.is_some() || self.freezes_per_10_s.is_some()).then_some(true);
        inputs.corruption = self.corruption;
        inputs.screen = self.screen;
        inputs
    }
}

impl Audio {
    fn inputs(&self) -> AudioInputs<'_> {
        let mut inputs = AudioInputs::new();
        inputs.codec = Some(&self.codec);
        inputs.bitrate = self.bitrate;
        inputs.packet_ms = self.packet_ms;
        inputs.redundancy = self.redundancy;
        inputs.constant_bitrate = self.constant_bitrate;
        inputs.lost = self.loss;
        inputs.error_correction = self.fec;
        inputs.discarded = self.discarded;
        inputs.concealed = self.concealed;
        inputs.concealments_per_second = self.concealments_per_second;
        inputs.recovered = self.recovered;
        inputs.stretched = self.stretched;
        inputs.rtt_ms = self.rtt_ms;
        inputs.jitter_ms = self.jitter_ms;
        inputs.jitter_buffer_ms = self.buffer_ms;
        inputs.playout_ms = self.playout_ms;
        inputs
    }
}

pub(crate) fn run(media: &Media, out: &mut dyn Write) -> io::Result<bool> {
    let (score, format) = match media {
        Media::Audio(audio) => (AudioModel::new().score(&audio.inputs()), audio.format),
        Media::Video(video) => (VideoModel::new().score(&video.inputs()), video.format),
    };
    match (score, format) {
        (Err(reason), _) => {
            eprintln!("callgauge: no score: {reason}{}", hint(reason, media));
            return Ok(false);
        }
        (Ok(score), Format::Json) => {
            serde_json::to_writer_pretty(&mut *out, &score)?;
            writeln!(out)?;
        }
        (Ok(score), Format::Text) => write(&score, &mut Page::stdout(out))?,
    }
    Ok(true)
}

/// The options that are missing.
fn hint(reason: NoScore, media: &Media) -> &'static str {
    match reason {
        NoScore::NoLossInformation => " (give --loss or --concealed; 0 is valid)",
        NoScore::UnknownCodec if matches!(media, Media::Audio(audio) if audio.bitrate.is_some()) => " at this bit rate",
        NoScore::FrameRateOnly { .. } | NoScore::NoPictureInformation => {
            " (give --codec and --qp, or --bitrate, --size and --fps)"
        }
        _ => "",
    }
}

fn write(score: &Score, page: &mut Page<'_>) -> io::Result<()> {
    let (mos, low, high) = (score.mos(), score.low(), score.high());
    let confidence = confidence(Some(score.tier), low.as_f64(), high.as_f64());
    page.heading(&format!("MOS {mos:.2} ({low:.2} to {high:.2}, confidence {confidence})"))?;
    let scale = score.scale.name().replace('_', "-");
    page.line(2, &format!("{scale} scale, tier {}, model {}", score.tier.name(), score.model))?;
    if let Some(lq) = score.lq() {
        page.line(2, &format!("listening quality (MOS-LQ, without delay): {lq:.2}"))?;
    }
    if let Some(native) = score.native {
        let scale = format!("{:?}", native.scale).to_lowercase();
        page.line(2, &format!("on the codec's own scale ({scale}): {:.2}", mos_of(native.rx)))?;
    }
    let (good, poor) = (score.good_or_better().as_f64() * 100.0, score.poor_or_worse().as_f64() * 100.0);
    page.line(2, &format!("users: {good:.0} % rate it good or better (GoB), {poor:.0} % poor or worse (PoW)"))?;
    page.line(2, &format!("quality rating (Rx): {:.1} of 100, after these impairments:", score.rx))?;
    for (cause, points) in score.parts.iter() {
        let main = if Some(cause) == score.cause { ", main cause" } else { "" };
        page.line(4, &format!("{:<12} {:>5}{main}", impairment(cause), format!("−{points:.1}")))?;
    }
    for origin in [Origin::Measured, Origin::Derived, Origin::Assumed, Origin::Missing] {
        let inputs = score.inputs.iter().filter(|&(_, of)| of == origin);
        let inputs: Vec<String> = inputs.map(|(input, _)| input.name().replace('_', " ")).collect();
        if !inputs.is_empty() {
            page.line(2, &format!("{} inputs: {}", origin.name(), inputs.join(", ")))?;
        }
    }
    Ok(())
}

fn ratio(text: &str) -> Result<Ratio, String> {
    text.parse().ok().and_then(Ratio::new).ok_or_else(|| "expected a ratio from 0 to 1".into())
}

fn bitrate(text: &str) -> Result<Bitrate, String> {
    text.parse().ok().and_then(Bitrate::new).ok_or_else(|| "expected bits per second, from 0 to 1000000000000".into())
}

fn size(text: &str) -> Result<(f64, f64), String> {
    let (width, height) = text.split_once('x').ok_or("expected width x height, such as 1280x720")?;
    let edge = |text: &str| number(text, 1.0).map_err(|error| format!("each edge: {error}"));
    Ok((edge(width)?, edge(height)?))
}

fn amount(text: &str) -> Result<f64, String> {
    number(text, 0.0)
}

fn number(text: &str, least: f64) -> Result<f64, String> {
    const MAX: f64 = 1e6;
    text.parse()
        .ok()
        .filter(|value| (least..=MAX).contains(value))
        .ok_or_else(|| format!("expected a number from {least} to {MAX}"))
}
