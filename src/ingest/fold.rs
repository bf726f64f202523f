//! What browsers before the spec wrote, folded into the spec's rows: names, units and places.
//!
//! After folding, whoever reads a report needs to know W3C webrtc-stats and nothing else.

use crate::id::MediaKind;
use crate::report::{Entry, Flag, Num, Report, StatsType, Text};

/// Milliseconds from 1900, the epoch of NTP, to 1970.
const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;

/// Times above this one count from 1900 (then it is 2010), those below from 1970 (then it is 2080).
const SMALLEST_NTP_MS: f64 = NTP_TO_UNIX_MS + 1_262_304_000_000.0;

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
        && playout > SMALLEST_NTP_MS
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
    report.sort_by_id(StatsType::Track);
    for index in 0..report.len() {
        let Some(entry) = report.get(index) else { return };
        if !matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) {
            continue;
        }
        if let Some(track) = entry.text(Text::TrackId).and_then(|id| report.sorted_position(id)) {
            report.fill_row(index, track);
        }
    }
    report.retain(|entry| entry.kind() != StatsType::Track);
}

/// RTP rows without a `kind` take that of their codec.
fn fill_media(report: &mut Report) {
    report.sort_by_id(StatsType::Codec);
    for index in 0..report.len() {
        let Some(entry) = report.get(index) else { return };
        if entry.media().is_some() || !entry.kind().is_rtp() {
            continue;
        }
        let codec = entry.text(Text::CodecId).and_then(|id| report.get(report.sorted_position(id)?));
        let media = codec.and_then(|codec| media_of_mime(codec.text(Text::MimeType)?));
        if let (Some(media), Some(mut entry)) = (media.or_else(|| media_of_members(entry)), report.entry_mut(index)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::getstats::Scanner;
    use std::string::String;
    use std::{format, vec::Vec};

    fn read(text: &str) -> Report {
        let mut report = Report::new();
        Scanner::new().read(text.as_bytes(), &mut report).unwrap();
        report
    }

    #[test]
    fn a_track_completes_the_stream_that_names_it() {
        let report = read(
            r#"[{"id":"T","type":"track","frameWidth":640,"framesDecoded":9,"contentType":"screenshare","ended":false},
                {"id":"I","type":"inbound-rtp","trackId":"T","framesDecoded":7},{"id":"J","type":"inbound-rtp","trackId":"U"}]"#,
        );
        let entries: Vec<_> = report.entries().collect();
        assert_eq!(entries.iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["I", "J"]);
        // What the stream says itself stays.
        assert_eq!((entries[0].get(Num::FramesDecoded), entries[0].get(Num::FrameWidth)), (Some(7.0), Some(640.0)));
        assert_eq!(
            (entries[0].text(Text::ContentType), entries[0].flag(Flag::Ended)),
            (Some("screenshare"), Some(false))
        );
        assert_eq!(entries[1].get(Num::FrameWidth), None);
    }

    #[test]
    fn media_is_told_by_the_codec_and_else_by_the_members() {
        let report = read(
            r#"[{"id":"1","type":"inbound-rtp","codecId":"C"},{"id":"2","type":"inbound-rtp","concealedSamples":0},
                {"id":"3","type":"inbound-rtp","ssrc":1},{"id":"C","type":"codec","mimeType":"video/VP8"}]"#,
        );
        let media: Vec<_> = report.of(StatsType::InboundRtp).map(|entry| entry.media()).collect();
        assert_eq!(media, [Some(MediaKind::Video), Some(MediaKind::Audio), None]);
    }

    #[test]
    fn a_callback_report_becomes_rows_of_the_spec_in_its_units() {
        let report = read(
            r#"[{"id":"ssrc_7_send","type":"ssrc","stats":{"ssrc":"7","mediaType":"audio","packetsSent":"50","packetsLost":"2",
                 "googRtt":"30","googCodecName":"opus","audioInputLevel":"32767"}},
                {"id":"ssrc_8_recv","type":"ssrc","stats":{"ssrc":"8","packetsReceived":"40","googJitterReceived":"12"}},
                {"id":"P","type":"googCandidatePair","stats":{"googActiveConnection":"true","googRtt":"25","googReadable":"true",
                 "googWritable":"true"}},
                {"id":"bweforvideo","type":"VideoBwe","stats":{"googAvailableSendBandwidth":"300000"}}]"#,
        );
        assert_eq!(report.skipped().bad_fields, 0);
        let one = |kind| report.of(kind).next().unwrap();
        let sent = one(StatsType::OutboundRtp);
        assert_eq!((sent.get(Num::PacketsSent), sent.get(Num::PacketsLost)), (Some(50.0), None));
        assert_eq!((sent.text(Text::MimeType), sent.get(Num::AudioLevel)), (Some("audio/opus"), Some(1.0)));
        let remote = one(StatsType::RemoteInboundRtp);
        assert_eq!((remote.get(Num::PacketsLost), remote.get(Num::RoundTripTime)), (Some(2.0), Some(0.03)));
        assert_eq!(remote.ssrc(), sent.ssrc());
        assert_eq!(one(StatsType::InboundRtp).get(Num::Jitter), Some(0.012));
        let pair = one(StatsType::CandidatePair);
        assert_eq!((pair.get(Num::CurrentRoundTripTime), pair.get(Num::RoundTripTime)), (Some(0.025), None));
        assert_eq!(pair.get(Num::AvailableOutgoingBitrate), Some(300_000.0));
        assert_eq!((pair.flag(Flag::Nominated), pair.flag(Flag::Selected)), (Some(true), Some(true)));
    }

    #[test]
    fn playout_times_of_both_epochs_are_unix_times() {
        for (written, meant) in [(4_004_333_915_218_u64, 1_795_345_115_218.0), (1_795_345_115_218, 1_795_345_115_218.0)]
        {
            let report = read(&format!(r#"[{{"type":"inbound-rtp","estimatedPlayoutTimestamp":{written}}}]"#));
            assert_eq!(report.get(0).unwrap().get(Num::EstimatedPlayoutTimestamp), Some(meant));
        }
    }

    #[test]
    fn jitter_in_ticks_is_counted_not_read() {
        for (jitter, read_as) in [("0.012", Some(0.012)), ("0", Some(0.0)), ("7", None), ("19272", None)] {
            let report = read(&format!(r#"[{{"type":"inbound-rtp","kind":"audio","jitter":{jitter}}}]"#));
            assert_eq!(report.get(0).unwrap().get(Num::Jitter), read_as);
            assert_eq!(report.skipped().bad_fields, u64::from(read_as.is_none()));
        }
    }

    #[test]
    fn the_first_of_two_rows_with_one_id_is_meant() {
        let rows: String = (0..40).map(|n| format!(r#"{{"id":"T","type":"track","frameWidth":{n}}},"#)).collect();
        let report = read(&format!(r#"[{rows}{{"type":"inbound-rtp","trackId":"T"}}]"#));
        assert_eq!(report.get(0).unwrap().get(Num::FrameWidth), Some(0.0));
    }
}
