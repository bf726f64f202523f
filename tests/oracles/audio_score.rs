//! The audio model: laws over all inputs, and values computed elsewhere.

use callgauge::emodel::codec::{CodecQuery, CodecTable};
use callgauge::emodel::{Equipment, Scale};
use callgauge::score::audio::{AudioInputs, AudioModel};
use callgauge::score::{Cause, Input, Model, NoScore, Origin, Score, Tier};
use callgauge::unit::{Bitrate, Ratio};
use proptest::option::of;
use proptest::prelude::*;

fn score(inputs: &AudioInputs<'_>) -> Result<Score, NoScore> {
    AudioModel::new().score(inputs)
}

fn ratio() -> impl Strategy<Value = Ratio> {
    prop_oneof![3 => 0.0..0.3_f64, 1 => 0.0..=1.0_f64, 1 => Just(0.0)].prop_map(|value| Ratio::new(value).unwrap())
}

fn ms() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..600.0_f64, 0.0..1e4_f64]
}

fn codec() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        4 => Just(Some("opus")),
        1 => Just(Some("audio/PCMU")),
        1 => Just(Some("AMR-WB")),
        1 => Just(Some("EVS")),
        1 => Just(Some("G729")),
        1 => Just(Some("speex")),
        1 => Just(None),
    ]
}

prop_compose! {
    fn any_inputs()(
        codec in codec(),
        bitrate in of(3_000.0..130_000.0_f64),
        redundancy in of(0.0..2.0_f64),
        (concealed, begun, stretched) in (of(ratio()), of(0.0..20.0_f64), of(ratio())),
        (lost, discarded, recovered, far, fec) in (of(ratio()), of(ratio()), of(ratio()), any::<bool>(), any::<bool>()),
        packet_ms in of(0.0..200.0_f64),
        (rtt_ms, jitter_ms, buffer_ms, playout_ms) in (of(ms()), of(ms()), of(ms()), of(ms())),
        active_ms in of(0.0..10_000.0_f64),
    ) -> AudioInputs<'static> {
        let mut inputs = AudioInputs::new();
        inputs.codec = codec;
        inputs.bitrate = bitrate.and_then(Bitrate::new);
        inputs.packet_ms = packet_ms;
        inputs.redundancy = redundancy;
        (inputs.concealed, inputs.concealments_per_second, inputs.stretched) = (concealed, begun, stretched);
        (inputs.lost, inputs.discarded, inputs.recovered) = (lost, discarded, recovered);
        (inputs.lost_at_far_end, inputs.error_correction) = (far, fec);
        (inputs.rtt_ms, inputs.jitter_ms, inputs.jitter_buffer_ms, inputs.playout_ms) = (rtt_ms, jitter_ms, buffer_ms, playout_ms);
        inputs.active_ms = active_ms;
        inputs
    }
}

/// Only the onset of loss, for a codec of unknown loss robustness, may make a score unavailable.
fn after_loss(score: Result<Score, NoScore>) -> Result<Score, NoScore> {
    assert!(matches!(score, Ok(_) | Err(NoScore::UnknownRobustness)), "{score:?}");
    score
}

