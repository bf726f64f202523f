//! How fast cumulative members grow: the second column of the table of members. It sees no values.
//!
//! A member that grows faster than usual is believed when others do so, too, or when the next sample confirms it; one
//! that grows faster than possible, never ([`counter`](crate::metric::counter)). So what is usual need not be a limit of
//! nature: it should be high enough that real streams rarely exceed it, and low enough that a wild value does.

/// The growth of a cumulative member that needs no confirmation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// At once, for members that count a duration as a whole when it ends.
    once: f64,
    per_second: f64,
    /// How many times that it cannot grow.
    impossible: f64,
}

/// How many times its usual growth no member can exceed. For packets that is twice the rate of uncompressed 8K video
/// (SMPTE ST 2110-20), for bytes 100 Gbit/s.
const IMPOSSIBLE: f64 = 100.0;

impl Growth {
    pub(super) const ANY: Self = Self::per_second(f64::INFINITY);

    const fn per_second(per_second: f64) -> Self {
        Self { once: 0.0, per_second, impossible: IMPOSSIBLE }
    }

    /// The growth in a time, s, that needs no confirmation.
    pub(crate) const fn usual(self, seconds: f64) -> f64 {
        self.once + self.per_second * seconds
    }

    /// The largest possible growth in a time, s.
    pub(crate) const fn largest(self, seconds: f64) -> f64 {
        self.impossible * self.usual(seconds)
    }
}

/// 200 Mbit/s in packets of 250 bytes.
pub(super) const PACKETS: Growth = Growth::per_second(1e5);
/// 1 Gbit/s.
pub(super) const BYTES: Growth = Growth::per_second(1.25e8);
/// No display shows more than 240, and few cameras.
pub(super) const FRAMES: Growth = Growth::per_second(300.0);
/// Far above every sampling rate: after a sleep, seconds of samples may be played at once.
pub(super) const SAMPLES: Growth = Growth::per_second(4e7);
/// Samples that were made up, inserted or removed. WebRTC audio has up to 48 kHz; a quarter more, because counters and
/// times are not read at one moment.
pub(super) const REPAIRED_SAMPLES: Growth = Growth::per_second(60_000.0);
/// Each concerns a frame of at least 5 ms.
pub(super) const CONCEALMENTS: Growth = Growth::per_second(200.0);
/// Sums of what the jitter buffer aims at, or the output device adds: a second for each sample.
pub(super) const WAITS: Growth = Growth::per_second(60_000.0);
/// Sums of what each sample, frame or packet waited: ten seconds for each sample.
pub(super) const LONG_WAITS: Growth = Growth::per_second(600_000.0);
/// libwebrtc sends requests for retransmissions every 20 ms, and when a packet shows a loss.
pub(super) const NACKS: Growth = Growth::per_second(500.0);
/// Requests for a key frame, which libwebrtc sends every 200 ms at most; a server may pass on those of several receivers.
pub(super) const KEY_FRAME_REQUESTS: Growth = Growth::per_second(20.0);
/// A freeze lasts 150 ms at least (W3C: three frames, or one and 150 ms).
pub(super) const STALLS: Growth = Growth::per_second(10.0);
/// A freeze or a pause counts as a whole when it ends; a minute is long.
pub(super) const STALL_SECONDS: Growth = Growth { once: 60.0, ..Growth::per_second(1.25) };
/// Squares of the seconds between frames.
pub(super) const SQUARES: Growth = Growth { once: 3_600.0, ..Growth::per_second(100.0) };
/// Parts of the time; twice, because counters and times are not read at one moment.
pub(super) const SECONDS: Growth = Growth::per_second(2.0);
/// Frames are encoded and decoded by several threads, but not by more than these.
pub(super) const WORK_SECONDS: Growth = Growth { impossible: 1.0, ..Growth::per_second(16.0) };
/// Sums of what each packet waited to be sent, or each frame to be assembled.
pub(super) const SEND_SECONDS: Growth = Growth::per_second(500.0);
/// The largest quantizer is 255 (VP9, AV1).
pub(super) const QUANTIZERS: Growth = Growth::per_second(255.0 * 300.0);
/// A perfect picture has some 100 dB.
pub(super) const DECIBELS: Growth = Growth::per_second(100.0 * 300.0);
/// Round trips: RTCP measures a few times a second. Each takes up to a minute (`field::ROUND_TRIP`).
pub(super) const ROUND_TRIPS: Growth = Growth::per_second(100.0);
pub(super) const ROUND_TRIP_SECONDS: Growth = Growth { once: 60.0, ..Growth::per_second(60.0) };
/// Connectivity checks, reports, changes: rare events, in bursts while a connection is set up.
pub(super) const EVENTS: Growth = Growth::per_second(1_000.0);
