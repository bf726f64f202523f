//! Laws of the E-model family: no growing impairment raises a score, every score is bounded, a small input step is a
//! small score step, and unknown stays unknown.

use callgauge::emodel::codec::{CodecQuery, CodecTable};
use callgauge::emodel::equipment::valid_burst_r;
use callgauge::emodel::{Equipment, Rating, Scale, fullband, narrowband, rate, wideband};
use callgauge::unit::{Bitrate, Ratio};
use proptest::prelude::*;

/// Inputs of an E-model.
#[derive(Clone, Copy, Debug)]
struct Call {
    ie: f64,
    bpl: f64,
    ppl: f64,
    burst_r: f64,
    ta_ms: f64,
    /// Whether Ta follows T and Tr.
    echo: bool,
}

impl Call {
    /// R before it is clamped to the scale, and the rating.
    fn on(self, scale: Scale) -> (f64, Rating) {
        let Self { ie, bpl, ppl, burst_r, ta_ms, echo } = self;
        let burst_r = valid_burst_r(burst_r, ppl);
        match scale {
            Scale::Narrowband => {
                let p = narrowband::Parameters::new().with_ie(ie).with_bpl(bpl).with_ppl(ppl).with_burst_r(burst_r);
                let b = if echo { p.with_delay_ms(ta_ms) } else { p.with_ta_ms(ta_ms) }.evaluate().unwrap();
                (b.r, b.rating)
            }
            Scale::Wideband => {
                let p = wideband::Parameters::new().with_ie(ie).with_bpl(bpl).with_ppl(ppl).with_burst_r(burst_r);
                let b = if echo { p.with_delay_ms(ta_ms) } else { p.with_ta_ms(ta_ms) }.evaluate().unwrap();
                (b.r, b.rating)
            }
            _ => {
                let p = fullband::Parameters::new().with_ie(ie).with_bpl(bpl).with_ppl(ppl).with_burst_r(burst_r);
                let b = p.with_ta_ms(ta_ms).evaluate().unwrap();
                (b.r, b.rating)
            }
        }
    }
}

fn any_call() -> impl Strategy<Value = Call> {
    // The curves bend mostly at low loss and low delay.
    let ppl = prop_oneof![0.0..4.0_f64, 0.0..=100.0_f64];
    let ta_ms = prop_oneof![0.0..20.0_f64, 95.0..105.0_f64, 0.0..1_000.0_f64];
    (0.0..60.0_f64, 4.3..40.0_f64, ppl, 1.0..8.0_f64, ta_ms, any::<bool>())
        .prop_map(|(ie, bpl, ppl, burst_r, ta_ms, echo)| Call { ie, bpl, ppl, burst_r, ta_ms, echo })
}

fn any_scale() -> impl Strategy<Value = Scale> {
    proptest::sample::select(&Scale::ALL[..])
}

/// Side tone lets through a little less echo as T grows, which may return what it took: 5e-8 of R at the defaults.
const SIDE_TONE: f64 = 1e-7;

fn no_better(worse: (f64, Rating), better: (f64, Rating)) -> bool {
    worse.0 <= better.0 + SIDE_TONE
        && worse.1.mos().as_f64() <= better.1.mos().as_f64() + SIDE_TONE
        && worse.1.good_or_better().as_f64() <= better.1.good_or_better().as_f64() + SIDE_TONE
        && worse.1.poor_or_worse().as_f64() >= better.1.poor_or_worse().as_f64() - SIDE_TONE
}

