//! Files into a conference.

use std::collections::HashMap;
use std::path::PathBuf;

use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};

use crate::input::{self, Input};

/// Builds a conference from all files, and shows each event, with the fabric's name, as it comes.
pub(crate) fn replay(files: &[PathBuf], mut see: impl FnMut(&str, &Event)) -> (Conference, Vec<Input>) {
    let mut call = Conference::new("", Config::new().with_stitching(true));
    let mut now = Timestamp::default();
    let mut inputs = Vec::new();
    for file in files {
        // The same name in another file is another connection.
        let mut fabrics = HashMap::new();
        let mut refused = 0;
        let mut input: Input = input::read(file, &mut |snapshot| {
            if let Some(at) = snapshot.at {
                // Lines are not always in order, and the engine's clock never runs back.
                // Positive; saturates.
                let at = Timestamp::from_micros((at.as_millis() * 1e3) as u64);
                now = now.max(at);
            }
            let fabric = match fabrics.get(snapshot.fabric) {
                Some(&fabric) => fabric,
                None => {
                    let Ok(fabric) = call.open_fabric(now, FabricSpec::new(snapshot.fabric).with_unknown_opening())
                    else {
                        refused += 1;
                        return;
                    };
                    fabrics.insert(snapshot.fabric.to_owned(), fabric);
                    fabric
                }
            };
            if call.ingest(now, fabric, snapshot.report).is_ok() {
                while let Some(event) = call.poll_event() {
                    see(snapshot.fabric, &event);
                }
            }
        });
        input.refused_snapshots = refused;
        input.connections = fabrics.len();
        inputs.push(input);
    }
    let mut fabrics = summary_of(&call).fabrics.into_iter();
    for input in &mut inputs {
        input.refused_entries = fabrics.by_ref().take(input.connections).map(|fabric| fabric.refused_streams).sum();
    }
    (call, inputs)
}

/// What the call came to, its fabrics in the order in which the files have them.
pub(crate) fn summary_of(call: &Conference) -> ConferenceSummary {
    let mut summary = call.summary();
    let mut fabrics: Vec<_> = call.fabric_order().into_iter().zip(summary.fabrics).collect();
    fabrics.sort_by_key(|&(id, _)| id);
    summary.fabrics = fabrics.into_iter().map(|(_, fabric)| fabric).collect();
    summary
}
