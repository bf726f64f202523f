//! How a member's value becomes part of a row, whichever door it came through.

use alloc::string::String;

use super::json::{Cursor, Next};
use super::key::{Nested, Target};
use crate::id::MediaKind;
use crate::ingest::error::ReadError;
use crate::report::{EntryMut, Num, StatsType, Text};
use crate::unit::StatTime;

/// A number for a member. A number where text belongs (a `mid` of 0) is printed.
#[inline]
pub(in crate::ingest) fn number(entry: &mut EntryMut<'_>, target: Target, value: f64) {
    match target {
        Target::Num(field) => {
            entry.set(field, value);
        }
        Target::Scaled(scaled) => {
            entry.set(scaled.field(), value * scaled.factor());
        }
        Target::Text(field) if is_short(value) => {
            entry.set_text_of(field, value);
        }
        Target::Id if is_short(value) => {
            entry.set_id_of(value);
        }
        Target::Timestamp => match StatTime::from_unknown(value) {
            Some(time) => {
                entry.set_timestamp(Some(time));
            }
            None => bad(entry, target),
        },
        Target::LegacyRtt => {
            entry.set(Num::RoundTripTime, value * 1e-3);
        }
        Target::Type => {
            entry.set_kind(type_of_code(value));
        }
        Target::Skip | Target::Inline => {}
        _ => bad(entry, target),
    }
}

/// Whether a number is printed in a few digits: no name is a number of three hundred.
fn is_short(value: f64) -> bool {
    value == 0.0 || (1e-6..1e21).contains(&value.abs())
}

/// A text for a member, unescaped.
pub(in crate::ingest) fn string(entry: &mut EntryMut<'_>, target: Target, value: &str) {
    match target {
        Target::Text(field) => {
            entry.set_text(field, value);
        }
        Target::Id => {
            entry.set_id(value);
        }
        Target::Type => {
            entry.set_kind(type_of_name(value));
        }
        Target::Kind => match value {
            "audio" => drop(entry.set_media(MediaKind::Audio)),
            "video" => drop(entry.set_media(MediaKind::Video)),
            _ => bad(entry, target),
        },
        // Old APIs write every number as a string.
        Target::Num(_) | Target::Scaled(..) | Target::LegacyRtt => match value.trim().parse() {
            Ok(parsed) => number(entry, target, parsed),
            Err(_) => {
                null(entry, target);
                bad(entry, target);
            }
        },
        Target::Timestamp => match parse_time(value) {
            Some(time) => drop(entry.set_timestamp(Some(time))),
            None => bad(entry, target),
        },
        Target::Flag(_) => match value {
            "true" => boolean(entry, target, true),
            "false" => boolean(entry, target, false),
            _ => bad(entry, target),
        },
        // The codec's kind stands in another member; the two are joined when the row is whole.
        Target::LegacyCodec => drop(entry.set_text(Text::MimeType, value)),
        Target::Nested(nested) => nested_text(entry, nested, value),
        Target::Skip | Target::Inline => {}
    }
}

/// A truth value for a member.
pub(in crate::ingest) fn boolean(entry: &mut EntryMut<'_>, target: Target, value: bool) {
    match target {
        Target::Flag(field) => drop(entry.set_flag(field, value)),
        Target::Skip | Target::Inline => {}
        _ => bad(entry, target),
    }
}

/// A value for a member that cannot be one: counted.
#[cold]
pub(in crate::ingest) fn bad(entry: &mut EntryMut<'_>, target: Target) {
    entry.count_bad_field(match target {
        Target::Num(field) => Some(field),
        Target::Scaled(scaled) => Some(scaled.field()),
        Target::LegacyRtt => Some(Num::RoundTripTime),
        _ => None,
    });
}

/// No value for a member. Where only changes are sent, an older value must not stand in for it.
pub(in crate::ingest) fn null(entry: &mut EntryMut<'_>, target: Target) {
    match target {
        Target::Num(field) => entry.refuse(field),
        Target::Scaled(scaled) => entry.refuse(scaled.field()),
        Target::LegacyRtt => entry.refuse(Num::RoundTripTime),
        _ => {}
    }
}

/// An object of numbers, written once more as a JSON string (Chromium's `psnrSum`).
fn nested_text(entry: &mut EntryMut<'_>, nested: Nested, text: &str) {
    if nested_object(&mut Cursor::of(text), entry, nested).is_err() {
        bad(entry, Target::Nested(nested));
    }
}

/// An object of numbers, `{"none": 1.5, "cpu": 0, …}`; what is no number in it is ignored.
pub(in crate::ingest) fn nested_object(
    cursor: &mut Cursor<'_>,
    entry: &mut EntryMut<'_>,
    nested: Nested,
) -> Result<(), ReadError> {
    cursor.expect(b'{', "`{`")?;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let mut buffer = String::new();
        let name = cursor.key()?.get(&mut buffer);
        if cursor.next()? == Next::Number {
            nested_number(entry, nested, name, cursor.number()?);
        } else {
            cursor.skip()?;
        }
    }
    Ok(())
}

/// A number inside a member that is an object of numbers.
pub(in crate::ingest) fn nested_number(entry: &mut EntryMut<'_>, nested: Nested, name: &str, value: f64) {
    if let Some(field) = nested.field(name) {
        entry.set(field, value);
    }
}

/// A time written as text: ISO 8601 in old reports, a number here and there.
pub(in crate::ingest) fn parse_time(text: &str) -> Option<StatTime> {
    match text.trim().parse() {
        Ok(number) => StatTime::from_unknown(number),
        // Milliseconds since 1970 are exact.
        Err(_) => StatTime::from_millis(text.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64),
    }
}

/// The type that a name stands for, with the spellings of browsers before the spec settled.
pub(in crate::ingest) fn type_of_name(name: &str) -> StatsType {
    match name {
        "inboundrtp" => StatsType::InboundRtp,
        "outboundrtp" => StatsType::OutboundRtp,
        "candidatepair" => StatsType::CandidatePair,
        "localcandidate" => StatsType::LegacyLocalCandidate,
        "remotecandidate" => StatsType::LegacyRemoteCandidate,
        _ => StatsType::from_name(name),
    }
}

/// The type behind rtcstats' numeric code.
fn type_of_code(code: f64) -> StatsType {
    use StatsType as T;
    const TYPES: [StatsType; 14] = [
        T::InboundRtp,
        T::OutboundRtp,
        T::RemoteInboundRtp,
        T::RemoteOutboundRtp,
        T::Transport,
        T::CandidatePair,
        T::LocalCandidate,
        T::RemoteCandidate,
        T::DataChannel,
        T::PeerConnection,
        T::Certificate,
        T::MediaSource,
        T::MediaPlayout,
        T::Codec,
    ];
    TYPES.iter().zip(1_u8..).find(|&(_, number)| f64::from(number) == code).map_or(T::Other, |(&kind, _)| kind)
}
