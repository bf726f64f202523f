//! The table of diagnoses, with the thresholds of each and their sources. It does not read samples.

use super::Severity;

/// Declares the kinds: the enum, and for every name its figures, thresholds and source.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $variant:ident $name:literal $severity:ident $figure:literal $worst:literal
        raise $raise:literal clear $clear:literal severe $severe:literal
        over $smoothing:literal after $after:literal calm $calm:literal settled $settling:literal
        $source:literal;
    )*) => {
        /// A kind of problem, and its thresholds.
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
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The number of kinds.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in outputs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name of the figure that is compared with the thresholds. In evidence it is the mean over the
            /// diagnosis.
            #[must_use]
            pub const fn figure(self) -> &'static str {
                match self { $(Self::$variant => $figure,)* }
            }

            /// The name of that figure at its worst.
            #[must_use]
            pub const fn worst_figure(self) -> &'static str {
                match self { $(Self::$variant => $worst,)* }
            }

            /// The source of the thresholds.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }

            /// The severity below the threshold for severe.
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
    /// The uplink is full: the sender backs off while queues fill on the path. The figure is how far both the video
    /// bitrate and the bandwidth estimate of congestion control fell below their recent best. It counts only while the
    /// round trip exceeds its recent least by 30 ms and by a third in at least two measurements, or shortly after that,
    /// and only if that began with the drop: a lower rate without a queue is deliberate. Never raised for a call
    /// without video, which has no rate that could fall.
    UplinkCongestion "uplinkCongestion" Warning "rate_drop_ratio" "worst_rate_drop_ratio"
        raise 0.4 clear 0.2 severe 0.75 over 2_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "A round trip a third above its usual is ObserveRTC client-monitor's sign of congestion; the drop is fitted to the lab's training recordings with a bottleneck: 300 kbit/s of 900, and 500 of a simulcast.";
    /// The downlink is full: less arrives while queues fill on the path. The figure is how far the video bitrate fell
    /// below its recent best, counted as for the uplink.
    DownlinkCongestion "downlinkCongestion" Warning "rate_drop_ratio" "worst_rate_drop_ratio"
        raise 0.4 clear 0.2 severe 0.75 over 2_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "As uplink congestion.";
    /// Many packets are lost, over all streams of one direction. The evidence shows whether in bursts (`burst_factor`),
    /// if the receiver's own counts are known.
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
        "Fitted to the lab's training recordings: those without impairment stay below 9 ms, those with 30 ms of random delay are at 15 to 20 ms.";
    /// The jitter buffer holds audio back for long.
    BufferStress "jitterBufferStress" Warning "jitter_buffer_target_ms" "worst_jitter_buffer_target_ms"
        raise 200.0 clear 150.0 severe 400.0 over 2_000.0 after 2_000.0 calm 2_000.0 settled 5_000.0
        "ObserveRTC client-monitor: a target above 200 ms.";
    /// The receiver concealed missing packets audibly.
    AudibleConcealment "audibleConcealment" Warning "audible_concealed_ratio" "worst_audible_concealed_ratio"
        raise 0.03 clear 0.01 severe 0.1 over 4_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "ObserveRTC client-monitor: on at 3 %, off at 1 %.";
    /// Speech is time-stretched so much that voices sound robotic.
    RoboticVoice "roboticVoice" Warning "time_stretch_ratio" "worst_time_stretch_ratio"
        raise 0.08 clear 0.04 severe 0.16 over 3_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "Fitted to the lab's training recordings: a buffer that adapts once stretches 5 to 6 % for a few seconds; ObserveRTC client-monitor calls 2 % stress.";
    /// The picture stands still. Never raised for shared screens, on which nothing may move.
    FrozenVideo "frozenVideo" Warning "frozen_ratio" "worst_frozen_ratio"
        raise 0.3 clear 0.1 severe 0.6 over 3_000.0 after 2_000.0 calm 3_000.0 settled 5_000.0
        "webrtc-issue-detector: 30 % of the time frozen.";
    /// Far fewer frames per second arrive than before, or are sent than the source delivers, and not deliberately:
    /// frames are lost, not decoded or not sent, or the encoder reports that the processor or bandwidth limits it. The
    /// figure is the missing fraction.
    LowFrameRate "lowFrameRate" Warning "missing_frames_ratio" "worst_missing_frames_ratio"
        raise 0.4 clear 0.25 severe 0.75 over 3_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "Half of the frames are missing in callstats.io's bad rating; 40 % approaches that.";
    /// The picture is small for the bits spent on it.
    LowResolution "lowResolution" Notice "bits_per_pixel" "worst_bits_per_pixel"
        raise 0.8 clear 0.6 severe 1e9 over 10_000.0 after 10_000.0 calm 5_000.0 settled 10_000.0
        "Fitted to the lab's training recordings: those of 320 x 180 at the best bitrate of their encoder take 0.65 bit per pixel; a stream with more could carry a larger picture.";
    /// The sender's processor cannot keep up.
    CpuLimitedSender "cpuLimitedSender" Warning "limited_cpu_ratio" "worst_limited_cpu_ratio"
        raise 0.3 clear 0.15 severe 0.9 over 4_000.0 after 3_000.0 calm 4_000.0 settled 5_000.0
        "ObserveRTC client-monitor: more than 30 % of the time.";
    /// The receiver's processor cannot keep up: frames are dropped without loss.
    CpuLimitedReceiver "cpuLimitedReceiver" Warning "frames_dropped_ratio" "worst_frames_dropped_ratio"
        raise 0.3 clear 0.15 severe 0.6 over 4_000.0 after 3_000.0 calm 4_000.0 settled 5_000.0
        "ObserveRTC client-monitor: on at 70 % of the frames decoded, off at 85 %.";
    /// Video arrives and none is decoded, although key frames were requested.
    StuckDecoder "stuckDecoder" Severe "undecoded_ratio" "worst_undecoded_ratio"
        raise 0.9 clear 0.5 severe 1e9 over 500.0 after 4_000.0 calm 1_000.0 settled 5_000.0
        "ObserveRTC client-monitor: for 4 s from 10 kbit/s on.";
    /// Chromium gave up on a decoder and replaced it with one that shows nothing.
    NullDecoder "nullDecoder" Severe "null_decoder_ratio" "worst_null_decoder_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 0.0 calm 10_000.0 settled 0.0
        "The name `NullVideoDecoder`, which rtcstats searches for. Our own: it clears after ten seconds, so that a name that comes and goes is one diagnosis.";
    /// Key frames are requested again and again.
    KeyFrameStorm "keyFrameStorm" Warning "requests_per_second" "worst_requests_per_second"
        raise 0.5 clear 0.2 severe 2.0 over 10_000.0 after 10_000.0 calm 5_000.0 settled 5_000.0
        "ObserveRTC client-monitor: half a request a second over 30 s.";
    /// Nothing arrives because the path is dead: no stream receives a packet while three connectivity checks stay
    /// unanswered, or, if checks are not counted, nothing arrives for 10 s, RTCP included. The figure is the duration.
    /// Senders that have all paused or muted do not raise it.
    NoMedia "noMedia" Severe "dry_ms" "worst_dry_ms"
        raise 3_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "Twilio's voice SDK: three seconds without a byte. The unanswered checks are our own condition: without it a call in which all participants are muted is dry.";
    /// Media that the sender reports as sent do not arrive, although the path works: nothing arrives for this long,
    /// while the counts in the sender's reports increase. Without RTCP from the sender, a lost stream cannot be told
    /// from a paused one.
    OneWayMedia "oneWayMedia" Severe "dry_ms" "worst_dry_ms"
        raise 5_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: a track is dry after 5 s.";
    /// Reports arrive, and show for this long that no new media arrived; or, if they count no packets, a stream is
    /// missing from them for 30 s while others are present.
    MediaTimeout "mediaTimeout" Severe "unconfirmed_ms" "worst_unconfirmed_ms"
        raise 10_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "RFC 8083 4.2, with the times of callstats.io.";
    /// No report on sent media has arrived for this long and for five times the usual interval.
    RtcpTimeout "rtcpTimeout" Warning "report_age_ms" "worst_report_age_ms"
        raise 30_000.0 clear 1.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "RFC 8083 4.1, with the times of callstats.io.";
    /// Audio is sent without any sound: the microphone was never louder than −60 dBov, or it is digitally silent while
    /// the application reports that it is not muted. If the application reports no mute state, digital silence counts
    /// as a mute: stats cannot tell them apart. It is a notice, because a user that has not spoken yet is as silent,
    /// and a warning if the application reports that it is not muted.
    SilentMicrophone "silentMicrophone" Notice "silent_ratio" "worst_silent_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 30_000.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: RMS below 0.001 for 30 s. That it was never louder is our own condition: a listener in a quiet room is below it, too.";
    /// A user speaks while muted, by the application's report or because the encoding is inactive. The figure is the
    /// fraction of speech. A disabled track (`enabled = false`) has no level, so nothing can be detected.
    SpeakingWhileMuted "speakingWhileMuted" Notice "speech_ratio" "worst_speech_ratio"
        raise 0.4 clear 0.1 severe 1e9 over 2_000.0 after 2_000.0 calm 3_000.0 settled 1_000.0
        "Our own: two seconds of speech are more than a cough or a door (at most 0.4 s), and a pause between sentences does not end it.";
    /// Remote speech may return to the remote users through this microphone. The figure is how far the echo loss falls
    /// short of an acceptable value at this delay, in samples with remote speech. A notice at most: the browser reports
    /// what its canceller removes, but not what it suppresses afterwards.
    Echo "echo" Notice "echo_excess_db" "worst_echo_excess_db"
        raise 6.0 clear 0.5 severe 1e9 over 5_000.0 after 3_000.0 calm 3_000.0 settled 5_000.0
        "callstats.io: a weighted echo path loss (ITU-T G.107 7.4) of 14 dB and more is acceptable, of 8 dB and less unacceptable. Its input is the loudness rating of the whole talker echo path (TELR), of which the return loss and its enhancement are a part.";
    /// Audio and video of one sender are out of sync. The figure is by how much audio is early, or late beyond 95 ms:
    /// 185 ms late is as bad as 90 ms early. Raised only for a sender with one stream of each.
    AvOutOfSync "avOutOfSync" Warning "av_offset_ms" "worst_av_offset_ms"
        raise 90.0 clear 45.0 severe 400.0 over 10_000.0 after 5_000.0 calm 3_000.0 settled 10_000.0
        "ITU-R BT.1359-1: acceptable up to 90 ms early and 185 ms late, detectable from 45 ms early on.";
    /// The connection failed before it was set up: ICE found no path, or DTLS failed. Raised at the failure, however
    /// soon, and over when a restart connects. In a summary it is a notice if the connection never carried media or data
    /// and another connection of the same user did.
    ConnectionFailed "connectionFailed" Severe "failed_ratio" "worst_failed_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "Our own: a failed state of ICE, DTLS or the connection.";
    /// The connection failed after it had been set up. Raised at the failure, and over when a restart connects.
    ConnectionDropped "connectionDropped" Severe "dropped_ratio" "worst_dropped_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "callstats.io: connected, completed or disconnected to failed (`fabricDropped`).";
    /// ICE has lost its path and has not found another.
    IceDisrupted "iceDisrupted" Severe "disrupted_ratio" "worst_disrupted_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 4_000.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: disconnected for 5 s; one of them may have passed before a sample per second first shows it.";
    /// The path is lost, or changes, again and again. The figure is the number of changes within 30 s.
    IceFlapping "iceFlapping" Warning "path_changes" "worst_path_changes"
        raise 3.0 clear 2.5 severe 6.0 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: three changes in 30 s.";
    /// Packets pass a relay that is reached over TCP or TLS: a packet lost on the way there delays the following ones.
    RelayOverTcp "relayOverTcp" Notice "tcp_ratio" "worst_tcp_ratio"
        raise 0.5 clear 0.5 severe 1e9 over 500.0 after 0.0 calm 10_000.0 settled 0.0
        "peermetrics reports TCP and TURN as separate issues. Our own: it clears after ten seconds, so that a path that comes and goes is one diagnosis.";
    /// Finding a path took long. Counted from the first check, so ringing is not included.
    SlowSetup "slowSetup" Warning "setup_ms" "worst_setup_ms"
        raise 5_000.0 clear 5_000.0 severe 15_000.0 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: 5 s; severe at half of the 31 s after which ICE gives up.";
    /// There were no samples for long: a throttled tab, a suspended machine.
    StatsGap "statsGap" Notice "gap_ms" "worst_gap_ms"
        raise 5_000.0 clear 5_000.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "ObserveRTC client-monitor: 5 s, and more than twice the usual time between two samples.";
    /// The reporter's clock and the caller's have drifted apart since the beginning. The figure is the offset of the
    /// sample with the least delay in each half minute.
    ClockSkew "clockSkew" Notice "skew_ms" "worst_skew_ms"
        raise 1_000.0 clear 500.0 severe 1e9 over 1.0 after 0.0 calm 0.0 settled 0.0
        "Our own: from one second on, reports of several endpoints are no longer aligned.";
}

