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
//! | `packetsReceived`, `packetsSent` of a stream | if `bytesReceived`, `bytesSent` is above 0 |
//! | `frameWidth`, `frameHeight` | always: no picture has such a side |
//! | `framesDecoded` and all that a decoder counts | if the row also has a width and a height of 0, and no other sign of a decoder (`framesDropped`, `totalDecodeTime`): a server that does not decode. Browsers omit the size until a frame is decoded |
//! | `roundTripTime`, `currentRoundTripTime`, `totalRoundTripTime` | unless `totalRoundTripTime` is above 0: an endpoint that measures has such a total, and may round a single measurement to 0 |
//! | `availableOutgoingBitrate`, `availableIncomingBitrate` | always: no estimator estimates 0 bit/s |
//! | `audioLevel` | if `totalSamplesDuration` is 0, too: no sample was measured |
//! | what a candidate pair received: bytes, packets, requests, responses | always: a pair on which nothing arrived is no evidence, since other members show the traffic |
//!
//! Two zeros need a difference of two rows and follow the same rule elsewhere: `active: false` while bytes pass (in
//! `stream`), and a packet count that stands still while bytes pass ([`Delta`](crate::metric::counter::Delta)).
//!
//! A jitter of 0 is believed: nothing contradicts it, browsers that report whole milliseconds measure it on fast
//! networks, and nothing is concluded from a low jitter. So are 0 losses.

use super::{Entry, Fields, Num, StatsType};

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
/// Signs of a decoder, even if it decoded no frame yet.
const DECODES: &[Num] = &[Num::FramesDropped, Num::TotalDecodeTime];
const ROUND_TRIPS: &[Num] = &[Num::RoundTripTime, Num::CurrentRoundTripTime, Num::TotalRoundTripTime];
const AVAILABLE: &[Num] = &[Num::AvailableOutgoingBitrate, Num::AvailableIncomingBitrate];
const ARRIVALS: &[Num] = &[Num::BytesReceived, Num::PacketsReceived, Num::RequestsReceived, Num::ResponsesReceived];

/// The numeric members of a row that are fillers, by the rule of this module.
pub(super) fn fillers(entry: Entry<'_>) -> Fields {
    let mut row = Zeros { entry, fillers: Fields::NONE };
    match entry.kind() {
        StatsType::InboundRtp => {
            row.hide(&[Num::PacketsReceived], row.has(Num::BytesReceived));
            if row.is_zero(Num::FrameWidth) && row.is_zero(Num::FrameHeight) {
                row.hide(DECODED, row.is_zero(Num::FramesDecoded) && !DECODES.iter().any(|&member| row.has(member)));
            }
            row.hide_picture();
            row.hide_levels();
        }
        StatsType::OutboundRtp => {
            row.hide(&[Num::PacketsSent], row.has(Num::BytesSent));
            row.hide_picture();
            row.hide_round_trips();
        }
        StatsType::RemoteInboundRtp | StatsType::RemoteOutboundRtp => row.hide_round_trips(),
        StatsType::MediaSource => row.hide_levels(),
        StatsType::CandidatePair => {
            row.hide_round_trips();
            row.hide(AVAILABLE, true);
            row.hide(ARRIVALS, true);
        }
        _ => {}
    }
    row.fillers
}

/// A row, and its fillers so far.
struct Zeros<'a> {
    entry: Entry<'a>,
    fillers: Fields,
}

impl Zeros<'_> {
    fn is_zero(&self, member: Num) -> bool {
        self.entry.get(member) == Some(0.0)
    }

    fn has(&self, member: Num) -> bool {
        self.entry.get(member) > Some(0.0)
    }

    /// Marks those of `members` that are 0 as fillers, if `is_filler`.
    fn hide(&mut self, members: &[Num], is_filler: bool) {
        if is_filler {
            for &member in members {
                if self.is_zero(member) {
                    self.fillers.insert(member);
                }
            }
        }
    }

    fn hide_picture(&mut self) {
        self.hide(&[Num::FrameWidth, Num::FrameHeight], true);
    }

    fn hide_round_trips(&mut self) {
        self.hide(ROUND_TRIPS, !self.has(Num::TotalRoundTripTime));
    }

    fn hide_levels(&mut self) {
        self.hide(&[Num::AudioLevel], self.is_zero(Num::TotalSamplesDuration));
    }
}
