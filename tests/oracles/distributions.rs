//! Quantiles of digests and the opinion shares of the E-model against the closed forms of their distributions.

use callgauge::digest::Digest;
use callgauge::emodel::scale;
use statrs::distribution::{Beta, ContinuousCDF, LogNormal, Normal};
use statrs::statistics::Distribution;

/// Samples of equal weight at the midpoints of as many equal shares, so that their quantiles are those of the
/// distribution.
fn samples(distribution: &impl ContinuousCDF<f64, f64>) -> impl Iterator<Item = f64> {
    (0..SAMPLES).map(move |i| distribution.inverse_cdf((i as f64 + 0.5) / SAMPLES as f64))
}

const SAMPLES: usize = 2_000;
const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Checks each quantile of a digest. The rank is rounded down, by less than one sample.
fn check(
    digest_of: &str,
    quantile: impl Fn(f64) -> f64,
    expected: &impl ContinuousCDF<f64, f64>,
    error: impl Fn(f64) -> f64,
) {
    for share in SHARES {
        let rank = (share * (SAMPLES - 1) as f64).floor();
        let exact = expected.inverse_cdf((rank + 0.5) / SAMPLES as f64);
        let found = quantile(share);
        assert!((found - exact).abs() <= error(exact), "{digest_of}: {found} at {share}, not {exact}");
    }
}

#[test]
fn jitter_quantiles_match_their_distribution() {
    // Jitter in ms, with a long tail.
    let jitter = LogNormal::new(2.0, 0.8).unwrap();
    let mut digest = Digest::new();
    samples(&jitter).for_each(|ms| digest.add(ms, 1_000));
    let error = digest.relative_error().unwrap();
    check("jitter", |share| digest.quantile(share).unwrap(), &jitter, |exact| exact * error * 1.000_001);
}

#[test]
fn loss_quantiles_match_their_distribution() {
    // Loss ratios of windows of 40 packets at 5 % loss.
    let loss = Beta::new(2.0, 38.0).unwrap();
    for cells in [usize::MAX, 32, 16] {
        let mut digest = Digest::new();
        samples(&loss).for_each(|ratio| digest.add_within(ratio, 1_000, cells));
        let error = digest.relative_error().unwrap();
        check("loss", |share| digest.quantile(share).unwrap(), &loss, |exact| exact * error * 1.000_001);
        let mean = loss.mean().unwrap();
        assert!((digest.mean().unwrap() - mean).abs() < 0.001 * mean, "{:?}, not {mean}", digest.mean());
    }
}

#[test]
fn rating_quantiles_match_their_distribution() {
    // Rx in units of 0 to 100.
    let rating = Normal::new(75.0, 6.0).unwrap();
    let mut digest = Digest::on_linear_grid();
    samples(&rating).for_each(|rx| digest.add(rx, 1));
    let error = digest.absolute_error().unwrap();
    check("Rx", |share| digest.quantile(share).unwrap(), &rating, |_| error + 1e-9);
}

#[test]
fn opinion_shares_are_normal_in_r() {
    // G.107 Annex B: opinions are normal with a deviation of 16, good or better above 60, poor or worse below 45.
    let (good, poor) = (Normal::new(60.0, 16.0).unwrap(), Normal::new(45.0, 16.0).unwrap());
    let mut worst = 0.0_f64;
    for r in (-2_000..=13_000).map(|step| f64::from(step) / 100.0) {
        worst = worst.max((scale::gob(r) - 100.0 * good.cdf(r)).abs());
        worst = worst.max((scale::pow(r) - 100.0 * poor.sf(r)).abs());
    }
    // statrs' error function is exact to about ten digits, that of libm to all.
    assert!(worst < 1e-8, "{worst:e} %");
}
