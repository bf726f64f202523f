//! The published values. They are read by the parent module only.

use Listening::{Diotic, Monotic};

use crate::emodel::{Equipment, Scale};

/// How the listener listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Listening {
    /// With one ear: a handset.
    Monotic,
    /// With both ears: a headset or a loudspeaker.
    Diotic,
}

/// The source of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Source {
    /// The paper on Opus.
    Alahmadi2021,
    /// The caller, through [`CodecTable::with`](super::CodecTable::with).
    Caller,
    /// Narrowband values of ITU-T G.113 Appendix I.
    G113AppendixI,
    /// Wideband values of ITU-T G.113 Appendix IV.
    G113AppendixIV,
    /// Fullband values of ITU-T G.113 Appendix V.
    G113AppendixV,
    /// In common use and attributed to G.113, but not checked against it.
    Quoted,
}

impl Source {
    /// The citation.
    #[must_use]
    pub const fn citation(self) -> &'static str {
        match self {
            Self::Alahmadi2021 => {
                "M. Alahmadi, P. Pocta, H. Melvin: An Adaptive Bitrate Switching Algorithm for Speech Applications in \
                 Context of WebRTC. ACM TOMM 17(4), article 133, 2021, doi:10.1145/3458751"
            }
            Self::Caller => "set by the caller",
            Self::G113AppendixI => "ITU-T G.113 (09/2024) Appendix I, Tables I.1 to I.4",
            Self::G113AppendixIV => "ITU-T G.113 (09/2024) Appendix IV",
            Self::G113AppendixV => "ITU-T G.113 (09/2024) Appendix V with Erratum 1 (01/2026)",
            Self::Quoted => "commonly quoted, not checked against ITU-T G.113",
        }
    }
}

/// A codec and its published values.
pub(super) struct CodecValues {
    /// SDP encoding names, and common names.
    pub(super) names: &'static [&'static str],
    pub(super) rates: Rates,
    pub(super) usual_kbps: Option<f64>,
    /// Look-ahead of the encoder, ms.
    pub(super) lookahead_ms: Option<f64>,
    /// The first one with a matching condition counts.
    pub(super) curves: &'static [CurveValues],
}

/// The meaning of a rate between two rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rates {
    /// The codec runs only at the rates of the rows: take the nearest, because headers and silence change the measured
    /// rate.
    Modes,
    /// Interpolate between the rows.
    Continuous,
}

/// Values for one use of a codec, by rate.
pub(super) struct CurveValues {
    pub(super) when: When,
    pub(super) source: Source,
    pub(super) rows: &'static [CodecRow],
}

/// A use of a codec.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Always,
    ConstantBitrate(bool),
    Concealment(bool),
    VoiceActivityDetection(bool),
    Listening(Listening),
}

/// Ie and Bpl at a rate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CodecRow {
    /// kbit/s; `None` for every rate.
    pub(super) kbps: Option<f64>,
    pub(super) equipment: Equipment,
    /// Bpl under bursty loss, percent.
    pub(super) bpl_bursty: Option<f64>,
    pub(super) published: bool,
}

impl CodecRow {
    const fn new(scale: Scale, kbps: Option<f64>, ie: f64) -> Self {
        Self { kbps, equipment: Equipment::of_table(scale, ie, None), bpl_bursty: None, published: true }
    }

    const fn bpl(mut self, bpl: f64) -> Self {
        self.equipment = Equipment::of_table(self.equipment.scale(), self.equipment.ie(), Some(bpl));
        self
    }

    const fn unpublished(mut self) -> Self {
        self.published = false;
        self
    }
}

const fn nb(kbps: f64, ie: f64) -> CodecRow {
    CodecRow::new(Scale::Narrowband, Some(kbps), ie)
}

const fn wb(kbps: f64, ie: f64) -> CodecRow {
    CodecRow::new(Scale::Wideband, Some(kbps), ie)
}

const fn fb(kbps: f64, ie: f64) -> CodecRow {
    CodecRow::new(Scale::Fullband, Some(kbps), ie)
}

/// A narrowband codec of one rate.
const fn single(ie: f64) -> CodecRow {
    CodecRow::new(Scale::Narrowband, None, ie)
}

/// Opus: rate, Ie, Bpl under random and under bursty loss.
const fn opus(scale: Scale, kbps: f64, ie: f64, bpl: f64, bpl_bursty: f64) -> CodecRow {
    let mut row = CodecRow::new(scale, Some(kbps), ie).bpl(bpl);
    row.bpl_bursty = Some(bpl_bursty);
    row
}

use Scale::{Fullband as FB, Narrowband as NB, Wideband as WB};

