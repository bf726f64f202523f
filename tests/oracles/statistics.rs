//! The statistics for comparisons of scores, against worked examples and SciPy 1.17.1, and their laws.

use proptest::prelude::*;
use statrs::distribution::{Binomial, ContinuousCDF as _, Discrete as _, Normal};
use statrs::statistics::Statistics as _;

use crate::oracle::statistics::{
    Bootstrap, SplitMix64, monotone_fit, pearson, pool_adjacent_violators, quantile, ranks, rmse,
    rmse_after_monotone_fit, spearman, standardised,
};

/// Anscombe, "Graphs in statistical analysis", The American Statistician 27 (1), 1973: four sets of one correlation.
const ANSCOMBE_X: [f64; 11] = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
const ANSCOMBE_X4: [f64; 11] = [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 19.0, 8.0, 8.0, 8.0];
const ANSCOMBE_Y: [[f64; 11]; 4] = [
    [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68],
    [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74],
    [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73],
    [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89],
];

/// IQ and hours of television: the worked example of the article on Spearman's coefficient in Wikipedia, −29 / 165.
const IQ: [f64; 10] = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
const TELEVISION: [f64; 10] = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];

/// With ties on both sides.
const TIED_X: [f64; 8] = [1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0];
const TIED_Y: [f64; 8] = [2.0, 1.0, 4.0, 3.0, 3.0, 6.0, 5.0, 5.0];

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value}, not {expected}");
}

fn all_near(values: &[f64], expected: &[f64]) {
    assert_eq!(values.len(), expected.len());
    values.iter().zip(expected).for_each(|(&value, &expected)| near(value, expected));
}

#[test]
fn correlations_match_worked_examples() {
    let xs = [ANSCOMBE_X, ANSCOMBE_X, ANSCOMBE_X, ANSCOMBE_X4];
    // scipy.stats.pearsonr and spearmanr.
    let expected = [
        (0.8164205163448395, 0.8181818181818182),
        (0.8162365060002424, 0.690909090909091),
        (0.8162867394895981, 0.990909090909091),
        (0.8165214368885028, 0.5),
    ];
    for ((x, y), (r, rho)) in xs.iter().zip(&ANSCOMBE_Y).zip(expected) {
        near(pearson(x, y).unwrap(), r);
        near(spearman(x, y).unwrap(), rho);
    }
    near(spearman(&IQ, &TELEVISION).unwrap(), -29.0 / 165.0);
    near(pearson(&TIED_X, &TIED_Y).unwrap(), 0.6546852202824875);
    near(spearman(&TIED_X, &TIED_Y).unwrap(), 0.6833484562718363);
    // scipy.stats.rankdata
    assert_eq!(ranks(&TIED_X), [1.0, 2.5, 2.5, 5.0, 5.0, 5.0, 7.0, 8.0]);
    assert_eq!(ranks(&TIED_Y), [2.0, 1.0, 5.0, 3.5, 3.5, 8.0, 6.5, 6.5]);
}

#[test]
fn monotone_fits_match_scipy() {
    // The example in the documentation of scipy.optimize.isotonic_regression: five blocks.
    let y = [1.5, 1.0, 4.0, 6.0, 5.7, 5.0, 7.8, 9.0, 7.5, 9.5, 9.0];
    let third = (6.0 + 5.7 + 5.0) / 3.0;
    let fit = [1.25, 1.25, 4.0, third, third, third, 7.8, 8.25, 8.25, 9.25, 9.25];
    all_near(&pool_adjacent_violators(&y, &[1.0; 11]), &fit);
    let weighted = pool_adjacent_violators(&[3.0, 1.0, 2.0, 6.0, 4.0], &[1.0, 2.0, 3.0, 1.0, 4.0]);
    all_near(&weighted, &[5.0 / 3.0, 5.0 / 3.0, 2.0, 4.4, 4.4]);

    // Rising, in the order of the points, not of x. (8.81 + 8.33 + 8.04) / 3 and so on.
    let high = (8.04 + 8.81 + 8.33) / 3.0;
    let expected = [high, 6.95, 9.21, high, high, 9.96, 6.03, 4.26, 9.21, 6.03, 5.68];
    all_near(&monotone_fit(&ANSCOMBE_X, &ANSCOMBE_Y[0]).unwrap(), &expected);
    near(rmse_after_monotone_fit(&ANSCOMBE_X, &ANSCOMBE_Y[0]).unwrap(), 0.8813453902810731);
    // Equal x, one value.
    all_near(&monotone_fit(&TIED_X, &TIED_Y).unwrap(), &[2.0, 2.5, 2.5, 4.0, 4.0, 4.0, 5.0, 5.0]);
    near(rmse_after_monotone_fit(&TIED_X, &TIED_Y).unwrap(), 1.14564392373896);
    // Falling.
    let expected = [12.0, 26.0, 26.0, 26.0, 26.0, 26.0, 26.0, 9.0, 9.0, 12.0];
    all_near(&monotone_fit(&IQ, &TELEVISION).unwrap(), &expected);
    near(rmse_after_monotone_fit(&IQ, &TELEVISION).unwrap(), 11.269427669584644);
}

