//! Who spoke how much, and who was the dominant speaker when, as text.

use std::io::{self, Write};

use callgauge::summary::{ConferenceSummary, DominanceSummary, SpeakerSummary, TalkSummary};

use super::sparkline::{SPARK_WIDTH, TimeAxis};
use crate::wording::{duration, percent, printable, times};

/// How many people are told of.
const MOST: usize = 12;

/// Writes the section; nothing where nobody is known to have spoken.
pub(crate) fn write(summary: &ConferenceSummary, out: &mut dyn Write) -> io::Result<()> {
    let Some(talk) = summary.talk.as_ref().filter(|talk| talk.speech_s > 0.0) else { return Ok(()) };
    let mut facts = vec![format!("speech for {} of {}", duration(talk.speech_s), duration(talk.known_s))];
    if let Some(ratio) = talk.overlap_ratio.filter(|_| talk.speakers.len() > 1) {
        facts.push(format!("{} of it by several at once", percent(ratio)));
    }
    if let Some(ms) = talk.resolution_ms {
        facts.push(format!("looked at every {}", duration(ms / 1e3)));
    }
    writeln!(out, "\nWho spoke: {}", facts.join(", "))?;
    let mut speakers: Vec<&SpeakerSummary> = talk.speakers.iter().collect();
    speakers.sort_by(|a, b| b.dominant_s.total_cmp(&a.dominant_s).then_with(|| b.talk_s.total_cmp(&a.talk_s)));
    let mut names: Vec<String> = speakers.iter().take(MOST).map(|speaker| name(speaker)).collect();
    // A connection that is made anew has another stream under the same name.
    let are_told_apart = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let is_told_apart: Vec<bool> = names.iter().map(are_told_apart).collect();
    for ((name, speaker), is_told_apart) in names.iter_mut().zip(&speakers).zip(is_told_apart) {
        if let Some(ssrc) = speaker.ssrc.filter(|_| !is_told_apart) {
            *name += &format!(", SSRC {ssrc}");
        }
    }
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (speaker, name) in speakers.iter().zip(&names) {
        let share = speaker.talk_ratio.map_or("?".into(), percent);
        let mut line = format!("  {name:width$}  spoke {:>9}  {share:>7}", duration(speaker.talk_s));
        line += &format!("  dominant {:>9}", duration(speaker.dominant_s));
        line += &format!("  longest {:>9}", duration(speaker.longest_monologue_s));
        writeln!(out, "{line}")?;
        let mut notes = Vec::new();
        if let Some(turns) = speaker.turns {
            notes.push(if turns == 1 { "1 turn".into() } else { format!("{turns} turns") });
        }
        if let Some(interruptions @ 1..) = speaker.interruptions {
            notes.push(format!("interrupted others {}", times(interruptions)));
        }
        if let Some(muted_s) = speaker.muted_talk_s.filter(|&muted_s| muted_s >= 1.0) {
            notes.push(format!("spoke unheard (muted, on hold or not sent) for {}", duration(muted_s)));
        }
        if !notes.is_empty() {
            writeln!(out, "  {:width$}  {}", "", notes.join(", "))?;
        }
        if let Some(bar) = bar(summary, talk, speaker) {
            writeln!(out, "  {:width$}  when │{bar}│", "")?;
        }
    }
    if speakers.len() > MOST {
        writeln!(out, "  and {} more", speakers.len() - MOST)?;
    }
    Ok(())
}

/// Who it is: a user, else where the voice comes from.
fn name(speaker: &SpeakerSummary) -> String {
    match (&speaker.user, &speaker.fabric, speaker.ssrc) {
        (Some(user), ..) => printable(user).into_owned(),
        (None, Some(fabric), _) if !fabric.is_empty() => format!("who sends on {}", printable(fabric)),
        (None, _, Some(ssrc)) => format!("SSRC {ssrc}"),
        _ => "?".into(),
    }
}

/// When somebody was the dominant speaker: a column is full where they were for most of it.
fn bar(summary: &ConferenceSummary, talk: &TalkSummary, speaker: &SpeakerSummary) -> Option<String> {
    let (start, end) = (summary.start_ms?, summary.end_ms?);
    let call = TimeAxis { start_ms: start, end_ms: end };
    let is_theirs = |span: &&DominanceSummary| (&span.user, span.ssrc) == (&speaker.user, speaker.ssrc);
    let mut columns = [0.0; SPARK_WIDTH];
    for span in talk.dominant.iter().filter(is_theirs) {
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
    (end > start && columns.iter().any(|&column| column > 0.0)).then(|| columns.map(mark).iter().collect())
}