/// The thresholds of one kind. Values are in the unit of its figure, times in milliseconds of the reporter's clock.
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

/// Declares the settings of a threshold.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident $with:ident;)*) => {
        impl Threshold {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(&self) -> f64 {
                    self.$name
                }

                #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
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
    /// The diagnosis is raised from this value on.
    raise with_raise;
    /// The diagnosis is cleared below this value.
    clear with_clear;
    /// The diagnosis is severe from this value on.
    severe with_severe;
    /// The time constant that smooths readings, ms.
    smoothing_ms with_smoothing_ms;
    /// How long the figure must be beyond the limit before the diagnosis is raised, ms.
    raise_after_ms with_raise_after_ms;
    /// How long the figure must be below the limit before the diagnosis is cleared, ms. Unsmoothed readings clear it,
    /// too, if they stay below for that long and twice the time constant.
    clear_after_ms with_clear_after_ms;
    /// How long a stream settles when it begins, or resumes after a rest, ms; meanwhile it raises nothing.
    settling_ms with_settling_ms;
}

/// The thresholds of all kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds([Threshold; Kind::COUNT]);

impl Thresholds {
    /// The thresholds of the table.
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

    /// The thresholds of one kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Threshold {
        *self.at(kind)
    }

    #[allow(clippy::indexing_slicing)] // there is one for each kind
    pub(super) const fn at(&self, kind: Kind) -> &Threshold {
        &self.0[kind as usize]
    }

    /// Sets the thresholds of one kind.
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
