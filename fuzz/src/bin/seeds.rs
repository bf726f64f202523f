//! Writes the seed corpora from the recordings, and the dictionary of field names: `cargo run --bin seeds` in `fuzz/`.
//! It may run repeatedly.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;

use callgauge::report::{Flag, Num, Text};

/// Seeds are small, so that a fuzzer gets through many of them.
const MOST_BYTES: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recordings = root.join("../tests/fixtures/recordings");
    let corpus = root.join("corpus");
    for target in ["getstats", "records", "document", "sdp", "operations", "fleet", "state", "fleet_state"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    let mut paths = Vec::new();
    for folder in [recordings.clone(), recordings.join("other")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "gz") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(&path)?).read_to_string(&mut text)?;
        let write = |target: &str, bytes: &[u8]| fs::write(corpus.join(target).join(&name), bytes);
        let lines: Vec<&str> = text.lines().collect();
        let mut head = 0;
        let some: Vec<&str> = lines
            .iter()
            .copied()
            .take_while(|line| {
                head += line.len() + 1;
                head <= MOST_BYTES
            })
            .collect();
        write("records", some.join("\n").as_bytes())?;
        write("document", lines.first().filter(|line| line.len() <= MOST_BYTES).copied().unwrap_or("{}").as_bytes())?;
        let stats = lines.get(1).and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        if let Some(stats) = stats.as_ref().and_then(|line| line.get("report").or_else(|| line.get("stats"))) {
            write("getstats", stats.to_string().as_bytes())?;
        }
        if let Some(at) = text.find("v=0\\r\\n") {
            let sdp = text[at..].split('"').next().unwrap_or_default().replace("\\r\\n", "\r\n");
            write("sdp", sdp.get(..MOST_BYTES).unwrap_or(&sdp).as_bytes())?;
        }
        let first = &lines[..lines.len().min(12)];
        write("state", &callgauge_fuzz::state_of(first))?;
        write("fleet_state", &callgauge_fuzz::fleet_state_of(first))?;
        for target in ["operations", "fleet"] {
            write(target, text.as_bytes().get(..2_000).unwrap_or(text.as_bytes()))?;
        }
    }
    let names = Num::ALL.iter().map(|field| field.name());
    let names =
        names.chain(Text::ALL.iter().map(|field| field.name())).chain(Flag::ALL.iter().map(|field| field.name()));
    let words = ["NaN", "\\\\ud800", "1e308", "-0", "RTCStatsDump", "PeerConnections", "timestamp", "inbound-rtp"];
    let dictionary: Vec<String> = names.chain(words).map(|word| format!("\"{word}\"\n")).collect();
    fs::write(root.join("names.dict"), dictionary.concat())?;
    Ok(())
}