pub(super) static CODECS: &[CodecValues] = &[
    CodecValues {
        names: &["opus"],
        rates: Rates::Continuous,
        usual_kbps: Some(32.0),
        // RFC 6716 clause 2: 4 ms of the resampler or 2.5 of the transform, and the overlap that libopus reports as 6.5
        // in all.
        lookahead_ms: Some(6.5),
        curves: &[
            CurveValues { when: When::ConstantBitrate(false), source: Source::Alahmadi2021, rows: OPUS_VBR },
            CurveValues { when: When::ConstantBitrate(true), source: Source::Alahmadi2021, rows: OPUS_CBR },
        ],
    },
    CodecValues {
        names: &["PCMU", "PCMA", "G711"],
        rates: Rates::Modes,
        usual_kbps: None,
        lookahead_ms: Some(0.25),
        curves: &[
            // With the concealment of G.711 Appendix I.
            CurveValues {
                when: When::Concealment(true),
                source: Source::G113AppendixI,
                rows: &[single(0.0).bpl(25.1)],
            },
            // Frames of 10 ms.
            CurveValues {
                when: When::Concealment(false),
                source: Source::G113AppendixI,
                rows: &[single(0.0).bpl(4.3)],
            },
        ],
    },
    CodecValues {
        names: &["G722"],
        rates: Rates::Modes,
        usual_kbps: Some(64.0),
        lookahead_ms: None,
        curves: &[CurveValues {
            when: When::Always,
            source: Source::Quoted,
            rows: &[wb(48.0, 31.0), wb(56.0, 20.0), wb(64.0, 13.0)],
        }],
    },
    CodecValues {
        names: &["G7221"],
        rates: Rates::Modes,
        usual_kbps: None,
        lookahead_ms: None,
        curves: &[CurveValues { when: When::Always, source: Source::Quoted, rows: &[wb(24.0, 19.0), wb(32.0, 13.0)] }],
    },
    CodecValues {
        names: &["AMR-WB"],
        rates: Rates::Continuous,
        usual_kbps: None,
        lookahead_ms: None,
        curves: &[
            // 14.25, 18.25 and 19.85 kbit/s are unpublished; 23.85 really is worse than 23.05.
            CurveValues {
                when: When::Listening(Diotic),
                source: Source::G113AppendixIV,
                rows: &[
                    wb(6.6, 56.0),
                    wb(8.85, 41.0),
                    wb(12.65, 20.0).bpl(4.3),
                    wb(15.85, 17.0),
                    wb(23.05, 8.0).bpl(4.6),
                    wb(23.85, 10.0).bpl(4.9),
                ],
            },
            CurveValues {
                when: When::Listening(Monotic),
                source: Source::G113AppendixIV,
                rows: &[
                    wb(6.6, 41.0),
                    wb(8.85, 26.0),
                    wb(12.65, 13.0),
                    wb(14.25, 10.0),
                    wb(15.85, 7.0),
                    wb(18.25, 5.0),
                    wb(19.85, 3.0),
                    wb(23.05, 1.0),
                    wb(23.85, 8.0),
                ],
            },
        ],
    },
    CodecValues {
        names: &["EVS"],
        rates: Rates::Continuous,
        usual_kbps: None,
        lookahead_ms: None,
        // Super-wideband, diotic.
        curves: &[CurveValues {
            when: When::Always,
            source: Source::G113AppendixV,
            rows: &[
                fb(9.6, 22.7).bpl(13.0),
                fb(13.2, 17.1).bpl(11.7),
                fb(16.4, 10.8).bpl(10.3),
                fb(24.4, 7.2).bpl(11.4),
                fb(32.0, 8.7).bpl(9.3),
                fb(48.0, 10.2).bpl(9.6),
            ],
        }],
    },
    CodecValues {
        names: &["G729", "G729A"],
        rates: Rates::Modes,
        usual_kbps: None,
        lookahead_ms: Some(5.0),
        curves: &[
            // Frames of 20 ms.
            CurveValues {
                when: When::VoiceActivityDetection(true),
                source: Source::G113AppendixI,
                rows: &[single(11.0).bpl(19.0)],
            },
            CurveValues {
                when: When::VoiceActivityDetection(false),
                source: Source::G113AppendixI,
                rows: &[single(10.0)],
            },
        ],
    },
    CodecValues {
        names: &["G723", "G7231"],
        rates: Rates::Modes,
        usual_kbps: None,
        lookahead_ms: None,
        curves: &[
            // Frames of 30 ms. At 5.3 kbit/s only a value without voice activity detection is published.
            CurveValues {
                when: When::VoiceActivityDetection(true),
                source: Source::G113AppendixI,
                rows: &[nb(5.3, 19.0), nb(6.3, 15.0).bpl(16.1)],
            },
            CurveValues {
                when: When::VoiceActivityDetection(false),
                source: Source::G113AppendixI,
                rows: &[nb(5.3, 19.0), nb(6.3, 15.0)],
            },
        ],
    },
    one_rate(&["G726-40", "AAL2-G726-40"], G726_40),
    one_rate(&["G726-32", "AAL2-G726-32"], G726_32),
    one_rate(&["G726-24", "AAL2-G726-24"], G726_24),
    one_rate(&["G726-16", "AAL2-G726-16"], G726_16),
    one_rate(&["GSM-EFR"], GSM_EFR),
    one_rate(&["IS-641"], IS_641),
    one_rate(&["GSM", "GSM-FR"], GSM_FR),
    one_rate(&["GSM-HR-08", "GSM-HR"], GSM_HR),
    CodecValues {
        names: &["G728"],
        rates: Rates::Modes,
        usual_kbps: None,
        lookahead_ms: None,
        curves: &[CurveValues {
            when: When::Always,
            source: Source::G113AppendixI,
            rows: &[nb(12.8, 20.0), nb(16.0, 7.0)],
        }],
    },
    CodecValues {
        names: &["iLBC"],
        rates: Rates::Modes,
        usual_kbps: Some(13.33),
        lookahead_ms: None,
        // For 15.2 kbit/s, sources quote 10 and 11, and a Bpl of about 32.
        curves: &[CurveValues {
            when: When::Always,
            source: Source::Quoted,
            rows: &[nb(13.33, 12.0), nb(15.2, 11.0).bpl(32.0)],
        }],
    },
];

