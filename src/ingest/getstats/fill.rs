//! Converts a member's value into a row's field, for every reader. It applies no rules across members.

use alloc::string::String;

use super::json::{Cursor, Next};
use super::key::{Nested, Target};
use crate::id::MediaKind;
use crate::ingest::error::ReadError;
use crate::report::{BadMember, EntryMut, Num, StatsType, Text};
use crate::unit::StatTime;

/// Sets a number. Where the member is text (a `mid` of 0), prints the number.
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
        // Bridges from Objective-C write an NSNumber of a boolean as 0 or 1.
        Target::Flag(field) if value == 0.0 || value == 1.0 => drop(entry.set_flag(field, value == 1.0)),
        Target::Skip | Target::Inline => {}
        _ => bad(entry, target),
    }
}

/// Whether a number prints in a few digits: no name is a number of three hundred.
fn is_short(value: f64) -> bool {
    value == 0.0 || (1e-6..1e21).contains(&value.abs())
}

/// Sets a string, already unescaped.
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
            // In any case, because enums of other languages have names in capitals.
            _ if value.eq_ignore_ascii_case("audio") => drop(entry.set_media(MediaKind::Audio)),
            _ if value.eq_ignore_ascii_case("video") => drop(entry.set_media(MediaKind::Video)),
            _ => bad(entry, target),
        },
        // Old APIs write all numbers as strings.
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
            // In any case, because Python prints them with a capital.
            _ if value.eq_ignore_ascii_case("true") => boolean(entry, target, true),
            _ if value.eq_ignore_ascii_case("false") => boolean(entry, target, false),
            _ => bad(entry, target),
        },
        // The codec's media kind is in another member; folding joins the two.
        Target::LegacyCodec => drop(entry.set_text(Text::MimeType, value)),
        Target::Nested(nested) => nested_text(entry, nested, value),
        Target::Skip | Target::Inline => {}
    }
}

/// Sets a boolean.
pub(in crate::ingest) fn boolean(entry: &mut EntryMut<'_>, target: Target, value: bool) {
    match target {
        Target::Flag(field) => drop(entry.set_flag(field, value)),
        Target::Skip | Target::Inline => {}
        _ => bad(entry, target),
    }
}

/// Counts a member with an invalid value.
#[cold]
pub(in crate::ingest) fn bad(entry: &mut EntryMut<'_>, target: Target) {
    entry.count_bad_field(match target {
        Target::Num(field) => BadMember::Num(field),
        Target::Scaled(scaled) => BadMember::Num(scaled.field()),
        Target::LegacyRtt => BadMember::Num(Num::RoundTripTime),
        Target::Flag(field) => BadMember::Flag(field),
        Target::Kind => BadMember::Kind,
        Target::Timestamp => BadMember::Timestamp,
        _ => BadMember::Other,
    });
}

/// Sets a null. In delta formats, an older value must not replace it.
pub(in crate::ingest) fn null(entry: &mut EntryMut<'_>, target: Target) {
    match target {
        Target::Num(field) => entry.refuse(field),
        Target::Scaled(scaled) => entry.refuse(scaled.field()),
        Target::LegacyRtt => entry.refuse(Num::RoundTripTime),
        _ => {}
    }
}

/// Reads an object of numbers encoded once more as a JSON string (Chromium's `psnrSum`).
fn nested_text(entry: &mut EntryMut<'_>, nested: Nested, text: &str) {
    if nested_object(&mut Cursor::of(text), entry, nested).is_err() {
        bad(entry, Target::Nested(nested));
    }
}

/// Reads an object of numbers, `{"none": 1.5, "cpu": 0, …}`; ignores other values in it.
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

/// Sets a number inside a member that is an object of numbers.
pub(in crate::ingest) fn nested_number(entry: &mut EntryMut<'_>, nested: Nested, name: &str, value: f64) {
    if let Some(field) = nested.field(name) {
        entry.set(field, value);
    }
}

/// Parses a time in a string: ISO 8601 in old reports, sometimes a number.
pub(in crate::ingest) fn parse_time(text: &str) -> Option<StatTime> {
    match text.trim().parse() {
        Ok(number) => StatTime::from_unknown(number),
        // Milliseconds since 1970 are exact.
        Err(_) => StatTime::from_millis(text.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64),
    }
}

/// The type with this name, including spellings from before the spec settled.
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

/// The type for rtcstats' numeric code.
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
