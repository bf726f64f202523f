//! Converts what browsers wrote before the spec into the spec's rows: names, words, units and placement. It computes no
//! metrics.
//!
//! After folding, consumers of a report need to know only W3C webrtc-stats.

use alloc::string::String;

use crate::id::MediaKind;
use crate::ingest::unread::Unread;
use crate::report::{BadMember, Entry, EntryMut, Flag, Num, Report, RowId, StatsType, Text};

/// Milliseconds from 1900, the epoch of NTP, to 1970.
const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;

/// Times above this count from 1900 (then it is 2010), those below from 1970 (then it is 2080); milliseconds.
const SMALLEST_NTP_MS: f64 = NTP_TO_UNIX_MS + 1_262_304_000_000.0;

/// How the rows of a snapshot depend on its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Form {
    /// Each row holds the members of one entry, in the order of the entries.
    Plain,
    /// Rows were joined, completed, split or dropped.
    Folded,
}

/// Folds every row of a snapshot. Drops and counts rows that [say nothing](says_nothing), and counts in `unread` the
/// values that are no word of their member.
pub(in crate::ingest) fn fold(report: &mut Report, unread: &mut Unread) -> Form {
    let mut has = Has::default();
    for row in report.row_ids() {
        fold_row(report.row_mut(row), &mut has);
    }
    if has.odd_word {
        fold_words(report, unread);
    }
    if has.void {
        drop_void(report);
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
    if has == Has::default() { Form::Plain } else { Form::Folded }
}

/// Whether a row is no usable entry: it has no known type, or no member of it was read. Such a row must not count as
/// the presence of a stream, a path or a connection, because it may be an entry of a library with names of its own.
const fn says_nothing(entry: Entry<'_>) -> bool {
    let kind = entry.kind();
    matches!(kind, StatsType::Other) || kind.is_used() && !entry.has_members()
}

fn drop_void(report: &mut Report) {
    let mut skipped = report.skipped();
    report.retain(|entry| {
        let is_void = says_nothing(entry);
        if is_void {
            skipped.count_entry(entry.kind());
        }
        !is_void
    });
    *report.skipped_mut() = skipped;
}

/// The rarer steps that a snapshot needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Has {
    legacy: bool,
    track: bool,
    no_media: bool,
    /// A row that says nothing.
    void: bool,
    /// A value that is no word of its member.
    odd_word: bool,
}

/// A text member that has one of a few words as its value, and is interpreted: the type of its entries, and the words in
/// the order of their frequency. Sources: W3C webrtc-stats, webrtc and webrtc-ice, RFC 8445; `cancelled` and `inprogress`
/// are of old drafts.
struct WordMember {
    kind: StatsType,
    field: Text,
    words: &'static [&'static str],
}

const CANDIDATE_TYPES: &[&str] = &["host", "srflx", "prflx", "relay"];
const RELAY_PROTOCOLS: &[&str] = &["udp", "tcp", "tls"];
const WORD_MEMBERS: &[WordMember] = &[
    WordMember {
        kind: StatsType::Transport,
        field: Text::IceState,
        words: &["connected", "completed", "new", "checking", "disconnected", "failed", "closed"],
    },
    WordMember {
        kind: StatsType::Transport,
        field: Text::DtlsState,
        words: &["connected", "new", "connecting", "closed", "failed"],
    },
    WordMember {
        kind: StatsType::CandidatePair,
        field: Text::State,
        words: &["succeeded", "in-progress", "waiting", "frozen", "failed", "cancelled", "inprogress"],
    },
    WordMember { kind: StatsType::LocalCandidate, field: Text::CandidateType, words: CANDIDATE_TYPES },
    WordMember { kind: StatsType::RemoteCandidate, field: Text::CandidateType, words: CANDIDATE_TYPES },
    WordMember { kind: StatsType::LocalCandidate, field: Text::RelayProtocol, words: RELAY_PROTOCOLS },
];

