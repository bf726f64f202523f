//! The table of what can go wrong, with the limits of each and where they come from.

use super::Severity;

/// Declares the kinds: the enum, and beside every name its figures, limits and source.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $variant:ident $name:literal $severity:ident $figure:literal $worst:literal
        raise $raise:literal clear $clear:literal severe $severe:literal
        over $smoothing:literal after $after:literal calm $calm:literal settled $settling:literal
        $source:literal;
    )*) => {
        /// What went wrong, and the limits for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind {
            $(
                $(#[$doc])*
                #[doc = ""]
                #[doc = concat!(
                    "`", $figure, "`: raised from ", stringify!($raise), " on, cleared below ", stringify!($clear),
                    ", severe from ", stringify!($severe), ". ", $source,
                )]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $variant,
            )*
        }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The word in outputs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name of the figure that is compared with the limits. In evidence it is the mean over the diagnosis.
            #[must_use]
            pub const fn figure(self) -> &'static str {
                match self { $(Self::$variant => $figure,)* }
            }

            /// The name of the same figure at its worst.
            #[must_use]
            pub const fn worst_figure(self) -> &'static str {
                match self { $(Self::$variant => $worst,)* }
            }

            /// Where the limits come from.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }

            /// How much it matters unless it is severe.
            pub(crate) const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            const fn threshold(self) -> Threshold {
                match self {
                    $(Self::$variant => Threshold {
                        raise: $raise,
                        clear: $clear,
                        severe: $severe,
                        smoothing_ms: $smoothing,
                        raise_after_ms: $after,
                        clear_after_ms: $calm,
                        settling_ms: $settling,
                    },)*
                }
            }
        }
    };
}

