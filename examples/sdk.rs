//! The steps of an integration guide on a real call: `cargo run --example sdk`.
//!
//! An SDK runs in an application: it opens a fabric for each PeerConnection, passes on the events of the browser and
//! the application, ingests a snapshot each second, shows the live view, and stores the summary. Here a recording plays
//! the browsers' part, and the file beside it has their events.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;

use callgauge::conference::{Feedback, FeedbackRating};

use callgauge::event::{CallEvent, EventKind};
use callgauge::event::{ErrorReport, FabricUsage, GatheringState, IceState, SignalingState};
use callgauge::id::{FabricId, Ssrc};
use callgauge::ingest::Reader;
use callgauge::speaker::{Speaker, SpeakerChange};
use callgauge::summary::View;
use callgauge::unit::Timestamp;
use callgauge::{AppEvent, Conference, Config, Event, FabricSpec};
use serde_json::Value;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/recordings/hold.ndjson.gz");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| RECORDING.to_owned());
    let inputs = inputs(&path)?;
    let mut now = Timestamp::from_millis(inputs.first().ok_or("an empty recording")?.0 as u64);
    let start = now;

    // 3. The conference, and its users.
    let mut call = Conference::new("AliceAndBob", Config::new());
    let names = BTreeMap::from([("A", "alice"), ("B", "bob")]);
    let (alice, bob) = (call.user("alice")?, call.user("bob")?);

    // 4. A fabric for each PeerConnection, as soon as it is created: delays count from here.
    let mut fabrics: BTreeMap<&str, FabricId> = BTreeMap::new();
    for (pc, local, remote) in [("A", alice, bob), ("B", bob, alice)] {
        let spec = FabricSpec::new(pc).with_local_user(local).with_remote_user(remote);
        fabrics.insert(pc, call.open_fabric(now, spec.with_usage(FabricUsage::Multiplex))?);
    }

    // 8. Descriptions of streams may be passed on before the streams exist.
    for (pc, ssrc, label) in labels(&inputs) {
        let user = if pc == "A" { alice } else { bob };
        for &fabric in fabrics.values() {
            call.fabric(fabric)?.associate(Ssrc::new(ssrc), user, label)?;
        }
    }

    let (mut reader, mut view, mut shown) = (Reader::new(), View::default(), start);
    for (ms, input) in &inputs {
        now = now.max(Timestamp::from_micros((ms * 1e3) as u64));
        match input {
            // 5. A snapshot each second.
            Input::Stats(line) => reader.read(line.as_bytes(), &mut |snapshot| {
                if let Some(&fabric) = fabrics.get(snapshot.fabric) {
                    // Refused only after the end of the call.
                    let _ = call.ingest(now, fabric, snapshot.report);
                }
            })?,
            // Browser events. Without them, the engine infers the states from the stats.
            Input::State { pc, what, state } => {
                let Some(&fabric) = fabrics.get(pc.as_str()) else { continue };
                match what.as_str() {
                    "iceConnectionState" => {
                        IceState::from_name(state).map(|state| call.ice_state(now, fabric, state)).transpose()?;
                    }
                    "iceGatheringState" => {
                        let state = GatheringState::from_name(state);
                        state.map(|state| call.gathering_state(now, fabric, state)).transpose()?;
                    }
                    _ => {
                        let state = SignalingState::from_name(state);
                        state.map(|state| call.signaling_state(now, fabric, state)).transpose()?;
                    }
                }
            }
            // 6. Application events: A puts the call on hold, and resumes it.
            Input::Hold(on) => {
                for &fabric in fabrics.values() {
                    call.send_event(now, fabric, if *on { AppEvent::Hold } else { AppEvent::Resume })?;
                }
                // 7. The application's own errors and logs.
                let log = if *on { "the other line rings" } else { "back again" };
                call.report_error(now, Some(fabrics["A"]), ErrorReport::log(log).with_user(alice))?;
            }
        }
        while let Some(event) = call.poll_event() {
            match event {
                Event::Call { event, .. } => show_event(&call, start, &event),
                // The dominant speaker; `is_dominant_speaker` of a fabric says whether its local user is dominant.
                Event::DominantSpeaker { change, .. } => show_speaker(&call, start, change),
                _ => {}
            }
        }
        if call.poll_timeout().is_some_and(|due| due <= now) {
            call.handle_timeout(now)?;
        }
        // The live view, every ten seconds.
        if now.micros_since(shown) >= 10_000_000 {
            shown = now;
            call.snapshot_into(&mut view);
            show_view(start, now, &view);
        }
    }

    // 9. The end, and the users' feedback.
    for &fabric in fabrics.values() {
        call.send_event(now, fabric, AppEvent::Terminated)?;
    }
    call.handle_timeout(now)?;
    let rating = FeedbackRating::new(4).ok_or("a rating is from 1 to 5")?;
    call.feedback(Some(bob), None, Feedback::new(rating).with_audio(FeedbackRating::BEST).with_comment("a long hold"))?;

    let summary = call.summary();
    println!(
        "\n{} was {}:",
        summary.conference.as_deref().unwrap_or("?"),
        summary.call_class.map_or("?", |class| class.name())
    );
    let mos = |mos: Option<f64>| mos.map_or("?".into(), |mos| format!("{mos:.2}"));
    for fabric in &summary.fabrics {
        println!(
            "  {}: set up in {} ms, candidates gathered in {} ms, paths that changed: {}",
            names[fabric.fabric.as_str()],
            fabric.setup_delay_ms.map_or("?".into(), |ms| format!("{ms:.0}")),
            fabric.gathering_delay_ms.map_or("?".into(), |ms| format!("{ms:.0}")),
            fabric.connectivity.transport_switches,
        );
        for stream in &fabric.streams {
            println!(
                "    {} {} of {}, {}: {:.0} kbit/s while it was measured, on hold for {:.1} s, MOS {}",
                stream.direction.name(),
                stream.kind.map_or("?", |kind| kind.name()),
                stream.user.as_deref().unwrap_or("?"),
                stream.label.as_deref().unwrap_or("?"),
                stream.interval_bitrate_bps.mean.unwrap_or(f64::NAN) / 1e3,
                stream.held_s,
                mos(stream.score.mos),
            );
        }
    }
    for user in &summary.users {
        let percent = |ratio: Option<f64>| ratio.map_or("?".into(), |ratio| format!("{:.2} %", ratio * 100.0));
        let (up, down) = (percent(user.uplink.loss_ratio), percent(user.downlink.loss_ratio));
        let rating = user.feedback.first().map_or("nothing".into(), |feedback| format!("{} of 5", feedback.overall));
        let talk_s = user.talk.as_ref().map_or("?".into(), |talk| format!("{:.0} s", talk.talk_s));
        println!(
            "  {}: spoke for {talk_s}; lost {up} on the uplink, {down} on the downlink; MOS {}; rated {rating}",
            user.user,
            mos(user.score.mos)
        );
    }
    Ok(())
}

