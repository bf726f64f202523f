//! Id, the impairment by delay (G.107 clause 7.4): talker echo, listener echo and absolute delay. It does not derive
//! delays from samples.

mod table;

/// TERV, talker echo loudness rating corrected for delay, dB:
/// `TELR − 40 log10((1 + T/10) / (1 + T/150)) + 6 e^(−0.3 T²)`.
///
/// - `telr`: TELR, talker echo loudness rating, dB; default 65, permitted 5 to 65.
/// - `t_ms`: T, mean one-way delay of the echo path, ms; default 0, permitted 0 to 500.
#[must_use]
pub fn terv(telr: f64, t_ms: f64) -> f64 {
    telr - 40.0 * libm::log10((1.0 + t_ms / 10.0) / (1.0 + t_ms / 150.0)) + 6.0 * libm::exp(-0.3 * t_ms * t_ms)
}

/// Idte, talker echo: `[(Roe − Re)/2 + √((Roe − Re)²/4 + 100) − 1] (1 − e^−T)`, and 0 for T below 1 ms.
///
/// `roe` and `re` are the references of the model in use. The published expression falls to −1 for an inaudible echo,
/// which would turn delay into an advantage; the result is at least 0.
#[must_use]
pub fn idte(roe: f64, re: f64, t_ms: f64) -> f64 {
    if t_ms < 1.0 {
        return 0.0;
    }
    let half = (roe - re) / 2.0;
    ((half + libm::sqrt(half * half + 100.0) - 1.0) * -libm::expm1(-t_ms)).max(0.0)
}

/// Idle, listener echo: `(Ro − Rle)/2 + √((Ro − Rle)²/4 + 169)` with `Rle = 10.5 (WEPL + 7) (Tr + 1)^(−1/4)`.
///
/// - `ro`: Ro of the model in use.
/// - `wepl`: WEPL, weighted echo path loss, dB; default 110, permitted 5 to 110.
/// - `tr_ms`: Tr, round-trip delay of the four-wire loop, ms; default 0, permitted 0 to 1000.
#[must_use]
pub fn idle(ro: f64, wepl: f64, tr_ms: f64) -> f64 {
    let rle = 10.5 * (wepl + 7.0) / libm::sqrt(libm::sqrt(tr_ms + 1.0));
    let half = (ro - rle) / 2.0;
    half + libm::sqrt(half * half + 169.0)
}

/// Idd, absolute delay on the narrowband scale: 0 up to mT, then
/// `25 [(1 + X^6sT)^(1/6sT) − 3 (1 + (X/3)^6sT)^(1/6sT) + 2]` with `X = log2(Ta / mT)`. At most 50.
///
/// - `ta_ms`: Ta, one-way mouth-to-ear delay, ms; default 0, permitted 0 to 500.
/// - `st`: sT, sensitivity of the users to delay; 1 by default, less for less sensitive users.
/// - `mt_ms`: mT, the largest imperceptible delay, ms; 100 by default.
///
/// G.107.1 and G.107.2 use 1.29 and 1.48 times this ([`super::Scale::stretch`]).
#[must_use]
pub fn idd(ta_ms: f64, st: f64, mt_ms: f64) -> f64 {
    if ta_ms <= mt_ms {
        return 0.0;
    }
    let x = libm::log2(ta_ms / mt_ms);
    let n = 6.0 * st;
    let idd = 25.0 * (super::soft_max_of_one(x, n) - 3.0 * super::soft_max_of_one(x / 3.0, n) + 2.0);
    // Near mT the three terms cancel to a few ulps of either sign.
    if idd < 0.0 { 0.0 } else { idd }
}

