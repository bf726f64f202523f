//! Agreement of scores with measured quality: `cargo run --release --example validate -- DIRECTORY [--fit]`.
//!
//! Reads the recordings in DIRECTORY whose metadata hold PESQ, ViSQOL and PLCMOS of the received audio, 8 s at a time,
//! scores the same windows with callgauge and with the formulas of other projects, and prints the agreement of each.
//! `--fit` finds the two fitted constants of the audio model, from the recordings marked `"split": "train"` only.

mod correlation;
#[path = "../../tests/oracles/oracle/mod.rs"]
mod oracle;
mod segments;

use std::error::Error;
use std::path::Path;

use callgauge::score::Model;
use callgauge::score::audio::AudioModel;
use correlation::Coefficient;
use oracle::statistics::{Bootstrap, pearson, rmse_after_monotone_fit, spearman, standardised};
use segments::Segment;
use statrs::statistics::Statistics as _;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = arguments.first().ok_or("usage: validate DIRECTORY [--fit]")?;
    let all = segments::read(Path::new(directory))?;
    let of = |split: &str| -> Vec<&Segment> { all.iter().filter(|segment| segment.split == split).collect() };
    let (train, test) = (of("train"), of("test"));
    println!("{} usable segments: {} for fitting, {} for testing", all.len(), train.len(), test.len());

    if arguments.iter().any(|argument| argument == "--fit") {
        return fit(&train);
    }
    let model = AudioModel::new();
    println!("\nModel {}. LQ: without delay, which none of the three metrics measures.", Model::id(&model));
    for (name, segments) in [("test: not used for fitting", &test), ("train", &train)] {
        compare(name, &model, segments)?;
    }
    rest(&model, &test, &train)
}

/// A score for every segment; a segment without a score is left out of its row, and counted.
struct Row<'a> {
    name: &'a str,
    scores: Vec<Option<f64>>,
}

/// Measurements of some segments.
struct Truth {
    pesq: Vec<f64>,
    /// The mean of PESQ, ViSQOL and PLCMOS.
    mean: Vec<f64>,
    /// The mean of the three, each standardised over these segments, so that PESQ, which spreads most, weighs no more
    /// than the others.
    even_mean: Vec<f64>,
}

impl Truth {
    fn of(segments: &[&Segment]) -> Option<Self> {
        let column = |metric: fn(&Segment) -> f64| segments.iter().map(|segment| metric(segment)).collect::<Vec<f64>>();
        let (pesq, visqol, plcmos) = (column(|s| s.pesq), column(|s| s.visqol), column(|s| s.plcmos));
        let mean = |a: &[f64], b: &[f64], c: &[f64]| {
            a.iter().zip(b).zip(c).map(|((a, b), c)| (a + b + c) / 3.0).collect::<Vec<f64>>()
        };
        Some(Self {
            mean: mean(&pesq, &visqol, &plcmos),
            even_mean: mean(&standardised(&pesq)?, &standardised(&visqol)?, &standardised(&plcmos)?),
            pesq,
        })
    }
}

/// Agreement of a row with the measurements.
struct Agreement {
    n: usize,
    /// Pearson with PESQ.
    pesq: f64,
    /// Spearman with the mean.
    mean: f64,
    /// Spearman with the even mean.
    even_mean: f64,
    /// RMSE of PESQ after a monotone fit.
    rmse: f64,
}

impl Row<'_> {
    fn ours(model: &AudioModel, segments: &[&Segment]) -> Self {
        Row { name: "callgauge", scores: segments.iter().map(|segment| segment.score(model)).collect() }
    }

    fn agreement(&self, truth: &Truth, indices: impl IntoIterator<Item = usize>) -> Option<Agreement> {
        let (mut scores, mut pesq, mut mean, mut even_mean) = (vec![], vec![], vec![], vec![]);
        for index in indices {
            if let Some(score) = self.scores[index] {
                scores.push(score);
                pesq.push(truth.pesq[index]);
                mean.push(truth.mean[index]);
                even_mean.push(truth.even_mean[index]);
            }
        }
        Some(Agreement {
            n: scores.len(),
            pesq: pearson(&scores, &pesq)?,
            mean: spearman(&scores, &mean)?,
            even_mean: spearman(&scores, &even_mean)?,
            rmse: rmse_after_monotone_fit(&scores, &pesq)?,
        })
    }
}

