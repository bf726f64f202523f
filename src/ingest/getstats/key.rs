//! The table of member names and of the targets of their values, shared by all readers. It reads no values.
//!
//! Spec names come from the declared fields of [`crate::report`]. The rows here add other names in use: those of
//! Chromium's callback API, with the factor to the spec's unit; the numeric codes of rtcstats; and common members that
//! the engine does not use, so that the scanner can predict and skip them.

mod code;

pub(in crate::ingest) use code::consume_code_after;

use alloc::string::String;

use super::json::Cursor;
use crate::report::{Flag, Num, Text};
use code::{name_of_code, of_code};

/// The target of a member's value. Two bytes, because it is read for every member and stays in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Target {
    /// A numeric member.
    Num(Num),
    /// A numeric member, in another unit.
    Scaled(Scaled),
    Text(Text),
    Flag(Flag),
    /// `id`, or `key` beside `value`.
    Id,
    /// `type`.
    Type,
    /// `kind`, `mediaType`.
    Kind,
    /// `timestamp`.
    Timestamp,
    /// An object of numbers: the members that its names, listed in [`Nested`], fill.
    Nested(Nested),
    /// An object with the entry's members, or a list of such objects: `stats` of old callback reports, `value` beside
    /// `key`, `values` of Flutter and React Native.
    Inline,
    /// A round-trip time in milliseconds: from RTCP on an RTP entry, from STUN on a pair.
    LegacyRtt,
    /// The codec's name without its media kind.
    LegacyCodec,
    /// Not used.
    Skip,
}

/// Numbers that Chromium's callback API reports in another unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Scaled {
    /// As a 16-bit integer.
    AudioLevel,
    /// In milliseconds.
    Jitter,
}

impl Scaled {
    pub(in crate::ingest) const fn field(self) -> Num {
        match self {
            Self::AudioLevel => Num::AudioLevel,
            Self::Jitter => Num::Jitter,
        }
    }

    /// The factor to the spec's unit.
    pub(in crate::ingest) const fn factor(self) -> f64 {
        match self {
            Self::AudioLevel => 1.0 / 32_767.0,
            Self::Jitter => 1e-3,
        }
    }
}

/// Members that are objects of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Nested {
    QualityLimitationDurations,
    PsnrSum,
}

impl Nested {
    /// The field for a member of the object.
    pub(in crate::ingest) fn field(self, name: &str) -> Option<Num> {
        Some(match (self, name) {
            (Self::QualityLimitationDurations, "none") => Num::QualityLimitedNone,
            (Self::QualityLimitationDurations, "cpu") => Num::QualityLimitedCpu,
            (Self::QualityLimitationDurations, "bandwidth") => Num::QualityLimitedBandwidth,
            (Self::QualityLimitationDurations, "other") => Num::QualityLimitedOther,
            (Self::PsnrSum, "y") => Num::PsnrSumY,
            (Self::PsnrSum, "u") => Num::PsnrSumU,
            (Self::PsnrSum, "v") => Num::PsnrSumV,
            _ => return None,
        })
    }
}

/// An index into the table of names.
pub(in crate::ingest) type Key = u8;

/// No key: the end of a prediction.
pub(in crate::ingest) const NO_KEY: Key = Key::MAX;

/// Table length with a row for every possible [`Key`].
pub(in crate::ingest) const KEYS_AND_NONE: usize = NO_KEY as usize + 1;

