//! What browsers before the spec wrote, folded into the spec's rows: names, units and places.
//!
//! After folding, whoever reads a report needs to know W3C webrtc-stats and nothing else.

use alloc::vec::Vec;

use crate::id::MediaKind;
use crate::report::{Entry, Flag, Num, Report, StatsType, Text};

/// Milliseconds from 1900, the epoch of NTP, to 1970.
const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;

/// Folds every row of a snapshot. Rows of no usable type are dropped and counted.
pub(super) fn fold(report: &mut Report) {
    let mut has = Has::default();
    for index in 0..report.len() {
        fold_row(report, index, &mut has);
    }
    if has.legacy {
        fold_legacy(report);
    }
    if has.track {
        fold_tracks(report);
    }
    if has.no_media {
        fill_media(report);
    }
    if has.other {
        let before = report.len();
        report.retain(|entry| entry.kind() != StatsType::Other);
        report.skipped_mut().entries += (before - report.len()) as u64;
    }
}

/// Which of the rarer steps a snapshot needs.
#[derive(Default)]
struct Has {
    legacy: bool,
    track: bool,
    no_media: bool,
    other: bool,
}

/// What can be mended looking at one row.
fn fold_row(report: &mut Report, index: usize, has: &mut Has) {
    let Some(mut entry) = report.entry_mut(index) else { return };
    let view = entry.view();
    let (kind, remote) = (view.kind(), view.flag(Flag::IsRemote) == Some(true));
    match kind {
        // Firefox before 68 and old Edge: the same type, marked as the other end's view.
        StatsType::InboundRtp if remote => drop(entry.set_kind(StatsType::RemoteInboundRtp)),
        StatsType::OutboundRtp if remote => drop(entry.set_kind(StatsType::RemoteOutboundRtp)),
        StatsType::LegacyLocalCandidate => drop(entry.set_kind(StatsType::LocalCandidate)),
        StatsType::LegacyRemoteCandidate => drop(entry.set_kind(StatsType::RemoteCandidate)),
        StatsType::LegacyComponent => drop(entry.set_kind(StatsType::Transport)),
        StatsType::LegacySsrc | StatsType::LegacyCandidatePair | StatsType::LegacyBwe => has.legacy = true,
        StatsType::Track => has.track = true,
        StatsType::Other => has.other = true,
        _ => {}
    }
    let view = entry.view();
    if !view.kind().is_rtp() {
        return;
    }
    has.no_media |= view.media().is_none();
    // No jitter in seconds is a whole number of one or more; aiortc and others report ticks of the RTP clock.
    if let Some(jitter) = view.get(Num::Jitter)
        && jitter >= 1.0
        && libm::trunc(jitter) == jitter
    {
        entry.unset(Num::Jitter);
        entry.count_bad_field();
    }
    if let Some(playout) = entry.view().get(Num::EstimatedPlayoutTimestamp)
        && playout > NTP_TO_UNIX_MS
    {
        entry.set(Num::EstimatedPlayoutTimestamp, playout - NTP_TO_UNIX_MS);
    }
}

/// Chromium's callback API: one row per SSRC holds both ends' views, ids tell the direction.
fn fold_legacy(report: &mut Report) {
    let mut outgoing_estimate = None;
    let mut incoming_estimate = None;
    for index in 0..report.len() {
        let Some(mut entry) = report.entry_mut(index) else { return };
        let view = entry.view();
        match view.kind() {
            StatsType::LegacySsrc => {
                let sent = view.id().ends_with("_send") || view.get(Num::PacketsSent).is_some();
                if let (Some(codec), Some(media)) = (view.text(Text::MimeType), view.media())
                    && !codec.contains('/')
                {
                    let mime = alloc::format!("{}/{codec}", media.name());
                    entry.set_text(Text::MimeType, &mime);
                }
                if sent {
                    entry.set_kind(StatsType::OutboundRtp);
                    split_remote_view(report, index);
                } else {
                    entry.set_kind(StatsType::InboundRtp);
                }
            }
            StatsType::LegacyCandidatePair => {
                let nominated = view.flag(Flag::Readable) == Some(true) && view.flag(Flag::Writable) == Some(true);
                let round_trip = view.get(Num::RoundTripTime);
                entry.set_kind(StatsType::CandidatePair).set_flag(Flag::Nominated, nominated);
                if let Some(seconds) = round_trip {
                    entry.set(Num::CurrentRoundTripTime, seconds);
                    entry.unset(Num::RoundTripTime);
                }
            }
            StatsType::LegacyBwe => {
                outgoing_estimate = view.get(Num::AvailableOutgoingBitrate);
                incoming_estimate = view.get(Num::AvailableIncomingBitrate);
            }
            _ => {}
        }
    }
    let selected = report
        .entries()
        .position(|entry| entry.kind() == StatsType::CandidatePair && entry.flag(Flag::Selected) == Some(true));
    if let Some(mut pair) = selected.and_then(|index| report.entry_mut(index)) {
        for (field, estimate) in
            [(Num::AvailableOutgoingBitrate, outgoing_estimate), (Num::AvailableIncomingBitrate, incoming_estimate)]
        {
            if let Some(estimate) = estimate {
                pair.set(field, estimate);
            }
        }
    }
}