/// Inputs of the application and its browsers, in order of time.
enum Input {
    Stats(String),
    State { pc: String, what: String, state: String },
    Hold(bool),
}

fn inputs(path: &str) -> Result<Vec<(f64, Input)>, Box<dyn Error>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    let mut inputs = Vec::new();
    for line in text.lines() {
        let at = serde_json::from_str::<Value>(line)?["t"].as_f64().unwrap_or(0.0);
        inputs.push((at, Input::Stats(line.to_owned())));
    }
    let meta: Value = serde_json::from_slice(&std::fs::read(path.replace(".ndjson.gz", ".meta.json"))?)?;
    for event in meta["events"].as_array().into_iter().flatten() {
        let (what, at) = (event["what"].as_str().unwrap_or(""), event["t"].as_f64().unwrap_or(0.0));
        match what {
            "iceConnectionState" | "iceGatheringState" | "signalingState" => {
                let text = |key: &str| event[key].as_str().unwrap_or("").to_owned();
                inputs.push((at, Input::State { pc: text("pc"), what: what.into(), state: text("state") }));
            }
            "direction" if event["kind"] == "audio" => inputs.push((at, Input::Hold(event["to"] == "inactive"))),
            _ => {}
        }
    }
    inputs.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(inputs)
}

/// The streams of each PeerConnection, as its description would name them: SSRC and label.
fn labels(inputs: &[(f64, Input)]) -> Vec<(String, u32, &'static str)> {
    let mut labels = BTreeMap::new();
    for (_, input) in inputs {
        let Input::Stats(line) = input else { continue };
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        for entry in value["report"].as_object().into_iter().flat_map(|report| report.values()) {
            if entry["type"] == "outbound-rtp"
                && let (Some(pc), Some(ssrc)) = (value["pc"].as_str(), entry["ssrc"].as_u64())
            {
                let label = if entry["kind"] == "audio" { "microphone" } else { "camera" };
                labels.insert((pc.to_owned(), ssrc as u32), label);
            }
        }
    }
    labels.into_iter().map(|((pc, ssrc), label)| (pc, ssrc, label)).collect()
}

fn show_speaker(call: &Conference, start: Timestamp, change: SpeakerChange) {
    let who = match change.now {
        Some(Speaker::User(user)) => call.user_name(user).unwrap_or("?"),
        Some(_) => "an unnamed stream",
        None => "no user",
    };
    let [at, since] = [change.at, change.since].map(|time| time.micros_since(start) as f64 / 1e6);
    println!("{at:6.1} s  {who} speaks, since {since:.1} s");
}

fn show_event(call: &Conference, start: Timestamp, event: &CallEvent) {
    if event.kind == EventKind::FabricStateChange {
        return;
    }
    let seconds = event.at.micros_since(start) as f64 / 1e6;
    let user = event.user.and_then(|user| call.user_name(user)).unwrap_or("unnamed user");
    let delay = event.delay_ms.map_or(String::new(), |ms| format!(" after {ms:.0} ms"));
    println!("{seconds:6.1} s  {user}: {}{delay}", event.kind.name());
}

fn show_view(start: Timestamp, now: Timestamp, view: &View) {
    for fabric in &view.fabrics {
        let rate: f64 = fabric.media_stream_tracks.iter().filter_map(|track| track.bitrate).sum();
        let seconds = now.micros_since(start) as f64 / 1e6;
        let state = fabric.fabric_state.name();
        let worst = fabric.media_stream_tracks.iter().filter_map(|track| track.mos).reduce(f64::min);
        let worst = worst.map_or("unknown".into(), |mos| format!("{mos:.1}"));
        println!(
            "{seconds:6.1} s  [{} {state}: {} tracks, {rate:.0} kbit/s, worst MOS {worst}]",
            fabric.fabric,
            fabric.media_stream_tracks.len()
        );
    }
}