/// Names that are not declared fields, grouped by origin.
const EXTRA: &[(&str, Target)] = &[
    ("id", Target::Id),
    ("type", Target::Type),
    ("kind", Target::Kind),
    ("timestamp", Target::Timestamp),
    ("qualityLimitationDurations", Target::Nested(Nested::QualityLimitationDurations)),
    ("psnrSum", Target::Nested(Nested::PsnrSum)),
    // rtcstats' `timestamp`
    ("t", Target::Timestamp),
    // older spec drafts
    ("mediaType", Target::Kind),
    ("discardedPackets", Target::Num(Num::PacketsDiscarded)),
    // wrappers around an entry's members
    ("key", Target::Id),
    ("value", Target::Inline),
    ("stats", Target::Inline),
    ("values", Target::Inline),
    // common and unused
    ("address", Target::Skip),
    ("base64Certificate", Target::Skip),
    ("codecType", Target::Skip),
    ("dataChannelIdentifier", Target::Skip),
    ("dtlsCipher", Target::Skip),
    ("fingerprint", Target::Skip),
    ("fingerprintAlgorithm", Target::Skip),
    ("foundation", Target::Skip),
    ("googTimingFrameInfo", Target::Skip),
    ("ip", Target::Skip),
    ("label", Target::Skip),
    ("localCertificateId", Target::Skip),
    ("port", Target::Skip),
    ("priority", Target::Skip),
    ("relatedAddress", Target::Skip),
    ("relatedPort", Target::Skip),
    ("remoteCertificateId", Target::Skip),
    ("srtpCipher", Target::Skip),
    ("tlsVersion", Target::Skip),
    ("totalSquaredCorruptionProbability", Target::Skip),
    ("url", Target::Skip),
    // Chromium's callback API: numbers as strings, milliseconds, 16-bit levels
    ("audioInputLevel", Target::Scaled(Scaled::AudioLevel)),
    ("audioOutputLevel", Target::Scaled(Scaled::AudioLevel)),
    ("codecImplementationName", Target::Text(Text::DecoderImplementation)),
    ("googActiveConnection", Target::Flag(Flag::Selected)),
    ("googAvailableReceiveBandwidth", Target::Num(Num::AvailableIncomingBitrate)),
    ("googAvailableSendBandwidth", Target::Num(Num::AvailableOutgoingBitrate)),
    ("googChannelId", Target::Text(Text::TransportId)),
    ("googCodecName", Target::LegacyCodec),
    ("googContentType", Target::Text(Text::ContentType)),
    ("googEchoCancellationReturnLoss", Target::Num(Num::EchoReturnLoss)),
    ("googEchoCancellationReturnLossEnhancement", Target::Num(Num::EchoReturnLossEnhancement)),
    ("googFirsReceived", Target::Num(Num::FirCount)),
    ("googFirsSent", Target::Num(Num::FirCount)),
    ("googFrameHeightReceived", Target::Num(Num::FrameHeight)),
    ("googFrameHeightSent", Target::Num(Num::FrameHeight)),
    ("googFrameRateReceived", Target::Num(Num::FramesPerSecond)),
    ("googFrameRateSent", Target::Num(Num::FramesPerSecond)),
    ("googFrameWidthReceived", Target::Num(Num::FrameWidth)),
    ("googFrameWidthSent", Target::Num(Num::FrameWidth)),
    ("googJitterReceived", Target::Scaled(Scaled::Jitter)),
    ("googNacksReceived", Target::Num(Num::NackCount)),
    ("googNacksSent", Target::Num(Num::NackCount)),
    ("googPlisReceived", Target::Num(Num::PliCount)),
    ("googPlisSent", Target::Num(Num::PliCount)),
    ("googReadable", Target::Flag(Flag::Readable)),
    ("googRtt", Target::LegacyRtt),
    ("googTargetEncBitrate", Target::Num(Num::TargetBitrate)),
    ("googTrackId", Target::Text(Text::TrackIdentifier)),
    ("googTransportType", Target::Text(Text::Protocol)),
    ("googWritable", Target::Flag(Flag::Writable)),
    ("transport", Target::Text(Text::Protocol)),
];

/// The number of names.
pub(in crate::ingest) const COUNT: usize = Num::COUNT + Text::COUNT + Flag::COUNT + EXTRA.len();
const _: () = assert!(COUNT < NO_KEY as usize);

/// The name and target of a key.
const fn row(key: usize) -> (&'static str, Target) {
    if key < EXTRA.len() {
        return EXTRA[key];
    }
    let key = key - EXTRA.len();
    if key < Num::COUNT {
        return (Num::ALL[key].name(), Target::Num(Num::ALL[key]));
    }
    let key = key - Num::COUNT;
    if key < Text::COUNT {
        return (Text::ALL[key].name(), Target::Text(Text::ALL[key]));
    }
    let key = key - Text::COUNT;
    (Flag::ALL[key].name(), Target::Flag(Flag::ALL[key]))
}

