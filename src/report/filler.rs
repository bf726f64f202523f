//! Decides which values of a row are fillers: a 0 or an empty text from a stack that writes every member of a structure
//! (Pion, webrtc-rs, Edge, native SDKs) and did not measure this one. It sees one row, and knows no stream.
//!
//! **The rule.** A zero is a filler if another member of the same row contradicts it, or if zero is not a possible
//! measurement. A filler is unknown: [`Entry::without_fillers`] hides it, and every figure, state and diagnosis is made
//! from such rows. [`derived`](crate::metric::derived) is not: it shows what webrtc-internals shows.
//!
//! | member | its 0 is a filler |
//! |---|---|
//! | any text | if it is empty; [`Entry::text`] never returns an empty text |
//! | a count, and a sum of what it counts: packets and their bytes, freezes and their seconds, frames and the time to decode them | if the other one is above 0: every freeze lasts (`COUNTERPARTS` below has them all) |
//! | `bytesReceived`, `bytesSent` | if packets of sound are above 0, or frames, or the packets and not the bytes of their headers: a padding packet of a picture has headers and no other bytes. `bytesReceived` also beside headers without packets |
//! | `framesPerSecond` of a sender | if `framesEncoded` is 0, and `bytesSent` is not |
//! | `qpSum` | if ten frames or more are: a call's encoder leaves a quantizer of 0, which is lossless or nearly so, at once |
//! | `frameWidth`, `frameHeight`, `width`, `height` | always: no picture has such a side |
//! | `estimatedPlayoutTimestamp`, `remoteTimestamp` and the times of the last packets | always: nothing was played or sent in 1900 or 1970 |
//! | `framesDecoded` and all that a decoder counts | if the row also has a width and a height of 0, and no other sign of a decoder (`framesDropped`, `totalDecodeTime`): a server that does not decode. Browsers omit the size until a frame is decoded |
//! | `roundTripTime`, `currentRoundTripTime`, `totalRoundTripTime` | unless `totalRoundTripTime` is above 0: an endpoint that measures has such a total, and may round a single measurement to 0 |
//! | `availableOutgoingBitrate`, `availableIncomingBitrate` | always: no estimator estimates 0 bit/s |
//! | `totalAudioEnergy` | if `audioLevel` is above −40 dBov: a rounded sum hides only a lower one |
//! | `audioLevel` | if `totalSamplesDuration` is 0, too: no sample was measured |
//! | what the sender of a report counts: `packetsSent`, `bytesSent` of `remote-outbound-rtp` | always: only an endpoint that sent packets sends such reports (RFC 3550 6.4) |
//! | what a candidate pair received: bytes, packets, requests, responses | always: a pair on which nothing arrived is no evidence, since other members show the traffic |
//!
//! Two zeros need a difference of two rows and follow the same rule elsewhere: `active: false` while bytes pass (in
//! `stream`), and a packet count that stands still while bytes pass ([`Delta`](crate::metric::counter::Delta)).
//!
//! Other zeros are believed, because nothing contradicts them: no loss, no concealment, no request, no key frame since
//! the capture began, no frame from a camera that is dead. So is a jitter of 0: browsers that report
//! whole milliseconds measure it on fast networks, and nothing is concluded from a low jitter.

use super::{Entry, Fields, Num, StatsType};
use crate::id::MediaKind;