impl WordMember {
    /// The value in an entry if it is no word of the member. Fillers, such as Pion's `unknown`, are no values.
    fn odd<'a>(&self, entry: Entry<'a>) -> Option<&'a str> {
        if entry.kind() != self.kind {
            return None;
        }
        let word = entry.text(self.field)?;
        (!self.words.contains(&word) && word != "unknown").then_some(word)
    }
}

/// Whether a member has one of a few words as its value.
pub(super) fn has_words(field: Text) -> bool {
    WORD_MEMBERS.iter().any(|member| member.field == field)
}

/// Replaces values that are a word of their member in other letters (Kotlin, Swift and Rust print `CONNECTED` or
/// `Connected`; no two words of a member differ only in case), and counts those that are none.
#[cold]
fn fold_words(report: &mut Report, unread: &mut Unread) {
    for row in report.row_ids() {
        for member in WORD_MEMBERS {
            let Some(word) = member.odd(report.row(row)) else { continue };
            match member.words.iter().find(|known| known.eq_ignore_ascii_case(word)) {
                Some(known) => _ = report.row_mut(row).set_text(member.field, known),
                None => unread.values.add(&alloc::format!("{}: {word}", member.field.name())),
            }
        }
    }
}

/// Corrections that need only one row.
pub(in crate::ingest) fn fold_row(mut entry: EntryMut<'_>, has: &mut Has) {
    let view = entry.view();
    let (kind, remote) = (view.kind(), view.flag(Flag::IsRemote) == Some(true));
    match kind {
        // Firefox before 68 and old Edge: the same type, marked as the remote endpoint's view.
        StatsType::InboundRtp if remote => drop(entry.set_kind(StatsType::RemoteInboundRtp)),
        StatsType::OutboundRtp if remote => drop(entry.set_kind(StatsType::RemoteOutboundRtp)),
        StatsType::LegacyLocalCandidate => fold_legacy_candidate(entry.set_kind(StatsType::LocalCandidate)),
        StatsType::LegacyRemoteCandidate => fold_legacy_candidate(entry.set_kind(StatsType::RemoteCandidate)),
        StatsType::LegacyComponent => drop(entry.set_kind(StatsType::Transport)),
        StatsType::LegacyCertificate => drop(entry.set_kind(StatsType::Certificate)),
        StatsType::LegacySsrc
        | StatsType::LegacyCandidatePair
        | StatsType::LegacyBwe
        | StatsType::LegacyTrack
        | StatsType::LegacySession => has.legacy = true,
        StatsType::Track => has.track = true,
        _ => {}
    }
    let view = entry.view();
    has.void |= says_nothing(view);
    if !view.kind().is_rtp() {
        has.odd_word |= WORD_MEMBERS.iter().any(|member| member.odd(view).is_some());
        return;
    }
    has.no_media |= view.media().is_none();
    // A jitter in seconds is never an integer of one or more; aiortc and others report ticks of the RTP clock.
    if let Some(jitter) = view.get(Num::Jitter)
        && jitter >= 1.0
        && libm::trunc(jitter) == jitter
    {
        entry.unset(Num::Jitter);
        entry.count_bad_field(BadMember::Num(Num::Jitter));
    }
    if let Some(playout) = entry.view().get(Num::EstimatedPlayoutTimestamp)
        && playout > SMALLEST_NTP_MS
    {
        entry.set(Num::EstimatedPlayoutTimestamp, playout - NTP_TO_UNIX_MS);
    }
}

/// Translates the callback API's candidate types into the spec's words.
fn fold_legacy_candidate(entry: &mut EntryMut<'_>) {
    let candidate = match entry.view().text(Text::CandidateType) {
        Some("local") => Some("host"),
        Some("stun" | "serverreflexive") => Some("srflx"),
        Some("peerreflexive") => Some("prflx"),
        Some("relayed") => Some("relay"),
        _ => None,
    };
    let network = match entry.view().text(Text::NetworkType) {
        Some("lan") => Some("ethernet"),
        Some("wlan") => Some("wifi"),
        Some("wwan") => Some("cellular"),
        _ => None,
    };
    for (field, word) in [(Text::CandidateType, candidate), (Text::NetworkType, network)] {
        if let Some(word) = word {
            entry.set_text(field, word);
        }
    }
}