kinds! {
    /// The uplink is full: the sender holds back while queues fill on the way. The figure is how far both the video bitrate
    /// and the bandwidth that congestion control believes in fell below their recent best, counted only while, or not
    /// long after, the round trip is above its recent least by 30 ms and a third, twice at the least; and only if that began
    /// with the drop: less that is sent without a queue is somebody's choice. Not told of a call without video, which has
    /// no rate to fall.
    UplinkCongestion "uplinkCongestion" Warning "rate_drop_ratio" "worst_rate_drop_ratio"
        raise 0.4 clear 0.2 severe 0.75 over 2_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "A round trip a third above its usual is ObserveRTC client-monitor's sign of congestion; the drop is fitted to the lab's recordings for training that have a bottleneck: 300 kbit/s of 900, and 500 of a simulcast.";
    /// The downlink is full: less arrives while queues fill on the way. The figure is how far the video bitrate fell below
    /// its recent best, counted as for the uplink.
    DownlinkCongestion "downlinkCongestion" Warning "rate_drop_ratio" "worst_rate_drop_ratio"
        raise 0.4 clear 0.2 severe 0.75 over 2_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "As uplink congestion.";
    /// Many packets are lost, over all streams of one direction. Evidence says whether in bursts (`burst_factor`), where the
    /// receiver's own counts are known.
    HighLoss "highLoss" Warning "loss_ratio" "worst_loss_ratio"
        raise 0.03 clear 0.015 severe 0.1 over 3_000.0 after 2_000.0 calm 2_000.0 settled 2_000.0
        "Twilio's voice SDK warns above 3 %; webrtc-issue-detector above 5 %; 10 % cost 1 MOS and more in recordings without error correction.";
    /// The round trip is long.
    HighRtt "highRtt" Warning "rtt_ms" "worst_rtt_ms"
        raise 250.0 clear 200.0 severe 500.0 over 2_000.0 after 2_000.0 calm 2_000.0 settled 2_000.0
        "webrtc-issue-detector: 250 ms; with buffers on both ends that is beyond the 150 ms one way of ITU-T G.114, and 500 ms beyond its 400 ms.";
    /// Packets arrive unevenly, and the jitter buffer had to grow for it.
    HighJitter "highJitter" Notice "jitter_ms" "worst_jitter_ms"
        raise 12.0 clear 9.0 severe 60.0 over 2_000.0 after 2_000.0 calm 2_000.0 settled 5_000.0
        "Fitted to the lab's recordings for training: those without impairment stay below 9 ms, those with 30 ms of random delay lie at 15 to 20 ms.";
    /// The jitter buffer holds sound back for long.
    BufferStress "jitterBufferStress" Warning "jitter_buffer_target_ms" "worst_jitter_buffer_target_ms"
        raise 200.0 clear 150.0 severe 400.0 over 2_000.0 after 2_000.0 calm 2_000.0 settled 5_000.0
        "ObserveRTC client-monitor: a target above 200 ms.";
    /// Sound was invented where packets were missing, and it could be heard.
    AudibleConcealment "audibleConcealment" Warning "audible_concealed_ratio" "worst_audible_concealed_ratio"
        raise 0.03 clear 0.01 severe 0.1 over 4_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "ObserveRTC client-monitor: on at 3 %, off at 1 %.";
    /// Speech is stretched and squeezed so much that voices sound robotic.
    RoboticVoice "roboticVoice" Warning "time_stretch_ratio" "worst_time_stretch_ratio"
        raise 0.08 clear 0.04 severe 0.16 over 3_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "Fitted to the lab's recordings for training: a buffer that adapts once stretches 5 to 6 % for a few seconds; ObserveRTC client-monitor calls 2 % stress.";
    /// The picture stands still. Not told of shared screens: nothing may move on them.
    FrozenVideo "frozenVideo" Warning "frozen_ratio" "worst_frozen_ratio"
        raise 0.3 clear 0.1 severe 0.6 over 3_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "webrtc-issue-detector: 30 % of the time frozen.";
    /// Far fewer frames per second come than from the source, or than did before, and not by choice: frames are lost, not
    /// decoded or not sent, or the encoder says that the processor or bandwidth holds it back. The figure is the share that
    /// is missing.
    LowFrameRate "lowFrameRate" Warning "missing_frames_ratio" "worst_missing_frames_ratio"
        raise 0.4 clear 0.25 severe 0.75 over 3_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "Half of the frames are missing in callstats.io's bad rating; 40 % is on the way there.";
    /// The picture is small for the bits that are spent on it.
    LowResolution "lowResolution" Notice "bits_per_pixel" "worst_bits_per_pixel"
        raise 0.8 clear 0.6 severe 1e9 over 10_000.0 after 10_000.0 calm 5_000.0 settled 10_000.0
        "Fitted to the lab's recordings for training: those of 320 x 180 at the best bitrate of their encoder take 0.65 bit for a pixel; what takes more could carry a larger picture.";
    /// The sender's processor cannot keep up.
    CpuLimitedSender "cpuLimitedSender" Warning "limited_cpu_ratio" "worst_limited_cpu_ratio"
        raise 0.3 clear 0.15 severe 0.9 over 4_000.0 after 3_000.0 calm 4_000.0 settled 5_000.0
        "ObserveRTC client-monitor: more than 30 % of the time.";
    /// The receiver's processor cannot keep up: frames are dropped that no loss spoiled.
    CpuLimitedReceiver "cpuLimitedReceiver" Warning "frames_dropped_ratio" "worst_frames_dropped_ratio"
        raise 0.3 clear 0.15 severe 0.6 over 4_000.0 after 3_000.0 calm 4_000.0 settled 5_000.0
        "ObserveRTC client-monitor: on at 70 % of the frames decoded, off at 85 %.";
    /// Pictures arrive and none is decoded, though new ones were asked for.
    StuckDecoder "stuckDecoder" Severe "undecoded_ratio" "worst_undecoded_ratio"
        raise 0.9 clear 0.5 severe 1e9 over 500.0 after 4_000.0 calm 1_000.0 settled 5_000.0
        "ObserveRTC client-monitor: for 4 s from 10 kbit/s on.";
    /// Chromium gave up on a decoder and put one in its place that shows nothing.
    NullDecoder "nullDecoder" Severe "null_decoder_ratio" "worst_null_decoder_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 0.0 calm 10_000.0 settled 0.0
        "The name `NullVideoDecoder`, as rtcstats looks for it. That ten seconds pass until it is over is our own: names that come and go are one conclusion.";
    /// Whole pictures are asked for again and again.
    KeyFrameStorm "keyFrameStorm" Warning "requests_per_second" "worst_requests_per_second"
        raise 0.5 clear 0.2 severe 2.0 over 10_000.0 after 10_000.0 calm 5_000.0 settled 5_000.0
        "ObserveRTC client-monitor: half a request a second over 30 s.";
    /// Nothing comes any more, and it is the path that is dead: no stream brings a packet while three checks of the path
    /// stay without an answer, or nothing comes for 10 s, RTCP included, where checks are not counted. The figure is for
    /// how long; that all have paused or muted is no case of it.
    NoMedia "noMedia" Severe "dry_ms" "worst_dry_ms"
        raise 3_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "Twilio's voice SDK: three seconds without a byte. That checks stay unanswered is our own condition: without it a call in which everybody is muted is dry.";
    /// What the sender reports that it sent does not come, though the path stands: nothing for so long, while its reports
    /// count on. Of a sender that does not report it cannot be told from a pause.
    OneWayMedia "oneWayMedia" Severe "dry_ms" "worst_dry_ms"
        raise 5_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: a track is dry after 5 s.";
    /// Reports come, and say for so long that nothing new has arrived; or, where they count no packets, a stream is left out of
    /// them for 30 s while others are in.
    MediaTimeout "mediaTimeout" Severe "unconfirmed_ms" "worst_unconfirmed_ms"
        raise 10_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "RFC 8083 4.2, with the times of callstats.io.";
    /// No report on what is sent comes in any more, for so long and for five times the usual interval.
    RtcpTimeout "rtcpTimeout" Warning "report_age_ms" "worst_report_age_ms"
        raise 30_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "RFC 8083 4.1, with the times of callstats.io.";
    /// Sound is sent and there is none in it: the microphone was never louder than −60 dBov, or it is silent to the last bit
    /// while the application says that it is not muted. Silence to the last bit of which the application says nothing is
    /// taken for a mute: the two look alike. A notice, because somebody who has not spoken yet is as silent; a warning where
    /// the application says that it is not muted.
    SilentMicrophone "silentMicrophone" Notice "silent_ratio" "worst_silent_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 30_000.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: RMS below 0.001 for 30 s. That it was never louder is our own condition: who listens in a quiet room is below it, too.";
    /// Somebody speaks while sound is muted, by the application's word or because its encoding is inactive. The figure is
    /// the share of speech. A track that is disabled (`enabled = false`) has no level, so that nothing can be told.
    SpeakingWhileMuted "speakingWhileMuted" Notice "speech_ratio" "worst_speech_ratio"
        raise 0.4 clear 0.1 severe 1e9 over 2_000.0 after 2_000.0 calm 3_000.0 settled 1_000.0
        "Our own: two seconds of speech are more than a cough or a door (at most 0.4 s), and a pause between sentences does not end it.";
    /// What others say may come back to them from this microphone. The figure is what the loss of the echo lacks of what is
    /// acceptable at this delay, in looks in which others speak. A notice at most: the browser tells what its canceller
    /// takes from the echo, and not what it suppresses after that.
    Echo "echo" Notice "echo_excess_db" "worst_echo_excess_db"
        raise 6.0 clear 0.5 severe 1e9 over 5_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "callstats.io: acceptable from 14 dB on and unacceptable from 8 dB down, of the weighted echo path loss of ITU-T G.107 7.4. Its input is the loudness rating of the whole talker echo path (TELR), of which the return loss and its enhancement are a part.";
    /// Sound and picture of one sender are apart. The figure is by how much sound is early, or late beyond 95 ms: late by
    /// 185 ms is as bad as early by 90. Told of a sender with one stream of each.
    AvOutOfSync "avOutOfSync" Warning "av_offset_ms" "worst_av_offset_ms"
        raise 90.0 clear 45.0 severe 400.0 over 10_000.0 after 5_000.0 calm 3_000.0 settled 10_000.0
        "ITU-R BT.1359-1: acceptable up to 90 ms early and 185 ms late, detectable from 45 ms early on.";
    /// ICE has lost the path that it had, and has not found another.
    IceDisrupted "iceDisrupted" Severe "disrupted_ratio" "worst_disrupted_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 4_000.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: disconnected for 5 s; one of them may have passed when a look each second first tells.";
    /// The path is lost, or changes, again and again. The figure is how often within 30 s.
    IceFlapping "iceFlapping" Warning "path_changes" "worst_path_changes"
        raise 3.0 clear 2.5 severe 6.0 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: three changes in 30 s.";
    /// Packets go by a relay that is reached over TCP or TLS: what is lost on the way there holds up what follows.
    RelayOverTcp "relayOverTcp" Notice "tcp_ratio" "worst_tcp_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 0.0 calm 10_000.0 settled 0.0
        "peermetrics reports TCP and TURN as issues of their own. That ten seconds pass until it is over is our own: paths that come and go are one conclusion.";
    /// It took long to find a path. Counted from the first check, so that ringing is no part of it.
    SlowSetup "slowSetup" Warning "setup_ms" "worst_setup_ms"
        raise 5_000.0 clear 5_000.0 severe 15_000.0 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: 5 s; severe where it is half of the 31 s after which ICE gives up.";
    /// Nobody looked for long: a throttled tab, a suspended machine.
    StatsGap "statsGap" Notice "gap_ms" "worst_gap_ms"
        raise 5_000.0 clear 5_000.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: 5 s, and more than twice the usual time between two looks.";
    /// The reporter's clock and the caller's have parted since the beginning. The figure is by how much, over half a minute
    /// each, of the look that came through fastest.
    ClockSkew "clockSkew" Notice "skew_ms" "worst_skew_ms"
        raise 1_000.0 clear 500.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "Our own: from a second on, what several endpoints report is no longer side by side.";
}

