use super::*;
use crate::emodel::{fullband, rate};
use crate::unit::Ratio;
use proptest::prelude::*;

fn at_kbps(name: &str, kbps: f64) -> CodecQuery<'_> {
    CodecQuery::new(name).with_bitrate(Bitrate::new(kbps * 1e3))
}

fn find(query: CodecQuery<'_>) -> Option<CodecImpairment> {
    CodecTable::new().find(&query)
}

#[test]
fn opus_joins_to_one_curve_on_the_fullband_scale() {
    // kbit/s, Ie,fb, clean MOS: computed independently of this code, from the published rows.
    let expected = [
        (6.0, 77.8, 2.44),
        (9.0, 66.5, 2.84),
        (11.0, 47.4, 3.50),
        (12.0, 42.3, 3.66),
        (13.0, 39.0, 3.76),
        (14.0, 38.1, 3.79),
        (15.0, 34.1, 3.90),
        (16.0, 30.2, 4.01),
        (19.0, 23.8, 4.16),
        (22.0, 20.2, 4.24),
        (25.0, 20.2, 4.24),
        (28.0, 18.5, 4.27),
        (31.0, 16.8, 4.30),
        (34.0, 14.8, 4.34),
        (37.0, 12.1, 4.38),
        (40.0, 10.7, 4.40),
    ];
    for (kbps, ie, mos) in expected {
        let found = find(at_kbps("opus", kbps)).unwrap();
        assert_eq!((found.equipment.scale(), found.basis), (Scale::Fullband, Basis::Published), "{kbps}");
        assert!((found.equipment.ie() - ie).abs() < 0.051, "{kbps}: {found:?}");
        let rating = rate(Scale::Fullband, found.equipment.ie(), 0.0).unwrap();
        assert!((rating.mos().as_f64() - mos).abs() < 0.0051, "{kbps}: {}", rating.mos());
    }
}

#[test]
fn opus_beyond_published_rates_is_extrapolated() {
    for (kbps, ie, basis) in [
        (40.0, 10.67, Basis::Published),
        (40.1, 10.646, Basis::Extrapolated),
        (64.0, 5.0, Basis::Extrapolated),
        (96.0, 3.0, Basis::Extrapolated),
        (510.0, 3.0, Basis::Extrapolated),
        (10.0, 56.975, Basis::Interpolated),
        (20.5, 22.015, Basis::Interpolated),
    ] {
        let found = find(at_kbps("opus", kbps)).unwrap();
        assert!((found.equipment.ie() - ie).abs() < 0.001, "{kbps}: {found:?}");
        assert_eq!(found.basis, basis, "{kbps}");
    }
    assert_eq!(find(at_kbps("opus", 5.9)), None, "Opus begins at 6 kbit/s");
}

#[test]
fn opus_of_a_known_bandwidth_keeps_to_its_scale() {
    let narrow = find(at_kbps("opus", 8.0).with_bandwidth(Some(Scale::Narrowband))).unwrap();
    assert_eq!((narrow.equipment.scale(), narrow.equipment.ie()), (Scale::Narrowband, 16.02));
    assert_eq!((narrow.equipment.bpl(), narrow.bpl_bursty), (Some(20.26), Some(13.48)));
    let wide =
        find(at_kbps("opus", 14.0).with_bandwidth(Some(Scale::Wideband)).with_fmtp("minptime=10; cbr=1")).unwrap();
    assert_eq!((wide.equipment.scale(), wide.equipment.ie()), (Scale::Wideband, 20.77));
    // Loss affects the joined curve as on the row's own scale, 54.8 below.
    let joined = find(at_kbps("opus", 8.0)).unwrap();
    let loss = Ratio::new(0.05).unwrap();
    let gain = joined.equipment.ie_eff(loss, 1.0).unwrap() - narrow.equipment.ie_eff(loss, 1.0).unwrap();
    assert!((gain - 54.8).abs() < 1e-9, "{gain}");
}