/// Chromium's callback API: one row per SSRC combines both endpoints' views and the source; ids show the direction.
fn fold_legacy(report: &mut Report) {
    let mut estimates = [(Num::AvailableOutgoingBitrate, None), (Num::AvailableIncomingBitrate, None)];
    for row in report.row_ids() {
        let mut entry = report.row_mut(row);
        let view = entry.view();
        match view.kind() {
            StatsType::LegacySsrc => {
                if fold_legacy_ssrc(&mut entry) {
                    split_remote_view(report, row);
                    split_source(report, row);
                }
                split_codec(report, row);
            }
            StatsType::LegacyCandidatePair => {
                let (readable, writable) = (view.flag(Flag::Readable), view.flag(Flag::Writable));
                // Before the first response, the value is a constant of 3 s.
                let answered = view.get(Num::ResponsesReceived) != Some(0.0);
                let round_trip = view.get(Num::RoundTripTime).filter(|_| answered);
                entry.set_kind(StatsType::CandidatePair).unset(Num::RoundTripTime);
                if let (Some(readable), Some(writable)) = (readable, writable) {
                    entry.set_flag(Flag::Nominated, readable && writable);
                }
                if let Some(seconds) = round_trip {
                    entry.set(Num::CurrentRoundTripTime, seconds);
                }
            }
            StatsType::LegacyBwe => {
                // A value of 0 means no estimate: always so for the receive direction, because senders estimate.
                estimates = estimates.map(|(field, _)| (field, view.get(field).filter(|&estimate| estimate > 0.0)));
            }
            _ => {}
        }
    }
    let is_selected =
        |entry: Entry<'_>| entry.kind() == StatsType::CandidatePair && entry.flag(Flag::Selected) == Some(true);
    if let Some(selected) = report.row_ids().find(|&row| is_selected(report.row(row))) {
        let mut pair = report.row_mut(selected);
        for (field, estimate) in estimates {
            if let Some(estimate) = estimate {
                pair.set(field, estimate);
            }
        }
    }
    report.retain(|entry| {
        !matches!(entry.kind(), StatsType::LegacyBwe | StatsType::LegacyTrack | StatsType::LegacySession)
    });
}

/// Corrections that need only one SSRC's row. Returns true for a sent stream.
fn fold_legacy_ssrc(entry: &mut EntryMut<'_>) -> bool {
    let view = entry.view();
    let sent = match view.id().rsplit('_').next() {
        Some("send") => true,
        Some("recv") => false,
        _ => view.get(Num::PacketsSent).is_some(),
    };
    let media = view.media().or_else(|| media_of_members(view));
    let limits = (view.flag(Flag::BandwidthLimited), view.flag(Flag::CpuLimited));
    let screen = view.text(Text::ContentType) == Some("screen");
    entry.set_kind(if sent { StatsType::OutboundRtp } else { StatsType::InboundRtp });
    if let Some(media) = media {
        entry.set_media(media);
    }
    // A codec that is not chosen yet has an empty name; a chosen one has no media kind in its name.
    let mime = match (entry.view().text(Text::MimeType), media) {
        (Some(codec), Some(media)) if !codec.is_empty() && !codec.contains('/') => {
            Some(alloc::format!("{}/{codec}", media.name()))
        }
        (Some(codec), _) if codec.contains('/') => Some(codec.into()),
        _ => None,
    };
    set_or_unset(entry, Text::MimeType, mime.as_deref());
    let codec = entry.view().text(Text::DecoderImplementation).filter(|&name| name != "unknown").map(String::from);
    let (its_own, other) = if sent {
        (Text::EncoderImplementation, Text::DecoderImplementation)
    } else {
        (Text::DecoderImplementation, Text::EncoderImplementation)
    };
    set_or_unset(entry, its_own, codec.as_deref());
    entry.unset_text(other);
    // The spec's member exists only for screen content.
    set_or_unset(entry, Text::ContentType, screen.then_some("screenshare"));
    let reason = match limits {
        (Some(true), _) => Some("bandwidth"),
        (_, Some(true)) => Some("cpu"),
        (None, None) => None,
        _ => Some("none"),
    };
    if let Some(reason) = reason {
        entry.set_text(Text::QualityLimitationReason, reason);
    }
    entry.unset_flag(Flag::BandwidthLimited);
    entry.unset_flag(Flag::CpuLimited);
    sent
}