/// The limits of one kind. Values are in the unit of its figure, times in milliseconds of the reporter's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    pub(super) raise: f64,
    pub(super) clear: f64,
    pub(super) severe: f64,
    pub(super) smoothing_ms: f64,
    pub(super) raise_after_ms: f64,
    pub(super) clear_after_ms: f64,
    pub(super) settling_ms: f64,
}

/// Declares what a caller may choose of a threshold.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident $with:ident;)*) => {
        impl Threshold {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(&self) -> f64 {
                    self.$name
                }

                #[doc = concat!("Another [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                #[must_use]
                pub const fn $with(mut self, value: f64) -> Self {
                    self.$name = value;
                    self
                }
            )*
        }
    };
}

choices! {
    /// From this value on it is raised.
    raise with_raise;
    /// Below this value it is cleared.
    clear with_clear;
    /// From this value on it is severe.
    severe with_severe;
    /// The time constant over which readings are smoothed, ms.
    smoothing_ms with_smoothing_ms;
    /// For how long it must be beyond the limit before it is raised, ms.
    raise_after_ms with_raise_after_ms;
    /// For how long it must be below the limit before it is cleared, ms. Readings that have not been smoothed clear it, too, if
    /// they stay below for that long and twice the time constant.
    clear_after_ms with_clear_after_ms;
    /// For how long a stream is left alone when it begins, or goes on after a rest, ms.
    settling_ms with_settling_ms;
}

/// The limits of every kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds([Threshold; Kind::COUNT]);

impl Thresholds {
    /// Those of the table.
    #[must_use]
    pub const fn new() -> Self {
        let mut all = [Kind::HighLoss.threshold(); Kind::COUNT];
        let mut index = 0;
        while index < Kind::COUNT {
            all[index] = Kind::ALL[index].threshold();
            index += 1;
        }
        Self(all)
    }

    /// The limits of one kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Threshold {
        *self.at(kind)
    }

    #[allow(clippy::indexing_slicing)] // there is one for each kind
    pub(super) const fn at(&self, kind: Kind) -> &Threshold {
        &self.0[kind as usize]
    }

    /// Other limits for one kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, threshold: Threshold) -> Self {
        if let Some(place) = self.0.get_mut(kind as usize) {
            *place = threshold;
        }
        self
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::new()
    }
}