/// Prints a row for each model, and callgauge's lead with its confidence interval.
fn compare(name: &str, model: &AudioModel, segments: &[&Segment]) -> Result<(), Box<dyn Error>> {
    let truth = Truth::of(segments).ok_or("too few segments")?;
    let recordings: Vec<&str> = segments.iter().map(|segment| segment.recording.as_str()).collect();
    let ours = Row::ours(model, segments);
    let peers = oracle::BASELINES.iter().map(|baseline| Row {
        name: baseline.name,
        scores: segments.iter().map(|segment| (baseline.score)(&segment.window)).collect(),
    });
    let mut rows = Vec::new();
    println!("\n{name}: {} segments", segments.len());
    let titles = |titles: [&str; 6], margins: &str| {
        let [name, n, pesq, mean, even, rmse] = titles;
        println!("{name:26} {n:>4}  {pesq:>7}  {mean:>8}  {even:>8}  {rmse:>6}   {margins}");
    };
    titles(["", "n", "Pearson", "Spearman", "Spearman", "RMSE"], "ahead by, 95 % by recording: Pearson with PESQ,");
    titles(["", "", "PESQ", "mean", "even", "PESQ"], "Spearman with the mean");
    for row in std::iter::once(Row::ours(model, segments)).chain(peers) {
        let Some(Agreement { n, pesq, mean, even_mean, rmse }) = row.agreement(&truth, 0..segments.len()) else {
            println!("{:26} too few scores", row.name);
            continue;
        };
        print!("{:26} {n:>4}  {pesq:>7.3}  {mean:>8.3}  {even_mean:>8.3}  {rmse:>6.3}", row.name);
        let bootstrap = Bootstrap { rounds: 1_000, ..Bootstrap::default() };
        let ahead = |of: fn(&Agreement) -> f64| {
            bootstrap.interval(&recordings, |rows| {
                let of_row = |row: &Row<'_>| row.agreement(&truth, rows.iter().copied()).map(|found| of(&found));
                Some(of_row(&ours)? - of_row(&row)?)
            })
        };
        if row.name != ours.name {
            for by in [ahead(|a| a.pesq), ahead(|a| a.mean)].into_iter().flatten() {
                print!("   {:+.2} to {:+.2}", by.low, by.high);
            }
        }
        println!();
        rows.push(row);
    }
    println!("\n95 % intervals of the same figures, resampled by recording");
    for row in &rows {
        print!("{:26}", row.name);
        let bootstrap = Bootstrap { rounds: 1_000, ..Bootstrap::default() };
        let figures: [fn(&Agreement) -> f64; 4] = [|a| a.pesq, |a| a.mean, |a| a.even_mean, |a| a.rmse];
        for figure in figures {
            let of_rows =
                |indices: &[usize]| row.agreement(&truth, indices.iter().copied()).map(|found| figure(&found));
            if let Some(interval) = bootstrap.interval(&recordings, of_rows) {
                print!("   {:.2} to {:.2}", interval.low, interval.high);
            }
        }
        println!();
    }
    print_fisher(&rows, &truth, segments.len());
    Ok(())
}