#[test]
fn every_published_row_is_found_at_its_rate() {
    let mut rows = 0;
    for codec in CODECS {
        for curve in codec.curves {
            for row in curve.rows.iter().filter(|row| row.published) {
                let (scale, ie, bpl) = (row.equipment.scale(), row.equipment.ie(), row.equipment.bpl());
                assert_eq!(Equipment::new(scale, ie, bpl), Some(row.equipment), "out of range");
                for name in codec.names {
                    let mut query = CodecQuery::new(name)
                        .with_bitrate(row.kbps.and_then(|kbps| Bitrate::new(kbps * 1e3)))
                        .with_bandwidth(Some(scale));
                    match curve.when {
                        When::Always => {}
                        When::ConstantBitrate(constant) => query = query.with_constant_bitrate(constant),
                        When::Concealment(concealment) => query = query.with_concealment(concealment),
                        When::VoiceActivityDetection(on) => query = query.with_voice_activity_detection(on),
                        When::Listening(listening) => query = query.with_listening(listening),
                    }
                    let found = find(query).unwrap();
                    assert_eq!(found.equipment.ie(), ie, "{name} {:?}", row.kbps);
                    if bpl.is_some() {
                        assert_eq!(found.equipment, row.equipment, "{name}");
                        assert_eq!(found.basis, Basis::Published, "{name}");
                    }
                    assert_eq!(found.source, curve.source);
                }
                rows += 1;
            }
            let is_sorted =
                curve.rows.is_sorted_by(|a, b| a.kbps < b.kbps && a.equipment.scale() <= b.equipment.scale());
            assert!(is_sorted, "{:?}", codec.names);
        }
    }
    assert_eq!(rows, 83);
}

#[test]
fn names_are_read_as_get_stats_spells_them() {
    for (name, ie) in [
        ("audio/PCMU", 0.0),
        ("PCMA", 0.0),
        ("pcmu", 0.0),
        ("Audio/G729", 11.0),
        (" GSM ", 20.0),
        ("audio/G726-32", 7.0),
        ("GSM-EFR", 5.0),
    ] {
        assert_eq!(find(CodecQuery::new(name)).unwrap().equipment.ie(), ie, "{name}");
    }
    assert_eq!(find(CodecQuery::new("G729").with_fmtp("annexb=no")).unwrap().equipment.ie(), 10.0);
    assert_eq!(find(CodecQuery::new("PCMU").with_concealment(false)).unwrap().equipment.bpl(), Some(4.3));
    assert_eq!(find(at_kbps("AMR-WB", 12.65).with_listening(Listening::Monotic)).unwrap().equipment.ie(), 13.0);
}

#[test]
fn unpublished_codecs_are_none() {
    for name in [
        "",
        "red",
        "audio/red",
        "CN",
        "telephone-event",
        "AMR",
        "isac",
        "L16",
        "ulpfec",
        "video/opus",
        "video/VP8",
        "opus/audio",
        "audio/",
        "/",
        "opu",
        "opus2",
        "ö",
    ] {
        assert_eq!(find(at_kbps(name, 32.0)), None, "{name}");
        assert_eq!(CodecTable::new().usual_bitrate(name), None, "{name}");
    }
    assert_eq!(find(CodecQuery::new("opus").with_bandwidth(None)), None, "without a rate");
    assert_eq!(find(CodecQuery::new("EVS")), None);
    assert_eq!(find(at_kbps("G722", 64.0)).unwrap().equipment.bpl(), None);
    assert_eq!(find(at_kbps("AMR-WB", 6.6)).unwrap().equipment.bpl(), None, "below the lowest rate with a Bpl");
}

#[test]
fn the_basis_is_that_of_the_less_certain_number() {
    // At 15.85 kbit/s an Ie is published, and no Bpl.
    for (kbps, basis) in [(12.65, Basis::Published), (15.85, Basis::Interpolated), (24.4, Basis::Extrapolated)] {
        assert_eq!(find(at_kbps("AMR-WB", kbps)).unwrap().basis, basis, "{kbps}");
    }
}

