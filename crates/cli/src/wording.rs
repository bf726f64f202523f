//! The words for figures and names: durations, times, rates, shares, counts, and names out of the input on one line.
//! It writes nothing, and knows nothing about the order or the layout of a report.

use std::borrow::Cow;

use callgauge::score::{Cause, Tier};
use callgauge::summary::DoubtedValues;

/// `1 min 28 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round();
    if whole < 60.0 {
        return if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{whole:.0} s") };
    }
    let (hours, minutes, rest) = ((whole / 3_600.0).floor(), (whole / 60.0).floor() % 60.0, whole % 60.0);
    if hours > 0.0 { format!("{hours:.0} h {minutes:.0} min") } else { format!("{minutes:.0} min {rest:.0} s") }
}

/// `2026-11-21 09:53:03 UTC`, or seconds for a clock that does not count from 1970.
pub(crate) fn time_of_day(ms: f64) -> String {
    // Saturates.
    let time = jiff::Timestamp::from_millisecond(ms as i64);
    match time {
        Ok(time) if ms > 1e11 => time.strftime("%F %T UTC").to_string(),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

/// `980 bit/s`, `1.3 kbit/s`, `29 kbit/s`, `2.4 Mbit/s`.
pub(crate) fn bitrate(bps: f64) -> String {
    match bps {
        ..999.5 => format!("{bps:.0} bit/s"),
        ..9_950.0 => format!("{:.1} kbit/s", bps / 1e3),
        ..999.5e3 => format!("{:.0} kbit/s", bps / 1e3),
        _ => format!("{:.1} Mbit/s", bps / 1e6),
    }
}

pub(crate) fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// `once`, `twice`, `3 times`.
pub(crate) fn times(count: u64) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{count} times"),
    }
}

/// `1:05`: a time in the call, from its start.
pub(crate) fn clock(ms: f64) -> String {
    let seconds = (ms / 1e3).floor().max(0.0);
    format!("{:.0}:{:02.0}", (seconds / 60.0).floor(), seconds % 60.0)
}

/// A name from the input or the command line, on one line: control characters, which could control the terminal, and
/// characters that are not seen but hide, reorder or break the text around them, are escaped.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !is_unprintable(c) && c != JOINER;
    if name.chars().all(is_plain) {
        return name.into();
    }
    let mut text = String::with_capacity(name.len() + 8);
    let mut before = 'a';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        // Emoji are joined; in a word the joiner is not seen.
        let joins = c == JOINER && !before.is_alphanumeric() && rest.peek().is_some_and(|next| !next.is_alphanumeric());
        if is_plain(c) || joins {
            text.push(c);
        } else {
            text.extend(c.escape_default());
        }
        before = c;
    }
    text.into()
}

/// ZERO WIDTH JOINER.
const JOINER: char = '\u{200D}';

/// Control characters (Cc), format characters (Cf) except the joiner, line and paragraph separators (Zl, Zp), and fillers
/// that have no width (Default_Ignorable_Code_Point of Unicode 16; the variation selectors of emoji stay).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}')
        || matches!(
            c,
            '\u{8E2}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        )
        || matches!(c, '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}')
        || matches!(c, '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}')
        || matches!(c, '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `checking disrupted` of `checkingDisrupted`.
pub(crate) fn spaced(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// `1 entry`, `2 entries`, `3 diagnoses`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y'), noun.strip_suffix("is")) {
        (1, ..) => format!("1 {noun}"),
        (_, Some(stem), _) => format!("{count} {stem}ies"),
        (_, _, Some(stem)) => format!("{count} {stem}es"),
        _ => format!("{count} {noun}s"),
    }
}

/// `left out 3 impossible values (packetsLost)`.
pub(crate) fn doubted(doubted: &DoubtedValues) -> String {
    format!("left out {} ({})", plural(doubted.values, "impossible value"), doubted.members.join(", "))
}

/// The widest band of a score of high and of medium confidence, MOS: a fifth and two fifths of the scale from 1 to 4.5.
const HIGH_WIDTH: f64 = 0.7;
const MEDIUM_WIDTH: f64 = 1.4;

/// The confidence of a score, by the figures it was made of and by the width of its band: a word never promises more
/// than the band beside it.
pub(crate) fn confidence(tier: Option<Tier>, low: f64, high: f64) -> &'static str {
    let width = high - low;
    match tier {
        Some(Tier::A1 | Tier::V1) if width <= HIGH_WIDTH => "high",
        Some(Tier::A1 | Tier::A2 | Tier::V1 | Tier::V2) if width <= MEDIUM_WIDTH => "medium",
        _ => "low",
    }
}

/// An impairment, as support engineers call it.
pub(crate) fn impairment(cause: Cause) -> &'static str {
    match cause {
        Cause::TimeStretch => "time-stretch",
        Cause::FrameRate => "frame rate",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let of = [0.04, 9.94, 59.4, 59.6, 88.0, 3_599.6, 7_260.0].map(duration);
        assert_eq!(of, ["0.0 s", "9.9 s", "59 s", "1 min 0 s", "1 min 28 s", "1 h 0 min", "2 h 1 min"]);
    }

    #[test]
    fn names_cannot_control_reorder_or_hide_text() {
        assert_eq!(printable("Zoë 👩\u{200D}💻"), "Zoë 👩\u{200D}💻");
        for (name, shown) in [
            ("a\u{1B}[31m", "a\\u{1b}[31m"),
            ("Alice\u{202E}", "Alice\\u{202e}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("a\u{FEFF}\u{E0041}", "a\\u{feff}\\u{e0041}"),
            ("A\u{200D}lice", "A\\u{200d}lice"),
            ("\u{200D}a", "\\u{200d}a"),
            ("so\u{AD}ft \u{2066}x\u{2029}", "so\\u{ad}ft \\u{2066}x\\u{2029}"),
        ] {
            assert_eq!(printable(name), shown);
        }
    }

    #[test]
    fn bitrates_have_two_digits_at_least() {
        let of = [980.0, 1_300.0, 29_400.0, 999_600.0, 2.4e6].map(bitrate);
        assert_eq!(of, ["980 bit/s", "1.3 kbit/s", "29 kbit/s", "1.0 Mbit/s", "2.4 Mbit/s"]);
    }

    #[test]
    fn nouns_agree_with_their_counts() {
        let of = [plural(1, "entry"), plural(2, "entry"), plural(0, "diagnosis"), plural(3, "line")];
        assert_eq!(of, ["1 entry", "2 entries", "0 diagnoses", "3 lines"]);
    }

    #[test]
    fn camel_case_becomes_words() {
        assert_eq!(
            (spaced("checkingDisrupted"), spaced("established")),
            ("checking disrupted".into(), "established".into())
        );
    }
}
