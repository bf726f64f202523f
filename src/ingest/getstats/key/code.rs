//! The numeric codes that rtcstats writes instead of the names of members.

use super::{Key, NAMES, NO_KEY, SLOT_KEYS, SLOTS, hash};
use crate::ingest::getstats::json::Cursor;

/// The key of a property with a numeric rtcstats code.
pub(super) fn of_code(name: &str) -> Option<Key> {
    CODE_KEYS.get(place_of_code(name)?).copied().filter(|&key| key != NO_KEY)
}

/// The name of a property with a numeric rtcstats code.
pub(super) fn name_of_code(name: &str) -> Option<&'static str> {
    CODES.get(place_of_code(name)?).copied()
}

/// The place of a numeric rtcstats code in [`CODES`].
fn place_of_code(name: &str) -> Option<usize> {
    if !name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let code: usize = name.parse().ok()?;
    code.checked_sub(FIRST_CODE)
}

/// Consumes `lead`, a numeric rtcstats code in quotes and its colon, if they come next without white space and the table
/// has the code's member.
#[inline(always)]
pub(in crate::ingest) fn consume_code_after(lead: u8, cursor: &mut Cursor<'_>) -> Option<Key> {
    let text = cursor.window::<7>()?;
    if text[..2] != [lead, b'"'] {
        return None;
    }
    let digits = text[2..5].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let code = text[2..2 + digits].iter().fold(0, |code, &digit| 10 * code + usize::from(digit - b'0'));
    if digits == 0 || text[2 + digits..4 + digits] != *b"\":" {
        return None;
    }
    let key = CODE_KEYS.get(code.checked_sub(FIRST_CODE)?).copied().filter(|&key| key != NO_KEY)?;
    cursor.pos += 4 + digits;
    Some(key)
}

/// The key of each code; [`NO_KEY`] for members that the table lacks.
static CODE_KEYS: [Key; CODES.len()] = {
    let mut keys = [NO_KEY; CODES.len()];
    let mut code = 0;
    while code < CODES.len() {
        let name = CODES[code].as_bytes();
        let mut slot = hash(name);
        while SLOT_KEYS[slot] != NO_KEY && keys[code] == NO_KEY {
            if is_equal(name, NAMES[SLOT_KEYS[slot] as usize].as_bytes()) {
                keys[code] = SLOT_KEYS[slot];
            }
            slot = (slot + 1) % SLOTS;
        }
        code += 1;
    }
    keys
};

const fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

const FIRST_CODE: usize = 4;