/// A key's name as it appears in text, and its target: one cache line.
#[repr(align(64))]
pub(in crate::ingest) struct Known {
    token: Token,
    pub(in crate::ingest) target: Target,
}

/// Every key; unused rows never match, so that any [`Key`] is a valid index.
pub(in crate::ingest) static KEYS: [Known; KEYS_AND_NONE] = {
    let mut keys = [const { Known { token: Token::NEVER, target: Target::Skip } }; KEYS_AND_NONE];
    let mut key = 0;
    while key < COUNT {
        let (name, target) = row(key);
        keys[key] = Known { token: Token::of(name), target };
        key += 1;
    }
    keys
};

impl Known {
    /// The number of bytes of text that a comparison reads.
    const WINDOW: usize = Token::WORDS * 8;

    /// Consumes `"name":` if it comes next. Never matches names longer than 37 bytes, nor any name near the end of the
    /// text.
    #[inline(always)]
    pub(in crate::ingest) fn consume(&self, cursor: &mut Cursor<'_>) -> bool {
        let len = cursor.window().and_then(|text| self.at_start_of(text));
        cursor.pos += len.unwrap_or(0);
        len.is_some()
    }

    /// Like [`Self::consume`], for `lead` followed by the name.
    #[inline(always)]
    pub(in crate::ingest) fn consume_after(&self, lead: u8, cursor: &mut Cursor<'_>) -> bool {
        let Some([first, rest @ ..]) = cursor.window::<{ 1 + Self::WINDOW }>() else { return false };
        if *first != lead {
            return false;
        }
        let Some(len) = self.at_start_of(rest) else { return false };
        cursor.pos += 1 + len;
        true
    }

    /// The length of `"name":` if `text` begins with it.
    #[inline(always)]
    fn at_start_of(&self, text: &[u8; Self::WINDOW]) -> Option<usize> {
        let mut difference = 0;
        let (chunks, _) = text.as_chunks::<8>();
        for ((chunk, word), mask) in chunks.iter().zip(&self.token.words).zip(MASKS.get(usize::from(self.token.len))?) {
            difference |= u64::from_le_bytes(*chunk) & mask ^ word;
        }
        (difference == 0).then_some(usize::from(self.token.len))
    }
}

/// `"name":` in five words, to compare with text at once.
struct Token {
    words: [u64; Self::WORDS],
    /// One more than [`Known::WINDOW`] if the name is too long.
    len: u8,
}

impl Token {
    const WORDS: usize = 5;

    /// Matches no text.
    const NEVER: Self = Self { words: [0; Self::WORDS], len: Known::WINDOW as u8 + 1 };

    const fn of(name: &str) -> Self {
        let name = name.as_bytes();
        let len = name.len() + 3;
        if len > Known::WINDOW {
            return Self::NEVER;
        }
        let mut token = Self { words: [0; Self::WORDS], len: len as u8 };
        let mut at = 0;
        while at < len {
            let byte = if at == 0 || at == len - 2 {
                b'"'
            } else if at == len - 1 {
                b':'
            } else {
                name[at - 1]
            };
            token.words[at / 8] |= (byte as u64) << (at % 8 * 8);
            at += 1;
        }
        token
    }
}

/// For every length of a token, the mask of the bytes to compare.
static MASKS: [[u64; Token::WORDS]; Known::WINDOW + 1] = {
    let mut masks = [[0; Token::WORDS]; Known::WINDOW + 1];
    let mut len = 0;
    while len <= Known::WINDOW {
        let mut at = 0;
        while at < len {
            masks[len][at / 8] |= 0xff << (at % 8 * 8);
            at += 1;
        }
        len += 1;
    }
    masks
};

const SLOTS: usize = 1024;

