//! Video and multimedia quality against other models: values of G.1070, the anchors of the codecs' own quality scalers,
//! and the patterns of freezes.
//!
//! `fixtures/vectors/g1070_vectors.csv`: 360 values of Vq and 160 of MMq from a public implementation of G.1070.

use callgauge::score::combine::{G1070Display, Weights, audio_visual, g1070_multimedia, p1203_o34, sync_points};
use callgauge::score::video::{VideoCodec, VideoInputs, VideoModel};
use callgauge::score::{Model, ModelId, MosScale, Score, Tier};
use callgauge::unit::{Bitrate, Mos, Ratio, Rx};

use crate::oracle::statistics::spearman;

struct Row {
    source: String,
    inputs: String,
    mos: f64,
}

impl Row {
    fn input(&self, name: &str) -> f64 {
        let mut pairs = self.inputs.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).unwrap().1.parse().unwrap()
    }
}

fn rows(model: &str) -> Vec<Row> {
    let text = crate::common::text("vectors/g1070_vectors.csv");
    let rows: Vec<Row> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            let (source, inputs) = (fields.next()?.to_owned(), fields.next()?.to_owned());
            let mos = fields.nth(1)?.parse().ok()?;
            source.starts_with(model).then_some(Row { source, inputs, mos })
        })
        .collect();
    assert!(rows.len() >= 160, "{} rows of {model}", rows.len());
    rows
}

/// Vq of ITU-T G.1070, equations 11-16 to 11-22, with the coefficient sets that the rows name.
fn vq(set: &str, br: f64, fr: f64, ppl: f64) -> f64 {
    let v: [f64; 12] = match set {
        "h264_bp_vga_6in" => {
            [6.743, 0.009_998, 3.051, 168.1, 1.766, 1.130, 0.001_834, 1.232, 53.25, 3.353, 6.025, 80.752]
        }
        "h264_bp_vga_65in" => {
            [5.643, 0.010_42, 2.862, 178.2, 1.972, 1.263, 0.001_102_6, 1.125, 49.34, 3.047, 5.824, 92.465]
        }
        "h264_vga_9in" => [5.517, 0.0129, 3.459, 178.53, 1.02, 1.15, 0.000_355, 0.114, 513.77, 0.736, -6.451, 13.684],
        _ => panic!("{set}"),
    };
    let ofr = v[0] + v[1] * br;
    let iofr = v[2] * (1.0 - 1.0 / (1.0 + (br / v[3]).powf(v[4])));
    let dfr = v[5] + v[6] * br;
    let icod = iofr * (-(fr.ln() - ofr.ln()).powi(2) / (2.0 * dfr * dfr)).exp();
    let dppl = v[9] + v[10] * (-fr / v[7]).exp() + v[11] * (-br / v[8]).exp();
    1.0 + icod * (-ppl / dppl).exp()
}

/// The coefficient set or display that a row names in parentheses.
fn set(row: &Row) -> &str {
    row.source.split(['(', ';']).nth(1).unwrap()
}

#[test]
fn bits_and_frames_rank_as_in_g_1070() {
    let (mut model, mut of_set): (Vec<f64>, Vec<(String, f64, f64)>) = (Vec::new(), Vec::new());
    for row in rows("G.1070 Vq") {
        let (br, fr, ppl) = (row.input("br_kbps"), row.input("fps"), row.input("Ppl_pct"));
        if ppl != 0.0 {
            continue;
        }
        let mut inputs = VideoInputs::new();
        inputs.codec = Some("H264");
        inputs.bitrate = Bitrate::new(br * 1e3);
        (inputs.width, inputs.height) = (Some(640.0), Some(480.0));
        (inputs.display_width, inputs.display_height) = (Some(640.0), Some(480.0));
        inputs.frames_per_second = Some(fr);
        inputs.source_frames_per_second = Some(30.0);
        let mos = VideoModel::new().score(&inputs).unwrap().mos().as_f64();
        model.push(mos);
        of_set.push((set(&row).to_owned(), mos, row.mos));
    }
    assert_eq!(model.len(), 72);
    for (name, at_least) in [("h264_bp_vga_6in", 0.9), ("h264_bp_vga_65in", 0.9), ("h264_vga_9in", 0.9)] {
        let (ours, theirs): (Vec<f64>, Vec<f64>) =
            of_set.iter().filter(|(set, ..)| set == name).map(|&(_, ours, theirs)| (ours, theirs)).unzip();
        let rank = spearman(&ours, &theirs).unwrap();
        println!("{name}: Spearman {rank:.3} over {}", ours.len());
        assert!(rank >= at_least, "{name}: {rank}");
    }
}

#[test]
fn g_1070_matches_a_public_implementation() {
    for row in rows("G.1070 Vq") {
        let (br, fr, ppl) = (row.input("br_kbps"), row.input("fps"), row.input("Ppl_pct"));
        let got = vq(set(&row), br, fr, ppl);
        assert!((got - row.mos).abs() < 2e-6, "{} {}: {got}, not {}", row.source, row.inputs, row.mos);
    }
}

#[test]
fn multimedia_quality_matches_g_1070_vectors() {
    for row in rows("G.1070 MMq") {
        let display = match set(&row) {
            "4.2in" => G1070Display::Inches4_2,
            "2.1in" => G1070Display::Inches2_1,
            other => panic!("{other}"),
        };
        let mos = |name| Mos::new(row.input(name)).unwrap();
        let got =
            g1070_multimedia(mos("Sq"), mos("Vq"), row.input("Ts_ms"), row.input("Tv_ms"), display).unwrap().as_f64();
        assert!((got - row.mos).abs() < 2e-6, "{} {}: {got}, not {}", row.source, row.inputs, row.mos);
    }
}

