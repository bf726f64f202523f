//! The section about speech: talk time of each speaker, and when each was the dominant speaker.
//! The engine attributes speech to speakers.

use std::cmp::Reverse;
use std::io;

use callgauge::summary::{ConferenceSummary, DominanceSummary, SpeakerSummary, TalkSummary};
use console::{Alignment, measure_text_width, pad_str};
use ordered_float::OrderedFloat;

use super::sparkline::{SPARK_WIDTH, TimeAxis};
use crate::output::Page;
use crate::wording::{duration, percent, plural, printable};

/// How many speakers the section has, at most.
const MAX_SPEAKERS: usize = 12;
/// Columns of a name; a longer name has a line of its own.
const NAME_WIDTH: usize = 20;
/// Columns of the longest duration.
const TIME_WIDTH: usize = 11;

/// Writes the section; nothing where no speech is known.
pub(crate) fn write(summary: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
    let Some(talk) = summary.talk.as_ref().filter(|talk| talk.speech_s > 0.0) else { return Ok(()) };
    page.blank()?;
    page.heading(&title(talk))?;
    let mut speakers: Vec<&SpeakerSummary> = talk.speakers.iter().collect();
    speakers.sort_by_key(|speaker| Reverse((OrderedFloat(speaker.dominant_s), OrderedFloat(speaker.talk_s))));
    let names = names_of(&speakers);
    let width = names.iter().take(MAX_SPEAKERS).map(|name| measure_text_width(name)).filter(|&name| name <= NAME_WIDTH);
    let width = width.max().unwrap_or(0);
    page.line(2, &row("", width, ["talk time", "share", "dominant", "longest monologue"]))?;
    for (speaker, name) in speakers.iter().zip(&names).take(MAX_SPEAKERS) {
        let mut name = name.as_str();
        if measure_text_width(name) > width {
            page.line(2, name)?;
            name = "";
        }
        let times = [speaker.talk_s, speaker.dominant_s, speaker.longest_monologue_s].map(duration);
        let share = speaker.talk_ratio.map_or("?".into(), percent);
        let [talk_time, dominant, longest] = times.each_ref().map(String::as_str);
        page.line(2, &row(name, width, [talk_time, &share, dominant, longest]))?;
        let notes = notes(speaker);
        if !notes.is_empty() {
            page.facts(7, &notes, ", ")?;
        }
        if let Some(bar) = bar(summary, talk, speaker) {
            page.line(7, &format!("dominant │{bar}│"))?;
        }
    }
    let more = speakers.len().saturating_sub(MAX_SPEAKERS) as u64;
    if more > 0 {
        page.line(2, &format!("and {}", plural(more, "more speaker")))?;
    }
    let left_out = left_out(talk);
    if !left_out.is_empty() {
        page.line(2, &format!("not counted: {}", left_out.join(", ")))?;
    }
    Ok(())
}

fn title(talk: &TalkSummary) -> String {
    let mut facts = vec![format!("speech in {} of {}", duration(talk.speech_s), duration(talk.known_s))];
    if let Some(ratio) = talk.overlap_ratio.filter(|_| talk.speakers.len() > 1) {
        facts.push(format!("{} of it overlapping", percent(ratio)));
    }
    if let Some(ms) = talk.resolution_ms {
        facts.push(format!("sampled every {}", duration(ms / 1e3)));
    }
    format!("Speakers: {}", facts.join(", "))
}

/// A line of the table.
fn row(name: &str, width: usize, [talk_time, share, dominant, longest]: [&str; 4]) -> String {
    let name = pad_str(name, width, Alignment::Left, None);
    format!("{name}  {talk_time:>TIME_WIDTH$}  {share:>7}  {dominant:>TIME_WIDTH$}  {longest:>17}")
}

fn notes(speaker: &SpeakerSummary) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(turns) = speaker.turns {
        notes.push(plural(turns, "turn"));
    }
    if let Some(interruptions @ 1..) = speaker.interruptions {
        notes.push(format!("{} of others", plural(interruptions, "interruption")));
    }
    if let Some(muted_s) = speaker.muted_talk_s.filter(|&muted_s| muted_s >= 1.0) {
        notes.push(format!("{} of speech not sent (muted, on hold or paused)", duration(muted_s)));
    }
    notes
}

/// What the conference could not count.
fn left_out(talk: &TalkSummary) -> Vec<String> {
    [
        (talk.refused_turns, "dominant-speaker span", " beyond the limit"),
        (talk.refused_speakers, "audio level", " of speakers beyond the limit"),
        (talk.late_samples, "audio level", " that arrived too late"),
    ]
    .into_iter()
    .filter(|&(count, ..)| count > 0)
    .map(|(count, noun, why)| plural(count, noun) + why)
    .collect()
}

/// The names of speakers; those with the same name, as of a connection that was opened again, with their SSRCs.
fn names_of(speakers: &[&SpeakerSummary]) -> Vec<String> {
    let plain: Vec<String> = speakers.iter().map(|speaker| name_of(speaker)).collect();
    let is_unique = |name: &String| plain.iter().filter(|other| *other == name).count() == 1;
    let distinct = |(name, speaker): (&String, &&SpeakerSummary)| match speaker.ssrc {
        Some(ssrc) if !is_unique(name) => format!("{name}, SSRC {ssrc}"),
        _ => name.clone(),
    };
    plain.iter().zip(speakers).map(distinct).collect()
}

/// The user, else the connection or the stream.
fn name_of(speaker: &SpeakerSummary) -> String {
    match (&speaker.user, &speaker.fabric, speaker.ssrc) {
        (Some(user), ..) => printable(user).into_owned(),
        (None, Some(fabric), _) if !fabric.is_empty() => format!("local user of {}", printable(fabric)),
        (None, _, Some(ssrc)) => format!("SSRC {ssrc}"),
        _ => "?".into(),
    }
}

/// When the speaker was dominant: a column is full where that was most of its time.
fn bar(summary: &ConferenceSummary, talk: &TalkSummary, speaker: &SpeakerSummary) -> Option<String> {
    let call = TimeAxis { start_ms: summary.start_ms?, end_ms: summary.end_ms? };
    let is_own = |span: &&DominanceSummary| (&span.user, span.ssrc) == (&speaker.user, speaker.ssrc);
    let mut columns = [0.0; SPARK_WIDTH];
    for span in talk.dominant.iter().filter(is_own) {
        for (index, share) in call.overlaps(span.start_ms, span.end_ms) {
            if let Some(column) = columns.get_mut(index) {
                *column += share.max(0.0);
            }
        }
    }
    let mark = |column: f64| match column {
        0.5.. => '█',
        0.1.. => '▄',
        _ => ' ',
    };
    columns.iter().any(|&column| column > 0.0).then(|| columns.map(mark).iter().collect())
}