/// An open-addressed table from names to keys, built at compile time.
static SLOT_KEYS: [Key; SLOTS] = {
    let mut slots = [NO_KEY; SLOTS];
    let mut key = 0;
    while key < COUNT {
        let mut slot = hash(row(key).0.as_bytes());
        while slots[slot] != NO_KEY {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = key as Key;
        key += 1;
    }
    slots
};

static NAMES: [&str; COUNT] = {
    let mut names = [""; COUNT];
    let mut key = 0;
    while key < COUNT {
        names[key] = row(key).0;
        key += 1;
    }
    names
};

/// The slot of a name, from its length and its first, middle and last eight bytes.
#[inline]
pub(super) const fn hash(name: &[u8]) -> usize {
    let (head, middle, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            let (_, after) = name.split_at((name.len() - 8) / 2);
            let middle = match after.first_chunk::<8>() {
                Some(middle) => middle,
                None => head,
            };
            (u64::from_le_bytes(*head), u64::from_le_bytes(*middle), u64::from_le_bytes(*tail))
        }
        _ => {
            let (mut word, mut at) = (0, 0);
            while at < name.len() {
                word = word << 8 | name[at] as u64;
                at += 1;
            }
            (word, 0, 0)
        }
    };
    let mixed = (head ^ middle.rotate_left(17) ^ tail.rotate_left(39) ^ name.len() as u64).wrapping_mul(SPREAD);
    (mixed >> (u64::BITS - SLOTS.ilog2())) as usize
}

/// 2⁶⁴ divided by the golden ratio: the upper bits of the product depend on all bits of the factor.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The key of a member name, of its rtcstats code, or of a name that is written `packets_lost` or `packets-lost`; `None`
/// for names outside the table.
#[inline]
pub(in crate::ingest) fn find(name: &str) -> Option<Key> {
    let mut slot = hash(name.as_bytes());
    loop {
        let key = SLOT_KEYS[slot];
        match NAMES.get(usize::from(key)) {
            Some(&known) if known == name => return Some(key),
            Some(_) => slot = (slot + 1) % SLOTS,
            None => return of_code(name).or_else(|| of_separated(name)),
        }
    }
}

/// The key of a name whose words are separated, as Rust, Python and GStreamer write them.
#[cold]
fn of_separated(name: &str) -> Option<Key> {
    let is_separator = |c: char| matches!(c, '_' | '-');
    if name.len() > LONGEST || !name.contains(is_separator) {
        return None;
    }
    let mut words = name.split(is_separator);
    let mut joined = String::from(words.next()?);
    for word in words {
        let (first, rest) = word.split_at_checked(1)?;
        joined.extend(first.chars().map(|c| c.to_ascii_uppercase()));
        joined.push_str(rest);
    }
    find(&joined)
}

/// Longer than any name of the table, bytes.
const LONGEST: usize = 64;

/// Whether a name outside the table is that of a member that browsers write and the engine does not use.
pub(in crate::ingest) fn is_unused(name: &str) -> bool {
    let name = name_of_code(name).unwrap_or(name);
    name.starts_with("goog") || UNUSED.binary_search(&name).is_ok()
}