proptest! {
    #[test]
    fn growing_impairment_never_raises_the_rating(call in any_call(), scale in any_scale(), other in any_call()) {
        let (least, most) = (|a: f64, b: f64| a.min(b), |a: f64, b: f64| a.max(b));
        let pairs = [
            ("Ppl", Call { ppl: least(call.ppl, other.ppl), ..call }, Call { ppl: most(call.ppl, other.ppl), ..call }),
            (
                "BurstR",
                Call { burst_r: least(call.burst_r, other.burst_r), ..call },
                Call { burst_r: most(call.burst_r, other.burst_r), ..call },
            ),
            (
                "Ta",
                Call { ta_ms: least(call.ta_ms, other.ta_ms), ..call },
                Call { ta_ms: most(call.ta_ms, other.ta_ms), ..call },
            ),
        ];
        for (name, better, worse) in pairs {
            prop_assert!(no_better(worse.on(scale), better.on(scale)), "{name}: {better:?} {worse:?}");
        }
        // Ie: where loss alone does not use up the whole scale (see `equipment::ie_eff`).
        let (better, worse) = (Call { ie: least(call.ie, other.ie), ..call }, Call { ie: most(call.ie, other.ie), ..call });
        if call.ppl <= call.ppl / valid_burst_r(call.burst_r, call.ppl) + call.bpl {
            prop_assert!(no_better(worse.on(scale), better.on(scale)), "Ie: {better:?} {worse:?}");
        }
    }

    #[test]
    fn emodel_ratings_are_bounded(call in any_call(), scale in any_scale()) {
        let (r, rating) = call.on(scale);
        prop_assert!(r.is_finite() && r <= scale.default_r() + 1e-9);
        prop_assert!((0.0..=scale.max_r()).contains(&rating.r().as_f64()));
        prop_assert!((1.0..=4.5).contains(&rating.mos().as_f64()));
        prop_assert_eq!(rating.scale(), scale);
    }

    #[test]
    fn small_input_steps_give_small_rating_steps(call in any_call(), scale in any_scale(), step in 0.0..0.5_f64) {
        let (r, rating) = call.on(scale);
        let steps = [
            // Per percent at most (ceiling − Ie) / Bpl; per ms 0.25 · stretch of Idd, and talker echo, which begins
            // with the first milliseconds.
            (Call { ppl: (call.ppl + step).min(100.0), ..call }, 132.0 / call.bpl * step),
            (Call { ta_ms: call.ta_ms + step, ..call }, 0.5 * step),
            (Call { ie: call.ie + step, ..call }, 2.0 * step),
            // Per unit of BurstR at most ceiling · Ppl² / BurstR² / (Ppl / BurstR + Bpl)² ≤ ceiling.
            (Call { burst_r: call.burst_r + step, ..call }, 132.0 * step),
        ];
        for (stepped, largest) in steps {
            let (after, rating_after) = stepped.on(scale);
            prop_assert!((r - after).abs() <= largest + 1e-9, "{stepped:?}: {r} {after}");
            // No MOS is steeper than 0.053 per R.
            let mos_step = (rating.mos().as_f64() - rating_after.mos().as_f64()).abs();
            prop_assert!(mos_step <= 0.053 * largest + 1e-9);
        }
    }

    #[test]
    fn short_form_obeys_the_same_laws(
        scale in any_scale(), a in 0.0..160.0_f64, b in 0.0..160.0_f64, s in 0.0..2_000.0_f64, t in 0.0..2_000.0_f64,
    ) {
        let at = |ie_eff, ta_ms| rate(scale, ie_eff, ta_ms).unwrap();
        prop_assert!(at(a.max(b), s).r() <= at(a.min(b), s).r());
        prop_assert!(at(a, s.max(t)).r().as_f64() <= at(a, s.min(t)).r().as_f64() + 1e-9);
        prop_assert!((1.0..=4.5).contains(&at(a, s).mos().as_f64()));
    }

    #[test]
    fn any_input_is_answered_without_panic(a in any::<u64>(), b in any::<u64>(), scale in any_scale()) {
        let (a, b) = (f64::from_bits(a), f64::from_bits(b));
        let expected = a.is_finite() && a >= 0.0 && b.is_finite() && b >= 0.0;
        prop_assert_eq!(rate(scale, a, b).is_some(), expected);
        if let Some(equipment) = Equipment::new(scale, a, Some(b)) {
            prop_assert!(equipment.ie_eff(Ratio::MAX, 8.0).is_some_and(f64::is_finite));
        }
    }

    #[test]
    fn unknown_input_gives_unknown_output(kbps in 0.0..200.0_f64, loss in 0.000_001..=1.0_f64) {
        let table = CodecTable::new();
        for name in ["opus", "AMR-WB", "EVS", "G722", "G723", "G728", "iLBC", "G7221"] {
            prop_assert_eq!(table.find(&CodecQuery::new(name)), None, "{} has no rate", name);
        }
        prop_assert_eq!(table.find(&CodecQuery::new("AMR").with_bitrate(Bitrate::new(kbps * 1e3))), None);
        let g722 = table.find(&CodecQuery::new("G722").with_bitrate(Bitrate::new(kbps * 1e3))).unwrap().equipment;
        prop_assert_eq!(g722.ie_eff(Ratio::new(loss).unwrap(), 1.0), None, "no Bpl is published for G.722");
        prop_assert_eq!(g722.ie_eff(Ratio::MIN, 1.0), Some(g722.ie()));
    }
}
