//! `score`: what-if.

use std::io::{self, Write};

use callgauge::score::audio::{AudioInputs, AudioModel};
use callgauge::score::video::{VideoInputs, VideoModel};
use callgauge::score::{Model, NoScore, Score, mos_of};
use callgauge::unit::{Bitrate, Ratio};
use clap::{Args, Subcommand};

use crate::output::Format;
use crate::wording::{confidence, impairment};

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Sound.
    Audio(Audio),
    /// Pictures, or a shared screen.
    Video(Video),
}

/// What is known of a stream of sound. What is not given is unknown.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Audio {
    /// The codec: opus, PCMU, G722, AMR-WB, …
    #[arg(long, value_name = "NAME")]
    codec: String,
    /// Payload bit rate while there is speech, bits per second; the codec's usual one unless given.
    #[arg(long, value_name = "BPS", value_parser = bitrate)]
    bitrate: Option<Bitrate>,
    /// How much sound a packet carries; 20 ms unless given.
    #[arg(long, value_name = "MS", value_parser = amount)]
    packet_ms: Option<f64>,
    /// Frames that each packet carries again, as error correction or RED.
    #[arg(long, value_name = "FRAMES", value_parser = amount)]
    redundancy: Option<f64>,
    /// The encoder keeps one rate.
    #[arg(long)]
    constant_bitrate: bool,
    /// Packets that the network lost, as a ratio, 0 to 1.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    loss: Option<Ratio>,
    /// The packets carry error correction, which makes up for single losses.
    #[arg(long)]
    fec: bool,
    /// Packets that came too late to be played, as a ratio of those that came.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    discarded: Option<Ratio>,
    /// What had to be concealed after every repair, as a ratio of all sound; counts instead of loss.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    concealed: Option<Ratio>,
    /// How often concealment began, per second.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    concealments_per_second: Option<f64>,
    /// Packets that error correction brought back, as a ratio.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    recovered: Option<Ratio>,
    /// Samples stretched and squeezed by the jitter buffer, as a ratio.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    stretched: Option<Ratio>,
    /// Round trip of the network; without it delay takes no part.
    #[arg(long, value_name = "MS", value_parser = amount)]
    rtt_ms: Option<f64>,
    /// Interarrival jitter: of use where the jitter buffer's delay is not given.
    #[arg(long, value_name = "MS", value_parser = amount)]
    jitter_ms: Option<f64>,
    /// Time in the jitter buffer.
    #[arg(long, value_name = "MS", value_parser = amount)]
    buffer_ms: Option<f64>,
    /// From the decoder to the loudspeaker.
    #[arg(long, value_name = "MS", value_parser = amount)]
    playout_ms: Option<f64>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is known of a stream of pictures. What is not given is unknown.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Video {
    /// The codec: VP8, VP9, H264, H265, AV1.
    #[arg(long, value_name = "NAME")]
    codec: Option<String>,
    /// Mean quantizer, on the codec's own scale.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    qp: Option<f64>,
    /// Payload bit rate, bits per second: counts where the quantizer is not given.
    #[arg(long, value_name = "BPS", value_parser = bitrate)]
    bitrate: Option<Bitrate>,
    /// Size of the coded picture, such as 1280x720.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(f64, f64)>,
    /// Size at which it is shown.
    #[arg(long, value_name = "WxH", value_parser = size)]
    display: Option<(f64, f64)>,
    /// Frames per second, freezes left out.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    fps: Option<f64>,
    /// Frames per second of what is filmed or shared.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    source_fps: Option<f64>,
    /// Share of the time in freezes, as a ratio.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    frozen: Option<Ratio>,
    /// Freezes in ten seconds.
    #[arg(long, value_name = "NUMBER", value_parser = amount)]
    freezes_per_10_s: Option<f64>,
    /// The probability that a frame was shown corrupted.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    corruption: Option<Ratio>,
    /// It is a shared screen.
    #[arg(long)]
    screen: bool,
    /// How to print it.
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
        // What is said to have frozen was to be shown.
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

pub(crate) fn run(what: &What, out: &mut dyn Write) -> io::Result<bool> {
    let (score, format) = match what {
        What::Audio(audio) => (AudioModel::new().score(&audio.inputs()), audio.format),
        What::Video(video) => (VideoModel::new().score(&video.inputs()), video.format),
    };
    match (score, format) {
        (Err(reason), _) => {
            eprintln!("callgauge: no score: {reason}{}", hint(reason, what));
            return Ok(false);
        }
        (Ok(score), Format::Json) => {
            serde_json::to_writer_pretty(&mut *out, &score)?;
            writeln!(out)?;
        }
        (Ok(score), Format::Text) => write(&score, out)?,
    }
    Ok(true)
}

/// What to give, where something is missing.
fn hint(reason: NoScore, what: &What) -> &'static str {
    match reason {
        NoScore::NoLossInformation => " (give --loss or --concealed; 0 is a value)",
        NoScore::UnknownCodec if matches!(what, What::Audio(audio) if audio.bitrate.is_some()) => " at this bit rate",
        NoScore::FrameRateOnly { .. } | NoScore::NoPictureInformation => {
            " (give --codec and --qp, or --bitrate, --size and --fps)"
        }
        _ => "",
    }
}

fn write(score: &Score, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "MOS {:.2}, {:.2} to {:.2}, on the {} scale; confidence {} (tier {}), by {}",
        score.mos(),
        score.low(),
        score.high(),
        score.scale.name().replace('_', "-"),
        confidence(Some(score.tier)),
        score.tier.name(),
        score.model,
    )?;
    if let Some(lq) = score.lq() {
        writeln!(out, "  listening alone: {lq:.2}")?;
    }
    if let Some(native) = score.native {
        writeln!(out, "  beside calls of its own bandwidth ({:?}): {:.2}", native.scale, mos_of(native.rx))?;
    }
    let (good, poor) = (score.good_or_better().as_f64() * 100.0, score.poor_or_worse().as_f64() * 100.0);
    writeln!(out, "  good or better for {good:.0} % of people, poor or worse for {poor:.0} %")?;
    writeln!(out, "  of 100 points, {:.1} are left:", score.rx)?;
    for (cause, points) in score.parts.iter() {
        let first = if Some(cause) == score.cause { ", the one to remove first" } else { "" };
        writeln!(out, "    {:<12} {points:>5.1}{first}", impairment(cause))?;
    }
    let inputs: Vec<String> =
        score.inputs.iter().map(|(input, origin)| format!("{} {}", input.name(), origin.name())).collect();
    writeln!(out, "  by: {}", inputs.join(", "))
}

fn ratio(text: &str) -> Result<Ratio, String> {
    text.parse().ok().and_then(Ratio::new).ok_or_else(|| "a ratio, 0 to 1".into())
}

fn bitrate(text: &str) -> Result<Bitrate, String> {
    text.parse().ok().and_then(Bitrate::new).ok_or_else(|| "bits per second, 0 to 1000000000000".into())
}

fn size(text: &str) -> Result<(f64, f64), String> {
    let (width, height) = text.split_once('x').ok_or("width x height, such as 1280x720")?;
    let edge = |text: &str| number(text, 1.0).map_err(|error| format!("each edge is {error}"));
    Ok((edge(width)?, edge(height)?))
}

fn amount(text: &str) -> Result<f64, String> {
    number(text, 0.0)
}

fn number(text: &str, least: f64) -> Result<f64, String> {
    const MOST: f64 = 1e6;
    text.parse()
        .ok()
        .filter(|value| (least..=MOST).contains(value))
        .ok_or_else(|| format!("a number, {least} to {MOST}"))
}