#[test]
fn g_1070_skew_costs_more_than_equal_delays() {
    let (sq, vq) = (Mos::new(4.0).unwrap(), Mos::new(4.0).unwrap());
    for display in [G1070Display::Inches4_2, G1070Display::Inches2_1] {
        let mmq = |ts, tv| g1070_multimedia(sq, vq, ts, tv, display).unwrap();
        assert!(mmq(0.0, 400.0) < mmq(200.0, 200.0) && mmq(400.0, 0.0) < mmq(200.0, 200.0));
        assert_eq!(g1070_multimedia(sq, vq, -1.0, 0.0, display), None);
        assert_eq!(g1070_multimedia(sq, vq, f64::NAN, 0.0, display), None);
        assert_eq!(g1070_multimedia(sq, vq, 0.0, f64::INFINITY, display), None);
    }
}

#[test]
fn quality_scaler_thresholds_have_the_same_two_opinions() {
    // libwebrtc's thresholds.
    let codecs = [
        ("VP8", 29.0, 95.0, 127.0),
        ("video/VP9", 149.0, 205.0, 255.0),
        ("AV1", 145.0, 205.0, 255.0),
        ("H264", 24.0, 37.0, 51.0),
        ("h265", 24.0, 37.0, 51.0),
    ];
    for (codec, low, high, most) in codecs {
        let mos = |qp| {
            let mut inputs = VideoInputs::new();
            (inputs.codec, inputs.qp, inputs.frames_per_second) = (Some(codec), Some(qp), Some(30.0));
            inputs.frozen = Ratio::new(0.0);
            VideoModel::new().score(&inputs).unwrap().mos().as_f64()
        };
        assert!((mos(low) - 4.2).abs() < 1e-9 && (mos(high) - 3.3).abs() < 1e-9, "{codec}: {} {}", mos(low), mos(high));
        assert!(mos(0.0) > 4.499 && mos(most) < 1.000_001, "{codec}");
    }
}

#[test]
fn added_codec_is_scored_by_its_quantizer() {
    let mut inputs = VideoInputs::new();
    (inputs.codec, inputs.qp, inputs.frames_per_second) = (Some("video/H266"), Some(30.0), Some(30.0));
    assert!(VideoModel::new().score(&inputs).is_err());
    let model = VideoModel::new().with_codec(VideoCodec::new("H266").with_quantizer(30.0, 45.0, 63.0));
    assert!((model.score(&inputs).unwrap().mos().as_f64() - 4.2).abs() < 1e-9);
}

fn rx_with_freezes(frozen: f64, number: f64) -> f64 {
    let mut inputs = VideoInputs::new();
    (inputs.codec, inputs.qp, inputs.frames_per_second) = (Some("VP8"), Some(40.0), Some(30.0));
    (inputs.frozen, inputs.freezes_per_10_s) = (Ratio::new(frozen), Some(number));
    VideoModel::new().score(&inputs).unwrap().rx.as_f64()
}

#[test]
fn freezes_reduce_quality_as_in_p_1203_3() {
    // Clause 8, equation 29, without the term of the interval between stalls.
    for (frozen, number) in [(0.1, 1.0), (0.05, 0.0), (0.0, 3.0), (0.3, 2.0), (1.0, 1.0)] {
        let left = (-number / 9.351_586_84_f64).exp() * (-frozen / 0.918_908_15_f64).exp();
        assert!((rx_with_freezes(frozen, number) / rx_with_freezes(0.0, 0.0) - left).abs() < 1e-12);
    }
}

fn score_of(scale: MosScale, mos: f64) -> Score {
    let rx = callgauge::emodel::scale::r_from_mos(mos).and_then(Rx::new).unwrap();
    Score::new(ModelId::new("test", 1), scale, Tier::A1, rx)
}

fn combined(audio: f64, video: f64) -> f64 {
    let (audio, video) = (score_of(MosScale::Fullband, audio), score_of(MosScale::Video, video));
    audio_visual(&audio, &video, &Weights::new()).mos().as_f64()
}

#[test]
fn audio_and_video_combine_to_the_expected_scores() {
    // 1 + (A − 1)^0.6 · (V − 1)^0.4.
    for (audio, video) in [(4.0_f64, 4.0_f64), (3.0, 4.4), (4.4, 2.0), (2.6, 2.6)] {
        let expected = 1.0 + (audio - 1.0).powf(0.6) * (video - 1.0).powf(0.4);
        assert!((combined(audio, video) - expected).abs() < 1e-6, "{audio} {video}");
    }
    // Without intelligible audio, perfect video makes no good call.
    assert!((combined(1.2, 4.4) - 1.62).abs() < 0.01 && combined(2.0, 4.5) <= 2.5 + 1e-9);
    assert!(combined(1.0, 4.5) == 1.0);
    // P.1203.3, as written there: video weighs six times as much.
    let o34 = p1203_o34(Mos::new(3.0).unwrap(), Mos::new(4.0).unwrap()).as_f64();
    assert!((o34 - 4.6421).abs() < 1e-4, "{o34}");
}

#[test]
fn audio_may_be_90_ms_early_and_185_ms_late() {
    for (ahead_ms, points) in
        [(0.0, 0.0), (90.0, 0.0), (-185.0, 0.0), (190.0, 10.0), (-285.0, 10.0), (1e9, 40.0), (f64::NEG_INFINITY, 40.0)]
    {
        assert_eq!(sync_points(ahead_ms), Some(points), "{ahead_ms}");
    }
    assert_eq!(sync_points(f64::NAN), None);
}