/// Members that browsers write and the engine does not use, besides those of Chromium's callback API, whose names begin
/// with `goog`: they are not reported as unread. Sorted. Sources: W3C webrtc-stats and its list of obsolete members,
/// webrtc-provisional-stats, and the reports of Chromium, Firefox, Safari and old Edge.
static UNUSED: &[&str] = &[
    "aecDivergentFilterFraction",
    "associateStatsId",
    "audioLevelSum",
    "averageRtcpInterval",
    "bandwidthEstimations",
    "bitrateMean",
    "bitrateStdDev",
    "burstDiscardCount",
    "burstDiscardRate",
    "burstLossCount",
    "burstLossRate",
    "burstPacketsDiscarded",
    "burstPacketsLost",
    "circuitBreakerTriggerCount",
    "componentId",
    "congestionWindow",
    "consentExpiredTimestamp",
    "consentRequestBytesSent",
    "contributorSsrc",
    "csrcCount",
    "currentScreenSharing",
    "dataChannelsAccepted",
    "dataChannelsRequested",
    "datachannelid",
    "deleted",
    "estimatedPlayoutDelay",
    "fecPacketsSent",
    "firstRequestTimestamp",
    "framerateMean",
    "framerateStdDev",
    "framesCorrupted",
    "fullFramesLost",
    "gapDiscardRate",
    "gapLossRate",
    "hidden",
    "inboundRtpId",
    "ipAddress",
    "issuerCertificateId",
    "lastRequestTimestamp",
    "lastResponseTimestamp",
    "localCandidateIds",
    "mediaStreamIds",
    "mediaTrackId",
    "minPlayoutDelay",
    "mozRtt",
    "msType",
    "mtu",
    "networkAdapterType",
    "outboundRtpId",
    "packetsDuplicated",
    "packetsFailedDecryption",
    "packetsRepaired",
    "packetsWithBleachedEct1Marking",
    "partialFramesLost",
    "perDscpPacketsReceived",
    "perDscpPacketsSent",
    "portNumber",
    "proxied",
    "receiverId",
    "receiverWindow",
    "relayedSource",
    "remoteStreamIds",
    "rtcpTransportStatsId",
    "rttVariation",
    "samplesEncodedWithCelt",
    "samplesEncodedWithSilk",
    "sctpTransportId",
    "senderId",
    "sliCount",
    "smoothedRoundTripTime",
    "srtcpIndex",
    "streamIdentifier",
    "streamIds",
    "stunKeepaliveRequestsSent",
    "stunKeepaliveResponsesReceived",
    "stunKeepaliveRttSquaredTotal",
    "stunKeepaliveRttTotal",
    "totalAvailableSendDelay",
    "totalFrames",
    "totalSamplesDecoded",
    "totalSamplesSent",
    "track.deliveredFrames",
    "track.discardedFrames",
    "track.totalFrames",
    "trackIds",
    "unackData",
    "usedHeaderExtension",
    "voiceActivityFlag",
    "vpn",
];

/// The key in the first slot of a name; usually it is the name's own key, if it has one.
#[inline(always)]
pub(in crate::ingest) fn in_slot_of(name: &str) -> Key {
    SLOT_KEYS[hash(name.as_bytes())]
}

/// The target of a member with this name; `None` for names outside the table.
#[cfg(feature = "serde")]
pub(in crate::ingest) fn target(name: &str) -> Option<Target> {
    find(name).map(|key| KEYS[usize::from(key)].target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::format;

    #[test]
    fn every_name_is_found_and_none_is_listed_twice() {
        let mut seen = HashSet::new();
        for key in 0..COUNT {
            let (name, _) = row(key);
            assert!(seen.insert(name), "{name} is listed twice");
            assert_eq!(find(name).map(usize::from), Some(key), "{name}");
        }
        assert_eq!(find("packetsTeleported"), None);
        for name in ["packets_lost", "packets-lost", "packets_Lost"] {
            assert_eq!(find(name), find("packetsLost"));
        }
        assert_eq!(["_", "-a", "packets__lost", "packets_lost_", "é_é"].map(find), [None; 5]);
    }

    #[test]
    fn no_unused_name_is_in_the_table_or_out_of_order() {
        assert!(UNUSED.is_sorted_by(|a, b| a < b), "{UNUSED:?}");
        assert_eq!(UNUSED.iter().find(|name| find(name).is_some()), None);
        assert!(is_unused("vpn") && is_unused("googExpandRate") && !is_unused("packets_received"));
    }

    #[test]
    fn a_token_begins_its_own_text_and_no_other() {
        for key in 0..COUNT {
            let (name, _) = row(key);
            let token = format!("\"{name}\":");
            let mut text = [b' '; Known::WINDOW];
            let begun = (0..COUNT).filter(|&other| {
                let len = token.len().min(text.len());
                text[..len].copy_from_slice(&token.as_bytes()[..len]);
                KEYS[other].at_start_of(&text).inspect(|&len| assert_eq!(len, token.len())).is_some()
            });
            let expected: &[usize] = if token.len() <= Known::WINDOW { &[key] } else { &[] };
            assert_eq!(begun.collect::<std::vec::Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn a_key_fits_a_cache_line() {
        assert_eq!((size_of::<Known>(), size_of::<Target>()), (64, 2));
    }
}