/// [`idd`] for the default sT = 1 and mT = 100 ms, by linear interpolation between its values at whole milliseconds:
/// the error is at most 2.5e-4, and the result never falls. Above 500 ms, the end of the range that G.107 permits, the
/// formula itself.
///
/// The table consists of constants, so it does not depend on the platform's mathematics.
#[must_use]
pub fn idd_tabled(ta_ms: f64) -> f64 {
    if ta_ms <= table::FIRST_MS {
        return 0.0;
    }
    // Positive. A cast truncates and saturates: NaN and values beyond the table find no pair there.
    let whole = ta_ms as u32 as f64;
    let at = (whole - table::FIRST_MS) as usize;
    match table::IDD.get(at..).unwrap_or_default() {
        [low, high, ..] if !ta_ms.is_nan() => low + (high - low) * (ta_ms - whole),
        _ => idd(ta_ms, 1.0, table::FIRST_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_holds_the_bits_of_the_formula() {
        assert_eq!(table::IDD.len(), 401);
        for (i, value) in (0_u32..).zip(table::IDD) {
            let ta_ms = table::FIRST_MS + f64::from(i);
            assert_eq!(value.to_bits(), idd(ta_ms, 1.0, 100.0).to_bits(), "at {ta_ms} ms");
        }
    }

    #[test]
    fn the_table_is_within_its_stated_error() {
        let mut largest = 0.0_f64;
        for i in 0..60_000 {
            let ta_ms = f64::from(i) / 100.0;
            largest = largest.max((idd_tabled(ta_ms) - idd(ta_ms, 1.0, 100.0)).abs());
        }
        assert!((2e-4..=2.5e-4).contains(&largest), "{largest}");
    }

    /// Prints the table again, in case `libm` changes a last bit.
    #[test]
    #[ignore = "prints"]
    fn print_the_table() {
        for i in 0..=400 {
            std::println!("{:?},", idd(100.0 + f64::from(i), 1.0, 100.0));
        }
    }

    #[test]
    fn delay_with_an_inaudible_echo_is_no_advantage() {
        for tenths in 0..200 {
            let t_ms = f64::from(tenths) / 10.0;
            assert!(idte(94.8, 80.0 + 2.5 * (terv(65.0, t_ms) - 14.0), t_ms) >= 0.0, "at {t_ms} ms");
        }
        assert_eq!(idte(94.8, 1e3, 5.0), 0.0);
    }

    #[test]
    fn nan_gives_nothing_finite() {
        assert!(idd_tabled(f64::NAN).is_nan() && idd(f64::NAN, 1.0, 100.0).is_nan());
        assert!(idle(94.0, f64::NAN, 0.0).is_nan() && terv(65.0, f64::NAN).is_nan());
        assert_eq!(idd_tabled(f64::NEG_INFINITY), 0.0);
    }

    proptest! {
        #[test]
        fn more_delay_never_impairs_less(
            a in 0.0..1_500.0_f64, b in 0.0..1_500.0_f64, st in 0.4..1.0_f64, mt_ms in 20.0..200.0_f64,
            telr in 5.0..65.0_f64, wepl in 5.0..110.0_f64,
        ) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(idd(less, st, mt_ms) <= idd(more, st, mt_ms) + 1e-9);
            prop_assert!(idd_tabled(less) <= idd_tabled(more) + 1e-9);
            prop_assert!(idle(94.8, wepl, less) <= idle(94.8, wepl, more) + 1e-9);
            let echo = |t| idte(94.8, 80.0 + 2.5 * (terv(telr, t) - 14.0), t);
            prop_assert!(echo(less) <= echo(more) + 1e-9);
            prop_assert!((0.0..=50.0).contains(&idd(more, st, mt_ms)));
        }

        #[test]
        fn a_small_step_of_delay_is_a_small_step_of_impairment(ta_ms in 0.0..1_500.0_f64, step in 0.0..5.0_f64) {
            // Idd is steepest near 220 ms, at 0.2 per millisecond.
            for idd in [|ta_ms| idd(ta_ms, 1.0, 100.0), idd_tabled] {
                prop_assert!((idd(ta_ms + step) - idd(ta_ms)).abs() <= 0.25 * step + 3e-4);
            }
        }
    }
}
