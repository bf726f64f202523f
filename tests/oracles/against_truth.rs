//! Scores against measured quality, on the recordings to which no model was fitted. `examples/validate` prints all
//! figures.

use callgauge::score::audio::AudioModel;

use crate::oracle::statistics::{pearson, spearman};

#[test]
fn audio_score_follows_measured_quality_better_than_baselines() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings");
    let all = crate::segments::read(&directory).unwrap();
    let test: Vec<_> = all.iter().filter(|segment| segment.split == "test").collect();
    assert_eq!((all.len(), test.len()), (690, 230));

    let model = AudioModel::new();
    let pesq: Vec<f64> = test.iter().map(|segment| segment.pesq).collect();
    let mean: Vec<f64> = test.iter().map(|segment| (segment.pesq + segment.visqol + segment.plcmos) / 3.0).collect();
    let ours: Vec<f64> = test.iter().map(|segment| segment.score(&model).unwrap()).collect();
    let (with_pesq, with_mean) = (pearson(&ours, &pesq).unwrap(), spearman(&ours, &mean).unwrap());
    assert!(with_pesq >= 0.88, "{with_pesq}");
    assert!(with_mean >= 0.75, "{with_mean}");

    let mut compared = 0;
    for baseline in crate::oracle::BASELINES.iter().filter(|baseline| !baseline.name.ends_with("ratio")) {
        let theirs: Vec<f64> = test.iter().map(|segment| (baseline.score)(&segment.window).unwrap()).collect();
        let (pesq, mean) = (pearson(&theirs, &pesq).unwrap(), spearman(&theirs, &mean).unwrap());
        assert!(with_pesq >= pesq + 0.1 && with_mean >= mean + 0.1, "{}: {pesq} {mean}", baseline.name);
        compared += 1;
    }
    assert_eq!(compared, 10);
}