/// An impairment as a member of the inputs: its value if present, and its setter.
type Impairment = (&'static str, fn(&AudioInputs<'_>) -> Option<f64>, fn(&mut AudioInputs<'_>, f64));

/// Every input that can only lower the score.
const IMPAIRMENTS: &[Impairment] = &[
    ("concealed", |i| Some(i.concealed?.as_f64()), |i, value| i.concealed = Ratio::clamped(value)),
    ("stretched", |i| Some(i.stretched?.as_f64()), |i, value| i.stretched = Ratio::clamped(value)),
    ("lost", |i| Some(i.lost?.as_f64()), |i, value| i.lost = Ratio::clamped(value)),
    ("discarded", |i| Some(i.discarded?.as_f64()), |i, value| i.discarded = Ratio::clamped(value)),
    ("rtt_ms", |i| i.rtt_ms, |i, value| i.rtt_ms = Some(value)),
    ("jitter_ms", |i| i.jitter_ms, |i, value| i.jitter_ms = Some(value)),
    ("jitter_buffer_ms", |i| i.jitter_buffer_ms, |i, value| i.jitter_buffer_ms = Some(value)),
    ("playout_ms", |i| i.playout_ms, |i, value| i.playout_ms = Some(value)),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn score_lies_in_its_interval_and_parts_sum_to_the_deficit(inputs in any_inputs()) {
        let Ok(score) = score(&inputs) else { return Ok(()) };
        prop_assert!(score.low() <= score.mos() && score.mos() <= score.high());
        prop_assert!((1.0..=4.5).contains(&score.mos().as_f64()));
        prop_assert!(score.lq().unwrap() >= score.mos());
        let left = 100.0 - score.parts.sum();
        prop_assert!((left - score.rx.as_f64()).abs() < 1e-9, "{left} {}", score.rx);
        // On its own scale the call is rated by listeners without experience of wider bands.
        prop_assert!(score.native.unwrap().rx.as_f64() >= score.rx.as_f64() - 1e-9);
    }

    /// Compared with the same call without each impairment in turn, through the public API.
    #[test]
    fn cause_is_the_input_whose_removal_gains_most(inputs in any_inputs(), kbps in 14.0..128.0_f64, concealed in ratio()) {
        let mut inputs = inputs;
        (inputs.codec, inputs.redundancy) = (Some("opus"), None);
        (inputs.bitrate, inputs.concealed) = (Bitrate::new(kbps * 1e3), Some(concealed));
        let before = score(&inputs).unwrap();
        let query = CodecQuery::new("opus").with_bitrate(inputs.bitrate);
        let opus = CodecTable::new().find(&query).unwrap().equipment;
        let ideal = Equipment::new(opus.scale(), 0.0, opus.bpl()).unwrap();
        let with = |change: fn(&mut AudioInputs<'_>)| {
            let mut inputs = inputs;
            change(&mut inputs);
            score(&inputs).unwrap().rx.as_f64()
        };
        let without = [
            (Cause::Codec, AudioModel::new().with_codecs(CodecTable::new().with("opus", None, ideal)).score(&inputs).unwrap().rx.as_f64()),
            (Cause::Loss, with(|inputs| (inputs.concealed, inputs.recovered) = (Ratio::new(0.0), None))),
            (Cause::TimeStretch, with(|inputs| inputs.stretched = None)),
            (Cause::Delay, with(|inputs| inputs.rtt_ms = None)),
        ];
        let most = without.iter().map(|&(_, rx)| rx).fold(0.0, f64::max);
        match before.cause {
            Some(cause) => {
                let (_, rx) = without.into_iter().find(|&(other, _)| other == cause).unwrap();
                // A codec of unknown lookahead is assumed to be 1.5 ms faster than Opus.
                prop_assert!(rx >= most - 0.3, "{cause:?}: {rx} of {without:?}");
            }
            None => prop_assert!(most <= before.rx.as_f64() + 1e-9),
        }
    }

    #[test]
    fn growing_impairment_never_raises_the_score(inputs in any_inputs(), more in 1.0..3.0_f64, plus in 0.0..0.2_f64) {
        let Ok(before) = score(&inputs) else { return Ok(()) };
        for (name, get, set) in IMPAIRMENTS {
            let Some(value) = get(&inputs) else { continue };
            let mut worse = inputs;
            set(&mut worse, value * more + plus);
            let Ok(after) = after_loss(score(&worse)) else { continue };
            prop_assert!(after.rx.as_f64() <= before.rx.as_f64() + 1e-9, "{name}: {} after {}", after.rx, before.rx);
            prop_assert!(after.rx_lq.unwrap().as_f64() <= before.rx_lq.unwrap().as_f64() + 1e-9, "{name}");
        }
    }

    /// With loss it may: the published Bpl of Opus falls as the rate rises.
    #[test]
    fn fewer_bits_without_loss_never_raise_the_score(inputs in any_inputs(), less in 0.1..1.0_f64, again in 0.0..2.0_f64) {
        let mut inputs = inputs;
        (inputs.concealed, inputs.recovered) = (Ratio::new(0.0), None);
        let (Ok(before), Some(bitrate)) = (score(&inputs), inputs.bitrate) else { return Ok(()) };
        let mut worse = [inputs; 2];
        worse[0].bitrate = Bitrate::new(bitrate.as_bps() * less);
        worse[1].redundancy = Some(inputs.redundancy.unwrap_or(0.0) + again);
        for worse in worse {
            let after = score(&worse).unwrap();
            // EVS is published with Ie 7.2 at 24.4 kbit/s and 10.2 at 48: the largest such step in the table.
            prop_assert!(after.rx.as_f64() <= before.rx.as_f64() + 3.0 / 1.48 + 1e-9, "{} after {}", after.rx, before.rx);
        }
    }

    #[test]
    fn long_gaps_score_no_better_than_many_short_ones(inputs in any_inputs(), fewer in 0.0..1.0_f64) {
        let (Ok(before), Some(begun)) = (score(&inputs), inputs.concealments_per_second) else { return Ok(()) };
        let mut longer = inputs;
        longer.concealments_per_second = Some(begun * fewer);
        prop_assert!(score(&longer).unwrap().rx.as_f64() <= before.rx.as_f64() + 1e-9);
    }

    #[test]
    fn worse_codec_scores_no_better_under_any_loss(inputs in any_inputs(), a in 0.0..100.0_f64, b in 0.0..100.0_f64, bpl in 1.0..40.0_f64) {
        let of = |ie| {
            let codec = Equipment::new(Scale::Fullband, ie, Some(bpl)).unwrap();
            let mut inputs = inputs;
            inputs.codec = Some("mine");
            AudioModel::new().with_codecs(CodecTable::new().with("mine", None, codec)).score(&inputs)
        };
        let (Ok(better), Ok(worse)) = (of(a.min(b)), of(a.max(b))) else { return Ok(()) };
        prop_assert!(worse.rx.as_f64() <= better.rx.as_f64() + 1e-9);
    }

    #[test]
    fn small_input_steps_give_small_score_steps(inputs in any_inputs(), step in 0.0..0.001_f64) {
        let Ok(before) = score(&inputs) else { return Ok(()) };
        for (name, get, set) in IMPAIRMENTS {
            let Some(value) = get(&inputs) else { continue };
            let mut next = inputs;
            set(&mut next, value + step);
            let Ok(after) = after_loss(score(&next)) else { continue };
            let jump = (after.rx.as_f64() - before.rx.as_f64()).abs();
            // The steepest is loss at zero loss: 132 / Bpl points of R per percent, for the least Bpl in the table,
            // 4.3, where a burst doubles it; stretching is gentler, and delay takes at most 0.25 R per ms.
            prop_assert!(jump <= 2.0 * 132.0 / 4.3 * 100.0 / 1.48 * step + 1e-6, "{name}: {jump} for {step}");
        }
    }

    #[test]
    fn missing_inputs_give_no_score_or_no_part(inputs in any_inputs()) {
        let without = |unset: fn(&mut AudioInputs<'_>)| {
            let mut inputs = inputs;
            unset(&mut inputs);
            score(&inputs)
        };
        prop_assert!(without(|i| i.codec = None).is_err());
        prop_assert_eq!(
            without(|i| (i.codec, i.concealed, i.lost) = (Some("opus"), None, None)),
            Err(NoScore::NoLossInformation),
        );
        if let Ok(unmeasured) = without(|i| i.rtt_ms = None) {
            prop_assert_eq!((unmeasured.rx_lq, unmeasured.parts.get(Cause::Delay)), (Some(unmeasured.rx), 0.0));
            prop_assert_eq!(unmeasured.inputs.get(Input::RoundTrip), Some(Origin::Missing));
        }
        let unlucky = f64::NAN;
        let mut odd = inputs;
        (odd.rtt_ms, odd.jitter_buffer_ms, odd.redundancy, odd.concealments_per_second, odd.active_ms) =
            (Some(unlucky), Some(unlucky), Some(-1.0), Some(unlucky), Some(unlucky));
        if let Ok(score) = score(&odd) {
            prop_assert!(score.low() <= score.mos() && score.mos() <= score.high());
        }
    }

    #[test]
    fn custom_codec_is_scored_like_a_table_codec(inputs in any_inputs()) {
        // Opus at one rate, under another name.
        let opus = CodecTable::new().find(&CodecQuery::new("opus").with_bitrate(Bitrate::new(31_000.0))).unwrap();
        let model = AudioModel::new().with_codecs(CodecTable::new().with("mine", None, opus.equipment));
        let (mut mine, mut theirs) = (inputs, inputs);
        (mine.codec, mine.redundancy, mine.bitrate) = (Some("mine"), None, None);
        (theirs.codec, theirs.redundancy, theirs.bitrate) = (Some("opus"), None, Bitrate::new(31_000.0));
        // Without delay: the lookahead is unknown.
        (mine.rtt_ms, theirs.rtt_ms) = (None, None);
        prop_assert_eq!(model.score(&mine).map(|score| score.rx), score(&theirs).map(|score| score.rx));
    }
}

/// Values computed from the published formulas: Opus at 31 kbit/s, random concealment, with Ie 17 and Bpl 10.4. The
/// table has 16.83 and 10.44.
#[test]
fn concealment_costs_the_precomputed_values() {
    let published = [
        (0.0, 4.30),
        (0.01, 4.09),
        (0.02, 3.86),
        (0.03, 3.65),
        (0.05, 3.27),
        (0.08, 2.82),
        (0.10, 2.60),
        (0.15, 2.19),
        (0.20, 1.94),
        (0.30, 1.64),
    ];
    for (concealed, mos) in published {
        let mut inputs = AudioInputs::new();
        inputs.codec = Some("opus");
        inputs.bitrate = Bitrate::new(31_000.0);
        inputs.concealed = Ratio::new(concealed);
        let got = score(&inputs).unwrap().mos().as_f64();
        assert!((got - mos).abs() < 0.02, "{concealed}: {got} for {mos}");
    }
}

#[test]
fn clean_telephone_call_has_the_mos_contact_centres_expect() {
    let mut inputs = AudioInputs::new();
    inputs.codec = Some("PCMU");
    inputs.concealed = Ratio::new(0.0);
    let score = score(&inputs).unwrap();
    let native = score.native.unwrap();
    assert_eq!(native.scale, Scale::Narrowband);
    // ITU-T G.107 at its defaults: R = 93.2, MOS 4.41; on the fullband scale 3.25 (`scoring.md` A3).
    assert!((native.rx.as_f64() - 93.2).abs() < 0.05);
    assert_eq!(format!("{:.2}", callgauge::score::mos_of(native.rx)), "4.41");
    assert_eq!(format!("{:.2}", score.mos()), "3.25");
}

#[test]
fn fewer_inputs_widen_the_interval_and_lower_the_tier() {
    let mut inputs = AudioInputs::new();
    inputs.codec = Some("opus");
    inputs.bitrate = Bitrate::new(31_000.0);
    (inputs.lost, inputs.discarded, inputs.recovered) = (Ratio::new(0.03), Ratio::new(0.0), Ratio::new(0.0));
    inputs.concealed = inputs.lost;
    let width = |score: &Score| score.high().as_f64() - score.low().as_f64();
    let concealed = score(&inputs).unwrap();
    inputs.concealed = None;
    let discarded = score(&inputs).unwrap();
    inputs.discarded = None;
    let lost = score(&inputs).unwrap();
    inputs.lost_at_far_end = true;
    let far = score(&inputs).unwrap();
    assert_eq!([concealed.tier, discarded.tier, lost.tier, far.tier], [Tier::A1, Tier::A2, Tier::A3, Tier::A4]);
    assert!(width(&concealed) <= width(&discarded) && width(&discarded) < width(&lost));
    inputs.bitrate = None;
    assert!(width(&score(&inputs).unwrap()) > width(&far));
    inputs.active_ms = Some(500.0);
    assert!(width(&score(&inputs).unwrap()) > width(&far));
}

#[test]
fn gap_length_counts_the_packets_that_made_it() {
    let mut inputs = AudioInputs::new();
    (inputs.codec, inputs.bitrate) = (Some("opus"), Bitrate::new(31_000.0));
    // Single packets of 60 ms, one in twenty; and the same interpreted as runs of three packets of 20 ms.
    (inputs.concealed, inputs.concealments_per_second) = (Ratio::new(0.05), Some(0.05 * 1e3 / 60.0));
    let runs = score(&inputs).unwrap();
    inputs.packet_ms = Some(60.0);
    let single = score(&inputs).unwrap();
    inputs.concealments_per_second = None;
    // Random loss makes no runs: BurstR 1 is the assumption without a count.
    assert_eq!(single.rx, score(&inputs).unwrap().rx);
    assert!(runs.rx < single.rx);
    // A packet must be full before it is sent.
    inputs.rtt_ms = Some(300.0);
    let long = score(&inputs).unwrap();
    inputs.packet_ms = None;
    assert!(long.rx < score(&inputs).unwrap().rx && long.rx_lq == score(&inputs).unwrap().rx_lq);
}

#[test]
fn jitter_is_not_added_to_the_buffer_delay_it_causes() {
    let mut inputs = AudioInputs::new();
    inputs.codec = Some("opus");
    inputs.concealed = Ratio::new(0.0);
    (inputs.rtt_ms, inputs.jitter_buffer_ms, inputs.jitter_ms) = (Some(200.0), Some(150.0), Some(0.0));
    let still = score(&inputs).unwrap();
    inputs.jitter_ms = Some(90.0);
    assert_eq!(score(&inputs).unwrap().rx, still.rx);
    inputs.jitter_buffer_ms = None;
    assert!(score(&inputs).unwrap().rx < still.rx);
}