/// Property names by rtcstats' numeric codes, from 4 on (github.com/rtcstats/rtcstats, `compression.js`). Empty for
/// unused codes.
const CODES: &[&str] = &[
    "payloadType",
    "transportId",
    "mimeType",
    "clockRate",
    "channels",
    "sdpFmtpLine",
    "ssrc",
    "kind",
    "codecId",
    "",
    "packetsReceived",
    "packetsLost",
    "jitter",
    "trackIdentifier",
    "mid",
    "remoteId",
    "framesDecoded",
    "keyFramesDecoded",
    "framesDropped",
    "frameWidth",
    "frameHeight",
    "framesPerSecond",
    "qpSum",
    "totalDecodeTime",
    "totalInterFrameDelay",
    "totalSquaredInterFrameDelay",
    "pauseCount",
    "totalPausesDuration",
    "freezeCount",
    "totalFreezesDuration",
    "lastPacketReceivedTimestamp",
    "headerBytesReceived",
    "packetsDiscarded",
    "fecPacketsReceived",
    "fecPacketsDiscarded",
    "fecBytesReceived",
    "fecSsrc",
    "bytesReceived",
    "nackCount",
    "firCount",
    "pliCount",
    "totalProcessingDelay",
    "estimatedPlayoutTimestamp",
    "jitterBufferDelay",
    "jitterBufferTargetDelay",
    "jitterBufferEmittedCount",
    "jitterBufferMinimumDelay",
    "totalSamplesReceived",
    "concealedSamples",
    "silentConcealedSamples",
    "concealmentEvents",
    "insertedSamplesForDeceleration",
    "removedSamplesForAcceleration",
    "audioLevel",
    "totalAudioEnergy",
    "totalSamplesDuration",
    "framesReceived",
    "decoderImplementation",
    "playoutId",
    "powerEfficientDecoder",
    "framesAssembledFromMultiplePackets",
    "totalAssemblyTime",
    "contentType",
    "googTimingFrameInfo",
    "retransmittedPacketsReceived",
    "retransmittedBytesReceived",
    "rtxSsrc",
    "totalCorruptionProbability",
    "totalSquaredCorruptionProbability",
    "corruptionMeasurements",
    "localId",
    "roundTripTime",
    "totalRoundTripTime",
    "fractionLost",
    "roundTripTimeMeasurements",
    "packetsSent",
    "bytesSent",
    "mediaSourceId",
    "rid",
    "encodingIndex",
    "headerBytesSent",
    "retransmittedPacketsSent",
    "retransmittedBytesSent",
    "targetBitrate",
    "totalEncodedBytesTarget",
    "framesSent",
    "hugeFramesSent",
    "framesEncoded",
    "keyFramesEncoded",
    "totalEncodeTime",
    "totalPacketSendDelay",
    "qualityLimitationReason",
    "qualityLimitationDurations",
    "qualityLimitationResolutionChanges",
    "encoderImplementation",
    "powerEfficientEncoder",
    "active",
    "scalabilityMode",
    "remoteTimestamp",
    "reportsSent",
    "echoReturnLoss",
    "echoReturnLossEnhancement",
    "width",
    "height",
    "frames",
    "synthesizedSamplesDuration",
    "synthesizedSamplesEvents",
    "totalPlayoutDelay",
    "totalSamplesCount",
    "dataChannelsOpened",
    "dataChannelsClosed",
    "label",
    "protocol",
    "dataChannelIdentifier",
    "state",
    "messagesSent",
    "messagesReceived",
    "iceRole",
    "iceLocalUsernameFragment",
    "dtlsState",
    "iceState",
    "selectedCandidatePairId",
    "localCertificateId",
    "remoteCertificateId",
    "tlsVersion",
    "dtlsCipher",
    "dtlsRole",
    "srtpCipher",
    "selectedCandidatePairChanges",
    "rtcpTransportStatsId",
    "address",
    "port",
    "candidateType",
    "priority",
    "url",
    "relayProtocol",
    "foundation",
    "relatedAddress",
    "relatedPort",
    "usernameFragment",
    "tcpType",
    "networkType",
    "",
    "",
    "localCandidateId",
    "remoteCandidateId",
    "nominated",
    "lastPacketSentTimestamp",
    "currentRoundTripTime",
    "availableOutgoingBitrate",
    "availableIncomingBitrate",
    "requestsReceived",
    "requestsSent",
    "responsesReceived",
    "responsesSent",
    "consentRequestsSent",
    "packetsDiscardedOnSend",
    "bytesDiscardedOnSend",
    "",
    "fingerprint",
    "fingerprintAlgorithm",
    "base64Certificate",
    "issuerCertificateId",
    "psnrMeasurements",
    "psnrSum",
    "packetsReceivedWithEct1",
    "packetsReceivedWithCe",
    "packetsReportedAsLost",
    "packetsReportedAsLostButRecovered",
    "packetsWithBleachedEct1Marking",
    "packetsSentWithEct1",
    "ccfbMessagesSent",
    "ccfbMessagesReceived",
];

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use std::format;

    #[test]
    fn codes_match_the_list_of_rtcstats() {
        // Spot checks against the reference; a shift by one row would affect all rows after it.
        for (code, name) in [
            (4, "payloadType"),
            (10, "ssrc"),
            (14, "packetsReceived"),
            (41, "bytesReceived"),
            (58, "totalAudioEnergy"),
            (79, "packetsSent"),
            (96, "qualityLimitationDurations"),
            (118, "state"),
            (148, "localCandidateId"),
            (153, "availableOutgoingBitrate"),
            (163, "fingerprint"),
            (176, "ccfbMessagesReceived"),
        ] {
            assert_eq!(CODES[code - FIRST_CODE], name);
            assert_eq!(find(&format!("{code}")), find(name));
        }
        assert_eq!(CODES.len() + FIRST_CODE, 177);
        assert_eq!([find("0"), find("3"), find("13"), find("177"), find("99999999999999999999")], [None; 5]);
    }
}