/// Moves what a sent SSRC's row knows from RTCP into a row of its own, where the spec has it.
fn split_remote_view(report: &mut Report, index: usize) {
    const OF_REMOTE: [Num; 2] = [Num::PacketsLost, Num::RoundTripTime];
    let Some(entry) = report.get(index) else { return };
    let values = OF_REMOTE.map(|field| (field, entry.get(field)));
    if values.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let id = alloc::format!("{}_remote", entry.id());
    let (ssrc, media, timestamp) = (entry.get(Num::Ssrc), entry.media(), entry.timestamp());
    let mut remote = report.push(StatsType::RemoteInboundRtp, &id);
    remote.set_timestamp(timestamp);
    if let Some(media) = media {
        remote.set_media(media);
    }
    for (field, value) in values.into_iter().chain([(Num::Ssrc, ssrc)]) {
        if let Some(value) = value {
            remote.set(field, value);
        }
    }
    if let Some(mut entry) = report.entry_mut(index) {
        for field in OF_REMOTE {
            entry.unset(field);
        }
    }
}

/// Obsolete `track` rows: what they measured belongs to the RTP row that names them, where that lacks it.
fn fold_tracks(report: &mut Report) {
    let tracks = copy_of(report, |entry| entry.kind() == StatsType::Track);
    let tracks = ById::new(&tracks);
    for index in 0..report.len() {
        let Some(mut entry) = report.entry_mut(index) else { return };
        let view = entry.view();
        if !matches!(view.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) {
            continue;
        }
        let track = view.text(Text::TrackId).and_then(|id| tracks.get(id));
        if let Some(track) = track {
            entry.fill_from(track);
        }
    }
    report.retain(|entry| entry.kind() != StatsType::Track);
}

/// RTP rows without a `kind` take that of their codec.
fn fill_media(report: &mut Report) {
    let codecs = copy_of(report, |entry| entry.kind() == StatsType::Codec);
    let codecs = ById::new(&codecs);
    for index in 0..report.len() {
        let Some(mut entry) = report.entry_mut(index) else { return };
        let view = entry.view();
        if view.media().is_some() || !view.kind().is_rtp() {
            continue;
        }
        let codec = view.text(Text::CodecId).and_then(|id| codecs.get(id));
        let media = codec.and_then(|codec| media_of_mime(codec.text(Text::MimeType)?));
        if let Some(media) = media.or_else(|| media_of_members(view)) {
            entry.set_media(media);
        }
    }
}

/// The kind of media that a MIME type begins with.
pub(crate) fn media_of_mime(mime: &str) -> Option<MediaKind> {
    match mime.split('/').next() {
        Some("audio") => Some(MediaKind::Audio),
        Some("video") => Some(MediaKind::Video),
        _ => None,
    }
}

/// The kind of media that alone has some of the members present.
fn media_of_members(entry: Entry<'_>) -> Option<MediaKind> {
    let any = |fields: &[Num]| fields.iter().any(|&field| entry.get(field).is_some());
    if any(&[Num::FramesDecoded, Num::FramesEncoded, Num::FramesSent, Num::FramesReceived, Num::FrameWidth]) {
        Some(MediaKind::Video)
    } else if any(&[Num::TotalSamplesReceived, Num::ConcealedSamples, Num::AudioLevel]) {
        Some(MediaKind::Audio)
    } else {
        None
    }
}

/// The rows of a report in the order of their ids, so that many look-ups cost no more than sorting.
struct ById<'a>(Vec<Entry<'a>>);

impl<'a> ById<'a> {
    fn new(report: &'a Report) -> Self {
        let mut rows: Vec<_> = report.entries().collect();
        rows.sort_by_key(|row| row.id());
        Self(rows)
    }

    /// The first row with this id.
    fn get(&self, id: &str) -> Option<Entry<'a>> {
        let first = self.0.partition_point(|row| row.id() < id);
        self.0.get(first).copied().filter(|row| row.id() == id)
    }
}

fn copy_of(report: &Report, of: impl Fn(Entry<'_>) -> bool) -> Report {
    let mut copy = Report::new();
    for entry in report.entries().filter(|&entry| of(entry)) {
        copy.push_copy(entry);
    }
    copy
}