const fn one_rate(names: &'static [&'static str], curves: &'static [CurveValues]) -> CodecValues {
    CodecValues { names, rates: Rates::Modes, usual_kbps: None, lookahead_ms: None, curves }
}

const fn always(source: Source, rows: &'static [CodecRow]) -> CurveValues {
    CurveValues { when: When::Always, source, rows }
}

static G726_40: &[CurveValues] = &[always(Source::G113AppendixI, &[single(2.0)])];
static G726_32: &[CurveValues] = &[always(Source::G113AppendixI, &[single(7.0)])];
static G726_24: &[CurveValues] = &[always(Source::G113AppendixI, &[single(25.0)])];
static G726_16: &[CurveValues] = &[always(Source::G113AppendixI, &[single(50.0)])];
static GSM_EFR: &[CurveValues] = &[always(Source::G113AppendixI, &[single(5.0).bpl(10.0)])];
static IS_641: &[CurveValues] = &[always(Source::G113AppendixI, &[single(10.0)])];
static GSM_FR: &[CurveValues] = &[always(Source::Quoted, &[single(20.0)])];
static GSM_HR: &[CurveValues] = &[always(Source::Quoted, &[single(23.0)])];

static OPUS_VBR: &[CodecRow] = &[
    opus(NB, 6.0, 23.00, 24.56, 15.36),
    opus(NB, 7.0, 21.26, 22.46, 14.43),
    opus(NB, 8.0, 16.02, 20.26, 13.48),
    opus(NB, 9.0, 11.74, 18.91, 12.44),
    opus(WB, 11.0, 28.41, 23.94, 20.12),
    opus(WB, 12.0, 23.30, 22.22, 18.90),
    opus(WB, 13.0, 19.96, 19.50, 16.92),
    opus(FB, 14.0, 38.06, 16.51, 9.13),
    opus(FB, 15.0, 34.12, 15.00, 7.90),
    opus(FB, 16.0, 30.16, 11.83, 10.06),
    opus(FB, 19.0, 23.81, 10.67, 8.92),
    opus(FB, 22.0, 20.22, 10.47, 8.57),
    opus(FB, 25.0, 20.21, 11.28, 9.18),
    opus(FB, 28.0, 18.48, 10.63, 8.91),
    opus(FB, 31.0, 16.83, 10.44, 8.82),
    opus(FB, 34.0, 14.76, 10.12, 8.54),
    opus(FB, 37.0, 12.08, 10.38, 8.30),
    opus(FB, 40.0, 10.67, 9.79, 8.04),
    opus(FB, 64.0, 5.0, 9.79, 8.04).unpublished(),
    opus(FB, 96.0, 3.0, 9.79, 8.04).unpublished(),
];

static OPUS_CBR: &[CodecRow] = &[
    opus(NB, 6.0, 46.27, 8.94, 5.66),
    opus(NB, 7.0, 31.73, 18.18, 11.76),
    opus(NB, 8.0, 19.25, 15.13, 10.13),
    opus(NB, 9.0, 13.21, 17.24, 11.36),
    opus(NB, 10.0, 6.20, 15.33, 10.47),
    opus(NB, 11.0, 2.03, 15.95, 10.73),
    opus(WB, 12.0, 29.76, 24.81, 20.78),
    opus(WB, 13.0, 26.16, 23.00, 19.37),
    opus(WB, 14.0, 20.77, 17.56, 15.85),
    opus(WB, 15.0, 18.06, 18.74, 16.10),
    opus(FB, 16.0, 36.88, 13.30, 10.80),
    opus(FB, 19.0, 29.58, 10.74, 8.93),
    opus(FB, 22.0, 23.38, 10.01, 8.46),
    opus(FB, 25.0, 22.64, 10.57, 8.74),
    opus(FB, 28.0, 23.65, 11.67, 9.98),
    opus(FB, 31.0, 21.74, 11.51, 9.58),
    opus(FB, 34.0, 20.62, 11.78, 9.69),
    opus(FB, 37.0, 16.23, 10.62, 8.99),
    opus(FB, 40.0, 15.90, 11.35, 9.37),
    opus(FB, 64.0, 5.0, 11.35, 9.37).unpublished(),
    opus(FB, 96.0, 3.0, 11.35, 9.37).unpublished(),
];