/// Prints the intervals of the correlations that would hold if segments were independent.
fn print_fisher(rows: &[Row<'_>], truth: &Truth, segments: usize) {
    println!("\n95 % intervals of the three correlations by Fisher's z, as if all segments were independent");
    for row in rows {
        let Some(Agreement { n, pesq, mean, even_mean, .. }) = row.agreement(truth, 0..segments) else { continue };
        print!("{:26}", row.name);
        let correlations =
            [(Coefficient::Pearson, pesq), (Coefficient::Spearman, mean), (Coefficient::Spearman, even_mean)];
        for (coefficient, r) in correlations {
            if let Some((low, high)) = coefficient.interval(r, n, 0.95) {
                print!("   {low:.2} to {high:.2}");
            }
        }
        println!();
    }
}

/// Prints the residuals, and how much of them voices and stretching explain.
fn rest(model: &AudioModel, test: &[&Segment], train: &[&Segment]) -> Result<(), Box<dyn Error>> {
    let truth = Truth::of(test).ok_or("too few segments")?;
    let agreement = |model: &AudioModel| Row::ours(model, test).agreement(&truth, 0..test.len());
    let whole = agreement(model).ok_or("too few scores")?;
    let unstretched = agreement(&model.clone().with_stretching(0.0, 1.0)).ok_or("too few scores")?;
    println!("\nResiduals on the test segments:");
    println!(
        "  stretching: without its term Pearson {:.3} instead of {:.3}, Spearman {:.3} instead of {:.3}",
        unstretched.pesq, whole.pesq, unstretched.mean, whole.mean
    );
    let best = spearman(&truth.pesq, &truth.mean).zip(spearman(&truth.pesq, &truth.even_mean));
    if let Some((mean, even)) = best {
        println!("  the metrics themselves: PESQ has Spearman {mean:.3} with the mean, {even:.3} with the even mean");
    }

    // The unimpaired level of a voice, from its clean recordings.
    let clean: Vec<&&Segment> = train.iter().filter(|segment| segment.is_clean).collect();
    let of_voice = |voice: &str| {
        let values: Vec<f64> = clean.iter().filter(|segment| segment.voice == voice).map(|s| s.pesq).collect();
        (values.len() >= 5).then(|| values.as_slice().mean())
    };
    let pairs: Vec<(f64, f64, f64)> = test
        .iter()
        .filter_map(|segment| Some((segment.score(model)?, segment.pesq, segment.pesq - of_voice(&segment.voice)?)))
        .collect();
    let column = |of: fn(&(f64, f64, f64)) -> f64| pairs.iter().map(of).collect::<Vec<f64>>();
    let scores = column(|pair| pair.0);
    if let Some((raw, relative)) =
        pearson(&scores, &column(|pair| pair.1)).zip(pearson(&scores, &column(|pair| pair.2)))
    {
        println!(
            "  voices: {} segments have clean recordings of the same voice; Pearson with PESQ {raw:.3}, with PESQ less that of \
             the clean voice {relative:.3}",
            pairs.len()
        );
    }
    let clean: Vec<f64> = clean.iter().map(|segment| segment.pesq).collect();
    println!(
        "  sentences: PESQ of {} clean segments is {:.2} with a standard deviation of {:.2}",
        clean.len(),
        clean.as_slice().mean(),
        clean.as_slice().population_std_dev()
    );
    Ok(())
}

/// Finds κ and the half point of stretching that maximise Pearson with PESQ plus half of Spearman with the mean of the
/// three, over a grid, on the training segments. Leaving out each recording once shows their stability.
fn fit(train: &[&Segment]) -> Result<(), Box<dyn Error>> {
    const KAPPAS: [f64; 15] = [0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
    const HALVES: [f64; 15] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0];
    let truth = Truth::of(train).ok_or("too few segments")?;
    let rows: Vec<(f64, f64, Row<'_>)> = KAPPAS
        .iter()
        .flat_map(|&kappa| HALVES.iter().map(move |&half| (kappa, half)))
        .map(|(kappa, half)| {
            let model = AudioModel::new().with_kappa(kappa).with_stretching(40.0, half);
            (kappa, half, Row::ours(&model, train))
        })
        .collect();
    let best = |indices: &[usize]| {
        let worth =
            |row: &Row<'_>| row.agreement(&truth, indices.iter().copied()).map(|found| found.pesq + 0.5 * found.mean);
        rows.iter()
            .filter_map(|(kappa, half, row)| Some((worth(row)?, *kappa, *half)))
            .max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let everything: Vec<usize> = (0..train.len()).filter(|&index| !train[index].is_cut).collect();
    let (worth, kappa, half) = best(&everything).ok_or("nothing to fit")?;
    println!("best on {} segments: kappa {kappa}, half of stretching at {half} % (worth {worth:.4})", everything.len());
    let mut names: Vec<&str> = train.iter().map(|segment| segment.recording.as_str()).collect();
    names.dedup();
    let mut others: Vec<(f64, f64)> = Vec::new();
    for name in names {
        let without: Vec<usize> = everything.iter().copied().filter(|&index| train[index].recording != name).collect();
        if let Some((_, kappa, half)) = best(&without) {
            others.push((kappa, half));
        }
    }
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = others.iter().map(of);
        (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
    };
    println!("with each recording left out once: kappa {:?}, half {:?}", range(|f| f.0), range(|f| f.1));
    Ok(())
}