/// Members whose 0 is contradicted by another member above 0.
const COUNTERPARTS: &[(Num, &[Num])] = &[
    (Num::PacketsReceived, &[Num::BytesReceived, Num::HeaderBytesReceived]),
    (Num::PacketsSent, &[Num::BytesSent]),
    (Num::HeaderBytesReceived, &[Num::PacketsReceived]),
    (Num::HeaderBytesSent, &[Num::PacketsSent]),
    (Num::RetransmittedPacketsReceived, &[Num::RetransmittedBytesReceived]),
    (Num::RetransmittedPacketsSent, &[Num::RetransmittedBytesSent]),
    (Num::FecPacketsReceived, &[Num::FecBytesReceived, Num::FecPacketsDiscarded]),
    (Num::JitterBufferDelay, &[Num::JitterBufferEmittedCount]),
    (Num::JitterBufferEmittedCount, &[Num::JitterBufferDelay]),
    (Num::TotalProcessingDelay, &[Num::JitterBufferEmittedCount]),
    (Num::TotalSamplesReceived, &[Num::ConcealedSamples]),
    (Num::ConcealedSamples, &[Num::SilentConcealedSamples, Num::ConcealmentEvents]),
    (Num::ConcealmentEvents, &[Num::ConcealedSamples]),
    (Num::TotalSamplesDuration, &[Num::TotalAudioEnergy]),
    (Num::FramesReceived, &[Num::FramesDecoded, Num::FramesRendered]),
    (
        Num::FramesDecoded,
        &[Num::KeyFramesDecoded, Num::FramesRendered, Num::TotalDecodeTime, Num::TotalInterFrameDelay, Num::QpSum],
    ),
    (Num::TotalDecodeTime, &[Num::FramesDecoded]),
    (Num::TotalInterFrameDelay, &[Num::TotalSquaredInterFrameDelay]),
    (Num::TotalSquaredInterFrameDelay, &[Num::TotalInterFrameDelay]),
    (Num::FreezeCount, &[Num::TotalFreezesDuration]),
    (Num::TotalFreezesDuration, &[Num::FreezeCount]),
    (Num::CorruptionMeasurements, &[Num::TotalCorruptionProbability]),
    (Num::FramesEncoded, &[Num::KeyFramesEncoded, Num::FramesSent, Num::TotalEncodeTime, Num::QpSum, Num::BytesSent]),
    (Num::FramesSent, &[Num::BytesSent]),
    (Num::TotalEncodeTime, &[Num::FramesEncoded]),
    (Num::RoundTripTimeMeasurements, &[Num::TotalRoundTripTime]),
    (Num::TotalPlayoutDelay, &[Num::TotalSamplesCount]),
    (Num::TotalSamplesCount, &[Num::TotalPlayoutDelay]),
    (Num::RequestsSent, &[Num::ResponsesReceived]),
];
/// Members whose 0 is no measurement.
const NEVER_ZERO: &[Num] = &[
    Num::FrameWidth,
    Num::FrameHeight,
    Num::Width,
    Num::Height,
    Num::EstimatedPlayoutTimestamp,
    Num::RemoteTimestamp,
    Num::LastPacketReceivedTimestamp,
    Num::LastPacketSentTimestamp,
    Num::AvailableOutgoingBitrate,
    Num::AvailableIncomingBitrate,
];
/// What a decoder counts.
const DECODED: &[Num] = &[
    Num::FramesReceived,
    Num::FramesDecoded,
    Num::KeyFramesDecoded,
    Num::FramesRendered,
    Num::FramesDropped,
    Num::FramesPerSecond,
    Num::QpSum,
    Num::TotalDecodeTime,
    Num::TotalInterFrameDelay,
    Num::TotalSquaredInterFrameDelay,
    Num::FreezeCount,
    Num::TotalFreezesDuration,
    Num::PauseCount,
    Num::TotalPausesDuration,
];
/// −40 dBov.
const AUDIBLE: f64 = 0.01;
/// Frames that do not all have a quantizer of 0.
const FRAMES_WITH_QP: f64 = 10.0;
/// What is 0 if nothing is decoded.
const UNDECODED: &[Num] = &[Num::FrameWidth, Num::FrameHeight, Num::FramesDecoded];
/// Signs of a decoder, even if it decoded no frame yet.
const DECODES: &[Num] = &[Num::FramesDropped, Num::TotalDecodeTime];
const ROUND_TRIPS: &[Num] = &[Num::RoundTripTime, Num::CurrentRoundTripTime, Num::TotalRoundTripTime];
const REPORTED_SENT: &[Num] = &[Num::PacketsSent, Num::BytesSent];
const ARRIVALS: &[Num] = &[Num::BytesReceived, Num::PacketsReceived, Num::RequestsReceived, Num::ResponsesReceived];