#[test]
fn quantiles_and_deviations_match_numpy() {
    let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
    for (share, expected) in [(0.025, 1.0), (0.25, 1.75), (0.5, 3.5), (0.9, 6.9), (0.975, 8.475)] {
        near(quantile(&values, share).unwrap(), expected);
    }
    assert_eq!(quantile(&[], 0.5), None);
    // Mean 5, deviation 2: the worked example of the article on standard deviation in Wikipedia.
    let z = standardised(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    all_near(&z, &[-1.5, -0.5, -0.5, -0.5, 0.0, 0.0, 1.0, 2.0]);
}

#[test]
fn generator_is_splitmix64() {
    // The first five of seed 1234567, as Rosetta Code prints them.
    let mut random = SplitMix64(1_234_567);
    let drawn: Vec<u64> = (0..5).map(|_| random.next()).collect();
    let expected = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(drawn, expected);
}

#[test]
fn undefined_statistics_are_none() {
    const NONE: Option<f64> = None;
    let (x, flat) = ([1.0, 2.0, 3.0, 4.0], [0.1; 4]);
    for (x, y) in [
        (&x[..2], &x[..2]),                        // two points
        (&x[..], &flat[..]),                       // no variance, whatever 0.1 + 0.1 + 0.1 rounds to
        (&flat[..], &x[..]),                       // nor here
        (&x[..], &x[..3]),                         // lengths
        (&x[..3], &[1.0, f64::NAN, 2.0][..]),      // no number
        (&x[..3], &[1.0, f64::INFINITY, 2.0][..]), // also undefined
    ] {
        assert_eq!((pearson(x, y), spearman(x, y)), (NONE, NONE), "{x:?} {y:?}");
        assert_eq!((monotone_fit(x, y), rmse_after_monotone_fit(x, y)), (None, NONE), "{x:?} {y:?}");
    }
    assert_eq!(rmse(&x[..2], &x[..2]), None);
    assert_eq!((standardised(&flat), standardised(&x[..2])), (None, None));
    // One recording is no evidence about another.
    assert_eq!(Bootstrap::default().interval(&["a"; 5], |rows| Some(rows.len() as f64)), None);
    assert_eq!(Bootstrap::default().interval(&["a", "b"], |_| None), None);
    assert_eq!(Bootstrap::default().interval::<u8>(&[], |_| Some(1.0)), None);
}

#[test]
fn bootstrap_interval_of_a_mean_matches_its_standard_error() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let groups: Vec<usize> = (0..100).collect();
    let mean = |rows: &[usize]| Some(rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64);
    let interval = Bootstrap { rounds: 10_000, level: 0.95, seed: 7 }.interval(&groups, mean).unwrap();
    let error = values.as_slice().population_std_dev() / 10.0;
    let expected = Normal::new(values.as_slice().mean(), error).unwrap();
    assert!((interval.low - expected.inverse_cdf(0.025)).abs() < 0.05 * error, "{interval:?}, error {error}");
    assert!((interval.high - expected.inverse_cdf(0.975)).abs() < 0.05 * error, "{interval:?}, error {error}");
}

#[test]
fn bootstrap_draws_whole_groups() {
    let groups = ["b", "a", "c", "a", "b", "a"];
    let mut sizes = [0; 4];
    let draws = Bootstrap { rounds: 500, level: 0.9, seed: 3 };
    draws
        .interval(&groups, |rows| {
            let drawn = |row| rows.iter().filter(|&&drawn| drawn == row).count();
            assert_eq!((drawn(1), drawn(1), drawn(0)), (drawn(3), drawn(5), drawn(4)));
            assert_eq!(drawn(0) + drawn(1) + drawn(2), 3, "as many groups as there are");
            sizes[drawn(1)] += 1;
            Some(rows.len() as f64)
        })
        .unwrap();
    let draws_of_a = Binomial::new(1.0 / 3.0, 3).unwrap();
    for (drawn, size) in (0..).zip(sizes) {
        let expected = 500.0 * draws_of_a.pmf(drawn);
        assert!((f64::from(size) - expected).abs() < 4.0 * expected.sqrt(), "{sizes:?}");
    }
}

/// Points of whole numbers, whose squares and cubes are exact.
fn points() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let whole = |range: std::ops::Range<i32>| range.prop_map(f64::from);
    // Few values make ties.
    let pair = prop_oneof![(whole(-5..5), whole(-5..5)), (whole(-1_000..1_000), whole(-1_000..1_000))];
    proptest::collection::vec(pair, 3..40).prop_map(|pairs| pairs.into_iter().unzip())
}

