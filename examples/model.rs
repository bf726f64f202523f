//! Scores audio with your own model: `cargo run --example model -- RECORDING`, plain or gzipped.
//!
//! A model is a value. It gets the inputs of the last seconds and returns a score, or the reason for having none. This
//! one is common in dashboards and uses nothing but loss; the engine's own stands beside it.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;

use callgauge::ingest::Reader;
use callgauge::score::audio::AudioInputs;
use callgauge::score::{Cause, Input, Inputs, Model, ModelId, MosScale, NoScore, Origin, Parts, Score, Tier};
use callgauge::unit::{Rx, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec};
use flate2::read::MultiGzDecoder;

/// 2.5 points per percent of network loss, whatever was repaired or concealed.
#[derive(Debug)]
struct LossOnly;

impl Model<AudioInputs<'_>> for LossOnly {
    fn id(&self) -> ModelId {
        ModelId::new("loss-only", 1)
    }

    fn score(&self, inputs: &AudioInputs<'_>) -> Result<Score, NoScore> {
        let lost = inputs.lost.ok_or(NoScore::NoLossInformation)?;
        let mut parts = Parts::new();
        parts.set(Cause::Loss, 250.0 * lost.as_f64());
        let rx = Rx::clamped(93.2 - parts.sum()).ok_or(NoScore::NoLossInformation)?;
        Ok(Score::new(self.id(), MosScale::Narrowband, Tier::A3, rx)
            .with_parts(parts)
            .with_inputs(Inputs::new().with(Input::Loss, Origin::Measured)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: model RECORDING")?;
    let (mut file, mut text) = (File::open(&path)?, String::new());
    if path.ends_with(".gz") {
        MultiGzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        file.read_to_string(&mut text)?;
    }
    for config in [Config::new(), Config::new().with_audio_model(LossOnly)] {
        let mut call = Conference::new(&path, config);
        let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("first"))?;
        let (mut reader, mut name) = (Reader::new(), None);
        for line in text.lines() {
            reader.read(line.as_bytes(), &mut |snapshot| {
                // One connection is enough.
                if *name.get_or_insert_with(|| snapshot.fabric.to_owned()) == snapshot.fabric {
                    // Cannot fail: the clock stands still, and the fabric is open.
                    let _ = call.ingest(Timestamp::default(), fabric, snapshot.report);
                }
            })?;
            while let Some(event) = call.poll_event() {
                if let Event::IntervalClosed { score: Ok(score), .. } = event
                    && score.mos().as_f64() < 2.0
                {
                    println!("{}: {:.1}, because of {:?}", score.model, score.mos(), score.cause);
                }
            }
        }
        for stream in &call.summary().fabrics[0].streams {
            if let (Some(model), Some(mos)) = (&stream.score.model, stream.score.mos) {
                println!("{model}: {} {} {mos:.2}", stream.direction.name(), stream.ssrc);
            }
        }
    }
    Ok(())
}