/// The counterparts of each member, by its index in the table.
static COUNTERPARTS_OF: [&[Num]; Num::COUNT] = {
    let mut all: [&[Num]; Num::COUNT] = [&[]; Num::COUNT];
    let mut row = 0;
    while row < COUNTERPARTS.len() {
        let (member, counterparts) = COUNTERPARTS[row];
        all[member as usize] = counterparts;
        row += 1;
    }
    all
};
/// Members whose 0 other rules decide.
const OTHERS: &[Num] =
    &[Num::BytesReceived, Num::BytesSent, Num::FramesPerSecond, Num::QpSum, Num::AudioLevel, Num::TotalAudioEnergy];
/// Every member that may be a filler, except those of a decoder that does not decode.
const WATCHED: Fields = {
    let mut watched =
        Fields::of(NEVER_ZERO).or(Fields::of(ROUND_TRIPS)).or(Fields::of(ARRIVALS)).or(Fields::of(OTHERS));
    let mut row = 0;
    while row < COUNTERPARTS.len() {
        watched = watched.with(COUNTERPARTS[row].0);
        row += 1;
    }
    watched
};

/// The numeric members of a row that are fillers, by the rule of this module.
pub(super) fn fillers(entry: Entry<'_>) -> Fields {
    let zeros = zeros_among(entry, WATCHED);
    let never_zero = match entry.kind() {
        StatsType::RemoteOutboundRtp => const { Fields::of(NEVER_ZERO).or(Fields::of(REPORTED_SENT)) },
        StatsType::CandidatePair => const { Fields::of(NEVER_ZERO).or(Fields::of(ARRIVALS)) },
        _ => const { Fields::of(NEVER_ZERO) },
    };
    let mut fillers = zeros.and(never_zero);
    zeros.without(never_zero).for_each(|member| {
        if is_contradicted(entry, member) {
            fillers.insert(member);
        }
    });
    let is_undecoded = UNDECODED.iter().all(|&member| zeros.has(member)) && !DECODES.iter().any(|&one| has(entry, one));
    if is_undecoded { fillers.or(zeros_among(entry, const { Fields::of(DECODED) })) } else { fillers }
}

/// The members of a set that are 0.
fn zeros_among(entry: Entry<'_>, members: Fields) -> Fields {
    let values = entry.values();
    let [zeros, _] = entry.presence().and(members).partition(|place| [values.get(place) == Some(&0.0), false]);
    zeros
}

fn has(entry: Entry<'_>, member: Num) -> bool {
    entry.get(member) > Some(0.0)
}

/// Whether other members of the row contradict the 0 of a member.
fn is_contradicted(entry: Entry<'_>, member: Num) -> bool {
    let has = |member| has(entry, member);
    match member {
        Num::BytesReceived => {
            let is_sound = entry.media() == Some(MediaKind::Audio) && has(Num::PacketsReceived);
            let has_frames = has(Num::FramesReceived) || has(Num::FramesDecoded);
            has(Num::PacketsReceived) != has(Num::HeaderBytesReceived) || is_sound || has_frames
        }
        Num::BytesSent => {
            let is_sound = entry.media() == Some(MediaKind::Audio) && has(Num::PacketsSent);
            has(Num::PacketsSent) && !has(Num::HeaderBytesSent) || is_sound || has(Num::FramesSent)
        }
        Num::FramesPerSecond => entry.get(Num::FramesEncoded) == Some(0.0) && has(Num::BytesSent),
        Num::QpSum => {
            [Num::FramesDecoded, Num::FramesEncoded].iter().any(|&frames| entry.get(frames) >= Some(FRAMES_WITH_QP))
        }
        Num::TotalAudioEnergy => entry.get(Num::AudioLevel) > Some(AUDIBLE),
        Num::AudioLevel => entry.get(Num::TotalSamplesDuration) == Some(0.0),
        Num::RoundTripTime | Num::CurrentRoundTripTime | Num::TotalRoundTripTime => !has(Num::TotalRoundTripTime),
        _ => COUNTERPARTS_OF.get(member as usize).is_some_and(|others| others.iter().any(|&other| has(other))),
    }
}