fn set_or_unset(entry: &mut EntryMut<'_>, field: Text, value: Option<&str>) {
    match value {
        Some(value) => drop(entry.set_text(field, value)),
        None => entry.unset_text(field),
    }
}

/// Moves the RTCP figures of a sent SSRC's row into a row of their own, as in the spec.
fn split_remote_view(report: &mut Report, row: RowId) {
    const OF_REMOTE: [Num; 3] = [Num::PacketsLost, Num::RoundTripTime, Num::Jitter];
    let remote = split(report, row, &OF_REMOTE, StatsType::RemoteInboundRtp, "_remote");
    if let (Some(remote), Some(ssrc)) = (remote, report.row(row).get(Num::Ssrc)) {
        report.row_mut(remote).set(Num::Ssrc, ssrc);
    }
}

/// Moves a sent SSRC's figures of the audio before encoding into a row of their own.
fn split_source(report: &mut Report, row: RowId) {
    const OF_SOURCE: [Num; 5] = [
        Num::AudioLevel,
        Num::TotalAudioEnergy,
        Num::TotalSamplesDuration,
        Num::EchoReturnLoss,
        Num::EchoReturnLossEnhancement,
    ];
    let Some(source) = split(report, row, &OF_SOURCE, StatsType::MediaSource, "_source") else { return };
    let id = String::from(report.row(source).id());
    if let Some(track) = report.row(row).text(Text::TrackIdentifier).map(String::from) {
        report.row_mut(source).set_text(Text::TrackIdentifier, &track);
    }
    report.row_mut(row).set_text(Text::MediaSourceId, &id);
}

/// Moves the codec of an SSRC's row into a row of its own.
fn split_codec(report: &mut Report, row: RowId) {
    let entry = report.row(row);
    let Some(mime) = entry.text(Text::MimeType).map(String::from) else { return };
    let id = alloc::format!("{}_codec", entry.id());
    let timestamp = entry.timestamp();
    report.push(StatsType::Codec, &id).set_timestamp(timestamp).set_text(Text::MimeType, &mime);
    let mut entry = report.row_mut(row);
    entry.set_text(Text::CodecId, &id);
    entry.unset_text(Text::MimeType);
}

/// Moves some members of a row into a new row of another type and returns that; `None` if there are none.
fn split(report: &mut Report, row: RowId, fields: &[Num], kind: StatsType, suffix: &str) -> Option<RowId> {
    let entry = report.row(row);
    if !has_any(entry, fields) {
        return None;
    }
    let id = alloc::format!("{}{suffix}", entry.id());
    let (media, timestamp) = (entry.media(), entry.timestamp());
    let new = report.add(kind, &id);
    report.row_mut(new).set_timestamp(timestamp);
    if let Some(media) = media {
        report.row_mut(new).set_media(media);
    }
    for &field in fields {
        if let Some(value) = report.row(row).get(field) {
            report.row_mut(new).set(field, value);
            report.row_mut(row).unset(field);
        }
    }
    Some(new)
}