#[test]
fn a_usual_rate_is_a_rate_of_the_table() {
    let table = CodecTable::new();
    for (name, bps) in [("audio/opus", 32e3), ("g722", 64e3), ("ILBC", 13_330.0)] {
        let usual = table.usual_bitrate(name).unwrap();
        assert_eq!(usual.as_bps(), bps);
        assert!(table.find(&CodecQuery::new(name).with_bitrate(Some(usual))).is_some());
    }
    assert_eq!(table.usual_bitrate("AMR-WB"), None);
}

#[test]
fn added_values_stand_for_the_codec_alone() {
    let worth = |ie| Equipment::new(Scale::Wideband, ie, Some(10.0)).unwrap();
    let table = CodecTable::new()
        .with("audio/Opus", Bitrate::new(10e3), worth(30.0))
        .with("opus", Bitrate::new(20e3), worth(10.0))
        .with("opus", Bitrate::new(20e3), worth(20.0));
    let ie = |table: &CodecTable, kbps| Some(table.find(&at_kbps("opus", kbps))?.equipment.ie());
    assert_eq!(ie(&table, 10.0), Some(30.0));
    assert_eq!(ie(&table, 15.0), Some(25.0));
    assert_eq!(ie(&table, 50.0), Some(20.0));
    assert_eq!(ie(&table, 9.0), None);
    assert_eq!(table.usual_bitrate("opus"), None);
    let table = table.with("opus", None, worth(7.0));
    assert_eq!(table.find(&CodecQuery::new("opus")).unwrap().equipment.ie(), 7.0);
    assert_eq!(ie(&table, 1.0), Some(7.0));
    assert_eq!(table.find(&CodecQuery::new("PCMA")), find(CodecQuery::new("PCMA")));
}

proptest! {
    #[test]
    fn ie_has_no_jump_in_rate(kbps in 6.0..130.0_f64, step in 0.0..1.0_f64, constant in any::<bool>()) {
        let at = |kbps| find(at_kbps("opus", kbps).with_constant_bitrate(constant)).unwrap().equipment;
        let (here, there) = (at(kbps), at(kbps + step));
        // The steepest published pair: CBR 46.27 at 6 kbit/s, 31.73 at 7.
        prop_assert!((here.ie() - there.ie()).abs() <= 14.55 * step + 1e-9);
        let loss = Ratio::new(0.1).unwrap();
        let impairment = |equipment: Equipment| equipment.ie_eff(loss, 2.0).unwrap();
        prop_assert!((impairment(here) - impairment(there)).abs() <= 60.0 * step + 1e-9);
    }

    #[test]
    fn more_bits_never_sound_worse_with_opus_vbr(a in 6.0..520.0_f64, b in 6.0..520.0_f64) {
        let ie = |kbps| find(at_kbps("opus", kbps)).unwrap().equipment.ie();
        prop_assert!(ie(a.max(b)) <= ie(a.min(b)) + 1e-9);
    }

    #[test]
    fn any_name_and_rate_is_answered_within_bounds(name in "(audio/)?(opus|EVS|AMR-WB|G722|iLBC|G723|.{0,8})", bps in 0.0..1e12_f64) {
        if let Some(found) = find(CodecQuery::new(&name).with_bitrate(Bitrate::new(bps))) {
            let on_fullband = found.equipment.onto(Scale::Fullband).unwrap();
            prop_assert!((0.0..=132.0).contains(&on_fullband.ie()));
            let native = fullband::Parameters::new().with_ie(on_fullband.ie()).evaluate();
            prop_assert!(native.is_some());
        }
    }

    #[test]
    fn any_fmtp_is_read(fmtp in ".{0,40}") {
        let _ = CodecQuery::new("opus").with_fmtp(&fmtp);
    }
}