fn mapped(values: &[f64], map: impl Fn(f64) -> f64) -> Vec<f64> {
    values.iter().map(|&value| map(value)).collect()
}

proptest! {
    #[test]
    fn spearman_depends_on_order_only((x, y) in points()) {
        let rho = spearman(&x, &y);
        prop_assert_eq!(spearman(&mapped(&x, |x| x * x * x), &y), rho);
        prop_assert_eq!(spearman(&x, &mapped(&y, |y| 2.0 * y - 7.0)), rho);
        let turned = spearman(&mapped(&x, |x| -x), &y);
        prop_assert_eq!(turned.is_some(), rho.is_some());
        if let (Some(turned), Some(rho)) = (turned, rho) {
            prop_assert!((turned + rho).abs() < 1e-12);
            prop_assert!((-1.0..=1.0).contains(&rho));
        }
    }

    #[test]
    fn pearson_depends_on_neither_unit_nor_origin((x, y) in points()) {
        let r = pearson(&x, &y);
        let moved = pearson(&mapped(&x, |x| 0.25 * x + 3.0), &mapped(&y, |y| 8.0 * y));
        prop_assert_eq!(moved.is_some(), r.is_some());
        if let (Some(moved), Some(r)) = (moved, r) {
            prop_assert!((moved - r).abs() < 1e-9);
            prop_assert_eq!(pearson(&y, &x).map(|turned| (turned - r).abs() < 1e-12), Some(true));
        }
    }

    #[test]
    fn pooled_values_rise_and_are_stable((values, weights) in points()) {
        let weights = mapped(&weights, |weight| weight.abs() + 1.0);
        let pooled = pool_adjacent_violators(&values, &weights);
        prop_assert_eq!(pooled.len(), values.len());
        prop_assert!(pooled.windows(2).all(|pair| pair[0] <= pair[1]), "{pooled:?}");
        prop_assert_eq!(&pool_adjacent_violators(&pooled, &weights), &pooled);
        // Pooling moves no weight.
        let sum = |values: &[f64]| values.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>();
        prop_assert!((sum(&pooled) - sum(&values)).abs() < 1e-6);
    }

    #[test]
    fn monotone_fit_is_monotone_and_no_worse_than_mean_or_line((x, y) in points()) {
        let Some(fit) = monotone_fit(&x, &y) else {
            prop_assert_eq!(spearman(&x, &y), None);
            return Ok(());
        };
        let rising = spearman(&x, &y).unwrap() >= 0.0;
        for i in 0..x.len() {
            for j in 0..x.len() {
                if x[i] == x[j] {
                    prop_assert_eq!(fit[i], fit[j]);
                } else if (x[i] < x[j]) == rising {
                    prop_assert!(fit[i] <= fit[j]);
                }
            }
        }
        let residual = rmse_after_monotone_fit(&x, &y).unwrap();
        let mean = vec![y.iter().sum::<f64>() / y.len() as f64; y.len()];
        prop_assert!(residual <= rmse(&mean, &y).unwrap() + 1e-9);
        // A line with the same direction is one of the candidate functions.
        let r = pearson(&x, &y).unwrap();
        if (r >= 0.0) == rising {
            let of_line = rmse(&mean, &y).unwrap() * (1.0 - r * r).max(0.0).sqrt();
            prop_assert!(residual <= of_line + 1e-6);
        }
        // A monotone sequence is its own fit.
        if let Some(again) = monotone_fit(&x, &fit) {
            prop_assert!(rmse(&again, &fit).unwrap() < 1e-9);
        }
    }

    #[test]
    fn repeating_rows_within_a_group_changes_nothing(
        values in proptest::collection::vec(-1e3..1e3_f64, 2..12),
        times in 1..5_usize,
        seed in any::<u64>(),
    ) {
        let draws = Bootstrap { rounds: 50, level: 0.9, seed };
        let interval = |times: usize| {
            let groups: Vec<usize> = (0..values.len() * times).map(|row| row % values.len()).collect();
            draws.interval(&groups, |rows| {
                Some(rows.iter().map(|&row| values[groups[row]]).sum::<f64>() / rows.len() as f64)
            })
        };
        let (once, repeated) = (interval(1).unwrap(), interval(times).unwrap());
        prop_assert!(once.low <= once.high);
        prop_assert!((once.low - repeated.low).abs() < 1e-9 && (once.high - repeated.high).abs() < 1e-9);
        // Within the range of the values.
        let (least, most) = (quantile(&values, 0.0).unwrap(), quantile(&values, 1.0).unwrap());
        prop_assert!(least - 1e-9 <= once.low && once.high <= most + 1e-9);
    }
}