/// Obsolete `track` rows: copies their figures into the RTP row that references them, where that lacks them.
fn fold_tracks(report: &mut Report) {
    report.sort_by_id(StatsType::Track);
    for row in report.row_ids() {
        let entry = report.row(row);
        if !matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) {
            continue;
        }
        if let Some(track) = entry.text(Text::TrackId).and_then(|id| report.sorted_row(id)) {
            report.fill_row(row, track);
        }
    }
    report.retain(|entry| entry.kind() != StatsType::Track);
}

/// Gives RTP rows without a `kind` that of their codec.
fn fill_media(report: &mut Report) {
    report.sort_by_id(StatsType::Codec);
    for row in report.row_ids() {
        let entry = report.row(row);
        if entry.media().is_some() || !entry.kind().is_rtp() {
            continue;
        }
        let codec = entry.text(Text::CodecId).and_then(|id| report.sorted_row(id)).map(|row| report.row(row));
        let media = codec.and_then(|codec| media_of_mime(codec.text(Text::MimeType)?));
        if let Some(media) = media.or_else(|| media_of_members(entry)) {
            report.row_mut(row).set_media(media);
        }
    }
}

/// The media kind at the start of a MIME type.
pub(crate) fn media_of_mime(mime: &str) -> Option<MediaKind> {
    match mime.split('/').next() {
        Some("audio") => Some(MediaKind::Audio),
        Some("video") => Some(MediaKind::Video),
        _ => None,
    }
}

/// The media kind implied by the members present.
fn media_of_members(entry: Entry<'_>) -> Option<MediaKind> {
    if has_any(entry, &[Num::FramesDecoded, Num::FramesEncoded, Num::FramesSent, Num::FramesReceived, Num::FrameWidth])
    {
        Some(MediaKind::Video)
    } else if has_any(entry, &[Num::TotalSamplesReceived, Num::ConcealedSamples, Num::AudioLevel]) {
        Some(MediaKind::Audio)
    } else {
        None
    }
}

fn has_any(entry: Entry<'_>, fields: &[Num]) -> bool {
    fields.iter().any(|&field| entry.get(field).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DtlsState, IceState};
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
        // The stream's own values take precedence.
        assert_eq!((entries[0].get(Num::FramesDecoded), entries[0].get(Num::FrameWidth)), (Some(7.0), Some(640.0)));
        assert_eq!(
            (entries[0].text(Text::ContentType), entries[0].flag(Flag::Ended)),
            (Some("screenshare"), Some(false))
        );
        assert_eq!(entries[1].get(Num::FrameWidth), None);
    }

    #[test]
    fn the_words_of_states_are_those_of_the_events() {
        let words = |field: Text| {
            let mut words = WORD_MEMBERS.iter().find(|member| member.field == field).unwrap().words.to_vec();
            words.sort_unstable();
            words
        };
        let mut ice: Vec<_> = IceState::ALL.iter().map(|state| state.name()).collect();
        let mut dtls: Vec<_> = DtlsState::ALL.iter().map(|state| state.name()).collect();
        ice.sort_unstable();
        dtls.sort_unstable();
        assert_eq!((words(Text::IceState), words(Text::DtlsState)), (ice, dtls));
    }

    #[test]
    fn media_kind_comes_from_the_codec_or_else_the_members() {
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
        let codec = sent.text(Text::CodecId).and_then(|id| report.by_id(id)).unwrap();
        assert_eq!((codec.kind(), codec.text(Text::MimeType)), (StatsType::Codec, Some("audio/opus")));
        let source = sent.text(Text::MediaSourceId).and_then(|id| report.by_id(id)).unwrap();
        assert_eq!((source.kind(), source.get(Num::AudioLevel)), (StatsType::MediaSource, Some(1.0)));
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
    fn the_first_of_two_rows_with_one_id_counts() {
        let rows: String = (0..40).map(|n| format!(r#"{{"id":"T","type":"track","frameWidth":{n}}},"#)).collect();
        let report = read(&format!(r#"[{rows}{{"type":"inbound-rtp","trackId":"T"}}]"#));
        assert_eq!(report.get(0).unwrap().get(Num::FrameWidth), Some(0.0));
    }
}
