//! Replays a recording and prints its summary: `cargo run --example replay -- RECORDING`, plain or gzipped, one
//! snapshot per line.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use callgauge::ingest::Reader;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use flate2::read::MultiGzDecoder;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: replay RECORDING")?;
    let mut call = Conference::new(&path, Config::new());
    let mut fabrics = HashMap::new();
    let mut reader = Reader::new();
    let mut now = Timestamp::default();

    for (number, line) in BufReader::new(open(&path)?).split(b'\n').enumerate() {
        let read = reader.read(&line?, &mut |snapshot| {
            // The recording's clock drives the engine, which never goes back.
            let at = snapshot.at.map_or(0, |at| at.as_millis() as u64);
            now = now.max(Timestamp::from_millis(at));
            let fabric = fabrics
                .entry(snapshot.fabric.to_owned())
                .or_insert_with(|| call.open_fabric(now, FabricSpec::new(snapshot.fabric)));
            if let Ok(fabric) = *fabric {
                // Cannot fail: the clock is monotone and the fabric is open.
                let _ = call.ingest(now, fabric, snapshot.report);
            }
        });
        if let Err(error) = read {
            eprintln!("line {}: {error}", number + 1);
        }
        while let Some(event) = call.poll_event() {
            if let Event::CounterReset { stream, at, .. } = event {
                println!("{:.0}: counters of {} were reset", at.as_millis(), stream.ssrc);
            }
        }
    }

    for fabric in call.summary().fabrics {
        for stream in fabric.streams {
            let (way, loss) = (stream.direction.name(), stream.loss_ratio);
            println!("{} {way} {}: {:?} bit/s, loss {loss:?}", fabric.fabric, stream.ssrc, stream.bitrate_bps);
        }
    }
    Ok(())
}

fn open(path: &str) -> std::io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    Ok(if path.ends_with(".gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}
