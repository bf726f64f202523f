//! Decodes bytes as numbers and snapshots.

use callgauge::id::MediaKind;
use callgauge::report::{Flag, Num, Report, StatsType, Text};
use callgauge::unit::StatTime;

/// The remaining bytes; 0 after the last one.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Bytes<'_> {
    pub(super) fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.next()) % limit
    }

    /// Mostly small numbers, and some that no counter should have.
    pub(super) fn number(&mut self) -> f64 {
        match self.next() {
            250 => -1.0,
            251 => 1e300,
            252 => 9_007_199_254_740_993.0,
            253 => 4_294_967_295.0,
            254 => 0.5,
            255 => 0.0,
            small => f64::from(small) * f64::from(self.next() / 16 + 1),
        }
    }
}

/// Snapshots of one connection with continuing counters.
#[derive(Default)]
pub(super) struct Snapshots {
    report: Report,
    counters: [f64; 4],
}

impl Snapshots {
    /// Up to four streams with a few members each.
    pub(super) fn fill(&mut self, ms: u64, bytes: &mut Bytes<'_>) -> &Report {
        const MEMBERS: &[Num] = &[
            Num::PacketsLost,
            Num::PacketsDiscarded,
            Num::Jitter,
            Num::JitterBufferDelay,
            Num::JitterBufferEmittedCount,
            Num::TotalAudioEnergy,
            Num::TotalSamplesDuration,
            Num::TotalSamplesReceived,
            Num::ConcealedSamples,
            Num::SilentConcealedSamples,
            Num::ConcealmentEvents,
            Num::RemovedSamplesForAcceleration,
            Num::FramesDecoded,
            Num::FramesPerSecond,
            Num::QpSum,
            Num::FrameWidth,
            Num::FrameHeight,
            Num::FreezeCount,
            Num::TotalFreezesDuration,
            Num::RoundTripTime,
        ];
        self.report.clear();
        let at = StatTime::from_millis(1e12 + ms as f64 - f64::from(bytes.next() / 8) * 100.0);
        for (stream, counter) in self.counters.iter_mut().enumerate().take(1 + bytes.below(4)) {
            let outbound = stream % 2 == 1;
            let kind = if outbound { StatsType::OutboundRtp } else { StatsType::InboundRtp };
            let mut entry = self.report.push(kind, ["I1", "O1", "I2", "O2"][stream]);
            let media = if bytes.next() % 32 < 16 { MediaKind::Audio } else { MediaKind::Video };
            entry.set_timestamp(at).set_media(media).set(Num::Ssrc, stream as f64);
            entry.set_text(Text::CodecId, ["C0", "C1"][stream / 2]).set_flag(Flag::Active, bytes.below(16) > 0);
            *counter += f64::from(bytes.next());
            let (packets, size) =
                if outbound { (Num::PacketsSent, Num::BytesSent) } else { (Num::PacketsReceived, Num::BytesReceived) };
            entry.set(packets, *counter).set(size, *counter * 100.0);
            for _ in 0..bytes.below(6) {
                let member = MEMBERS[bytes.below(MEMBERS.len())];
                entry.set(member, bytes.number());
            }
        }
        for (id, mime) in [("C0", "audio/opus"), ("C1", "video/VP8")] {
            self.report.push(StatsType::Codec, id).set_text(Text::MimeType, mime);
        }
        &self.report
    }
}

/// A state in the frame of a saved one, with a checksum that fits: as if it had been modified deliberately.
pub(super) fn frame(saved: &[u8], state: &[u8]) -> Vec<u8> {
    let mut bytes = [&saved[..4], state].concat();
    let mut crc = flate2::Crc::new();
    crc.update(state);
    bytes.extend(crc.sum().to_le_bytes());
    bytes
}
