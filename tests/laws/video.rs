//! Laws of the video scores and of combined audio and video scores: every score is bounded, no growing impairment
//! raises it, a small input step is a small score step, unknown stays unknown, and the parts sum up to the score's
//! deficit.

use callgauge::score::combine::{Weights, audio_visual, p1203_o34};
use callgauge::score::video::{VideoInputs, VideoModel};
use callgauge::score::{Cause, Input, Model, ModelId, MosScale, NoScore, Origin, Parts, Score, Tier};
use callgauge::unit::{Bitrate, Mos, Ratio, Rx};
use proptest::option::weighted;
use proptest::prelude::*;

type Inputs = VideoInputs<'static>;

/// Values over most of each codec's quantizer scale, and its end.
fn any_codec() -> impl Strategy<Value = (Option<&'static str>, f64)> {
    proptest::sample::select(
        &[
            (Some("VP8"), 127.0),
            (Some("video/VP9"), 255.0),
            (Some("AV1"), 255.0),
            (Some("H264"), 51.0),
            (Some("H265"), 51.0),
            (Some("Theora"), 63.0),
            (None, 127.0),
        ][..],
    )
}

prop_compose! {
    fn any_inputs()(
        (codec, most) in any_codec(),
        qp in weighted(0.6, 0.0..=1.0_f64),
        bitrate in weighted(0.8, prop_oneof![0.0..400e3_f64, 0.0..8e6_f64]),
        edges in weighted(0.8, (16.0..2_000.0_f64, 16.0..1_200.0_f64)),
        display in weighted(0.5, (16.0..4_000.0_f64, 16.0..2_400.0_f64)),
        largest in weighted(0.5, (16.0..4_000.0_f64, 16.0..2_400.0_f64)),
        (frames, source) in (weighted(0.8, 0.0..70.0_f64), weighted(0.5, 0.0..70.0_f64)),
        (frozen, freezes) in (weighted(0.7, 0.0..=1.0_f64), weighted(0.7, 0.0..20.0_f64)),
        corruption in weighted(0.3, 0.0..=1.0_f64),
        (screen, pending, active_ms) in (any::<bool>(), any::<Option<bool>>(), weighted(0.5, 0.0..6e3_f64)),
    ) -> Inputs {
        let mut inputs = VideoInputs::new();
        inputs.codec = codec;
        inputs.qp = qp.map(|share| share * most);
        inputs.bitrate = bitrate.and_then(Bitrate::new);
        (inputs.width, inputs.height) = edges.unzip();
        (inputs.display_width, inputs.display_height) = display.unzip();
        (inputs.largest_width, inputs.largest_height) = largest.unzip();
        (inputs.frames_per_second, inputs.source_frames_per_second) = (frames, source);
        inputs.frozen = frozen.and_then(Ratio::new);
        inputs.freezes_per_10_s = freezes;
        inputs.corruption = corruption.and_then(Ratio::new);
        (inputs.screen, inputs.pending_data, inputs.active_ms) = (screen, pending, active_ms);
        inputs
    }
}

fn score(inputs: &Inputs) -> Result<Score, NoScore> {
    VideoModel::new().score(inputs)
}

/// Any value of a float.
fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits), -10.0..3_000.0_f64]
}

/// `inputs` with an impairment larger by `step`, a share of its range. `None` if it does not apply.
fn worsened(inputs: &Inputs, cause: Cause, step: f64) -> Option<Inputs> {
    let mut worse = *inputs;
    let more = |ratio: Option<Ratio>| Some(Ratio::clamped(ratio?.as_f64() + step));
    match cause {
        Cause::Coding if inputs.qp.is_some() => worse.qp = inputs.qp.map(|qp| qp + step * 4.0),
        // Below one bit per second and pixel even the logarithm is steep.
        Cause::Coding => {
            worse.bitrate = Some(Bitrate::new((inputs.bitrate?.as_bps() - step * 1e6).max(0.0))?);
        }
        Cause::Upscaling if inputs.display_width.is_some() => {
            worse.display_width = inputs.display_width.map(|width| width * (1.0 + step));
        }
        Cause::Upscaling => worse.largest_width = Some(inputs.largest_width? * (1.0 + step)),
        // Fewer frames with the same number of bits each.
        Cause::FrameRate => {
            let frames = inputs.frames_per_second?;
            let fewer = (frames - step * 10.0).max(0.0);
            worse.frames_per_second = Some(fewer);
            worse.bitrate = inputs.bitrate.and_then(|rate| Bitrate::new(rate.as_bps() * fewer / frames.max(1e-9)));
        }
        Cause::Freezes if inputs.frozen.is_some() => worse.frozen = more(inputs.frozen)?,
        Cause::Freezes => worse.freezes_per_10_s = Some(inputs.freezes_per_10_s? + step * 10.0),
        Cause::Corruption => worse.corruption = more(inputs.corruption)?,
        _ => return None,
    }
    Some(worse)
}

const CAUSES: [Cause; 5] = [Cause::Coding, Cause::Upscaling, Cause::FrameRate, Cause::Freezes, Cause::Corruption];

/// The inputs without an impairment. `None` for coding, which every input has.
fn without(inputs: &Inputs, cause: Cause) -> Option<Inputs> {
    let mut better = *inputs;
    match cause {
        Cause::Upscaling => (better.display_width, better.display_height) = (inputs.width, inputs.height),
        Cause::Freezes => (better.frozen, better.freezes_per_10_s) = (Ratio::new(0.0), Some(0.0)),
        Cause::Corruption => better.corruption = Ratio::new(0.0),
        Cause::FrameRate => {
            let frames = inputs.frames_per_second?;
            better.frames_per_second = Some(60.0);
            better.bitrate = inputs.bitrate.and_then(|rate| Bitrate::new(rate.as_bps() * 60.0 / frames));
        }
        _ => return None,
    }
    Some(better)
}

fn is_measurable(inputs: &Inputs) -> bool {
    inputs.bitrate.is_some() && inputs.width.is_some() && inputs.frames_per_second.is_some_and(|fps| fps > 0.0)
}

proptest! {
    #[test]
    fn video_score_is_bounded_and_parts_sum_to_the_deficit(inputs in any_inputs()) {
        if let Ok(score) = score(&inputs) {
            prop_assert!(score.rx_low <= score.rx && score.rx <= score.rx_high);
            prop_assert!(score.low() <= score.mos() && score.mos() <= score.high());
            prop_assert!((1.0..=4.5).contains(&score.mos().as_f64()));
            prop_assert!((score.parts.sum() - (100.0 - score.rx.as_f64())).abs() < 1e-9, "{score:?}");
            prop_assert!(CAUSES.iter().all(|&cause| score.parts.get(cause) >= 0.0));
            prop_assert_eq!(score.cause.is_some(), score.parts.sum() > 0.0);
            prop_assert_eq!(score.scale, if inputs.screen { MosScale::Screen } else { MosScale::Video });
        }
    }

    #[test]
    fn any_input_is_answered_without_panic(numbers in prop::array::uniform11(weighted(0.8, any_f64())), codec in any_codec(), screen in any::<bool>()) {
        let [qp, bitrate, width, height, display, largest, frames, source, frozen, freezes, active] = numbers;
        let mut inputs = Inputs::new();
        inputs.codec = codec.0;
        (inputs.qp, inputs.bitrate) = (qp, bitrate.and_then(Bitrate::clamped));
        (inputs.width, inputs.height, inputs.display_width, inputs.display_height) = (width, height, display, display);
        (inputs.largest_width, inputs.largest_height) = (largest, largest);
        (inputs.frames_per_second, inputs.source_frames_per_second) = (frames, source);
        (inputs.frozen, inputs.freezes_per_10_s) = (frozen.and_then(Ratio::clamped), freezes);
        (inputs.corruption, inputs.active_ms, inputs.screen) = (frozen.and_then(Ratio::clamped), active, screen);
        if let Ok(score) = score(&inputs) {
            prop_assert!(score.rx_low <= score.rx && score.rx <= score.rx_high);
            prop_assert!((score.parts.sum() - (100.0 - score.rx.as_f64())).abs() < 1e-9, "{score:?}");
        }
    }

    #[test]
    fn growing_impairment_never_raises_the_score(inputs in any_inputs(), step in 0.0..1.0_f64) {
        let Ok(before) = score(&inputs) else { return Ok(()) };
        for cause in CAUSES {
            let Some(after) = worsened(&inputs, cause, step).and_then(|worse| score(&worse).ok()) else { continue };
            // A quantizer off its scale is ignored: the tier and the measure change. Otherwise the scores are equal.
            if after.inputs != before.inputs {
                continue;
            }
            prop_assert!(after.rx.as_f64() <= before.rx.as_f64() + 1e-9, "{cause:?}: {before:?} {after:?}");
            prop_assert!(after.rx_low.as_f64() <= before.rx_low.as_f64() + 1e-9, "{cause:?}");
            prop_assert!(after.rx_high.as_f64() <= before.rx_high.as_f64() + 1e-9, "{cause:?}");
        }
    }

    #[test]
    fn small_input_steps_give_small_score_steps(inputs in any_inputs()) {
        const STEP: f64 = 1e-9;
        let Ok(before) = score(&inputs) else { return Ok(()) };
        for cause in CAUSES {
            let Some(after) = worsened(&inputs, cause, STEP).and_then(|worse| score(&worse).ok()) else { continue };
            if after.inputs == before.inputs {
                // Steepest where least is known: one more bit where there is none, and at the ends of the opinion
                // curve.
                let jump = (after.rx.as_f64() - before.rx.as_f64()).abs();
                prop_assert!(jump < 0.01, "{cause:?}: {jump}, {before:?} {after:?}");
            }
        }
    }

    #[test]
    fn cause_is_the_input_whose_removal_gains_most(inputs in any_inputs()) {
        let Ok(before) = score(&inputs) else { return Ok(()) };
        let Some(cause) = before.cause else { return Ok(()) };
        // The inputs cannot express the removal of coding; it is the cause only if no other removal gains more.
        let gain = |cause| {
            let better = score(&without(&inputs, cause)?).ok()?;
            (better.tier == before.tier || cause == Cause::Freezes).then(|| better.rx.as_f64() - before.rx.as_f64())
        };
        let of_cause = if cause == Cause::Coding {
            // Never more than all that it takes.
            before.parts.get(cause)
        } else {
            let Some(gain) = gain(cause) else { return Ok(()) };
            gain
        };
        for other in CAUSES {
            if let Some(gain) = gain(other) {
                let alone_makes_no_difference = gain <= 0.0 && of_cause <= 0.0;
                prop_assert!(
                    alone_makes_no_difference || gain <= of_cause + 1e-9,
                    "{cause:?} {of_cause}, but {other:?} {gain}: {before:?}"
                );
            }
        }
    }

    #[test]
    fn unknown_input_gives_unknown_output(inputs in any_inputs()) {
        let mut less = inputs;
        less.qp = None;
        prop_assert_eq!(score(&less).is_ok(), is_measurable(&less));
        less.bitrate = None;
        match score(&less) {
            Err(NoScore::FrameRateOnly { temporal }) => {
                prop_assert!(less.frames_per_second.is_some());
                let smooth = less.frozen.is_none_or(|frozen| frozen == Ratio::MIN) && less.freezes_per_10_s.is_none_or(|n| n == 0.0);
                prop_assert!(temporal.as_f64() < 100.0 || smooth || less.screen || less.frames_per_second >= Some(24.0) || less.source_frames_per_second.is_some());
            }
            other => {
                prop_assert!(less.frames_per_second.is_none());
                prop_assert_eq!(other.unwrap_err(), NoScore::NoPictureInformation);
            }
        }
    }

    #[test]
    fn more_inputs_never_widen_the_interval(inputs in any_inputs()) {
        // Give the assumed inputs explicitly, at their usual values.
        let mut inputs = inputs;
        (inputs.display_width, inputs.display_height, inputs.largest_width, inputs.largest_height) = (None, None, None, None);
        (inputs.frozen, inputs.freezes_per_10_s) = (None, None);
        let Ok(before) = score(&inputs) else { return Ok(()) };
        let mut explicit = inputs;
        (explicit.display_width, explicit.display_height) = (inputs.width, inputs.height);
        (explicit.frozen, explicit.freezes_per_10_s) = (Ratio::new(0.0), Some(0.0));
        let after = score(&explicit).unwrap();
        prop_assert_eq!(after.rx, before.rx);
        prop_assert!(after.rx_low >= before.rx_low && after.rx_high <= before.rx_high);
        prop_assert!(after.tier < before.tier);
        prop_assert_eq!(before.tier, Tier::V3);
        prop_assert_eq!(before.inputs.get(Input::Freezes), Some(Origin::Missing));
    }

    #[test]
    fn less_visible_time_widens_the_interval(inputs in any_inputs(), a in 0.0..4e3_f64, b in 0.0..4e3_f64) {
        let at = |active_ms| {
            let mut inputs = inputs;
            inputs.active_ms = active_ms;
            score(&inputs)
        };
        let (Ok(short), Ok(long), Ok(endless)) = (at(Some(a.min(b))), at(Some(a.max(b))), at(None)) else { return Ok(()) };
        prop_assert_eq!(short.rx, long.rx);
        prop_assert!(short.rx_low <= long.rx_low && short.rx_high >= long.rx_high);
        prop_assert!(endless.rx_low.as_f64() - short.rx_low.as_f64() <= 10.0 + 1e-9);
        prop_assert!(a.max(b) < 3e3 || (long.rx_low, long.rx_high) == (endless.rx_low, endless.rx_high));
    }
}

prop_compose! {
    /// A score of `causes` with an interval of some points.
    fn any_score(scale: MosScale, causes: &'static [Cause], tiers: &'static [Tier])(
        shares in prop::collection::vec(0.0..1.0_f64, causes.len()),
        (rx, low, high) in (0.0..=100.0_f64, 0.0..30.0_f64, 0.0..30.0_f64),
        tier in proptest::sample::select(tiers),
    ) -> Score {
        let whole: f64 = shares.iter().sum();
        let mut parts = Parts::new();
        for (&cause, share) in causes.iter().zip(&shares) {
            parts.set(cause, (100.0 - rx) * share / whole);
        }
        Score::new(ModelId::new("any", 1), scale, tier, Rx::new(rx).unwrap())
            .with_interval(Rx::clamped(rx - low).unwrap(), Rx::clamped(rx + high).unwrap())
            .with_parts(parts)
    }
}

fn any_audio() -> impl Strategy<Value = Score> {
    any_score(
        MosScale::Fullband,
        &[Cause::Codec, Cause::Loss, Cause::TimeStretch, Cause::Delay],
        &[Tier::A1, Tier::A2, Tier::A3, Tier::A4],
    )
}

fn any_video() -> impl Strategy<Value = Score> {
    any_score(MosScale::Video, &CAUSES, &[Tier::V1, Tier::V2, Tier::V3])
}

fn any_weights() -> impl Strategy<Value = Weights> {
    (0.0..=1.0_f64, 1.0..=5.0_f64, 0.0..=4.0_f64)
        .prop_map(|(audio, below, margin)| Weights::new().with_audio(audio).with_gate(below, margin))
}

fn at_bottom(score: Score, is: bool) -> Score {
    if !is {
        return score;
    }
    let mut parts = Parts::new();
    for (cause, part) in score.parts.iter() {
        parts.set(cause, part / score.parts.sum() * 100.0);
    }
    Score::new(score.model, score.scale, score.tier, Rx::MIN).with_parts(parts)
}

proptest! {
    #[test]
    fn combined_score_is_bounded_and_its_parts_explain_it(a in any_audio(), v in any_video(), weights in any_weights()) {
        let score = audio_visual(&a, &v, &weights);
        prop_assert!(score.rx_low <= score.rx && score.rx <= score.rx_high);
        prop_assert!((1.0..=4.5).contains(&score.mos().as_f64()));
        prop_assert_eq!((score.scale, score.model), (MosScale::AudioVisual, ModelId::new("callgauge-av", 1)));
        // Never outside the range of the two: even the gate only moves it towards the audio score.
        let (heard, seen, both) = (a.mos().as_f64(), v.mos().as_f64(), score.mos().as_f64());
        prop_assert!(heard.min(seen) - 1e-9 <= both && both <= heard.max(seen) + 1e-9, "{heard} {seen} {both}");
        let lacks = 100.0 - score.rx.as_f64();
        prop_assert!((score.parts.sum() - lacks).abs() < 1e-9, "{score:?}");
        prop_assert!(score.cause.is_none() || [a.cause, v.cause].contains(&score.cause));
    }

    /// Where MOS stays 1 whatever one of the inputs does, both are to blame, and the cause is one of those with a part.
    #[test]
    fn combined_score_at_the_bottom_has_parts_that_explain_it(a in any_audio(), v in any_video(), weights in any_weights(), which in 0..3) {
        let (a, v) = (at_bottom(a, which != 1), at_bottom(v, which != 0));
        let score = audio_visual(&a, &v, &weights);
        prop_assert!((score.parts.sum() - (100.0 - score.rx.as_f64())).abs() < 1e-9, "{score:?}");
        prop_assert!(score.cause.is_none_or(|cause| score.parts.get(cause) > 0.0), "{score:?}");
        prop_assert_eq!(score.cause.is_none(), score.rx == Rx::MAX, "{:?}", score);
    }

    #[test]
    fn better_audio_or_video_never_lowers_the_combined_score(
        a in any_audio(), better_a in any_audio(), v in any_video(), better_v in any_video(), weights in any_weights()
    ) {
        let mos = |a: &Score, v: &Score| audio_visual(a, v, &weights).mos().as_f64();
        let (a, better_a) = if a.rx <= better_a.rx { (a, better_a) } else { (better_a, a) };
        let (v, better_v) = if v.rx <= better_v.rx { (v, better_v) } else { (better_v, v) };
        prop_assert!(mos(&a, &v) <= mos(&better_a, &v) + 1e-9);
        prop_assert!(mos(&a, &v) <= mos(&a, &better_v) + 1e-9);
    }

    #[test]
    fn combined_score_has_no_jumps(a in any_audio(), v in any_video(), weights in any_weights()) {
        let mos = |a, v| {
            let score = |scale, rx| Score::new(ModelId::new("any", 1), scale, Tier::A1, Rx::clamped(rx).unwrap());
            audio_visual(&score(MosScale::Fullband, a), &score(MosScale::Video, v), &weights).mos().as_f64()
        };
        let (a, v) = (a.rx.as_f64(), v.rx.as_f64());
        // A power below 1 is arbitrarily steep at 0, where MOS is 1.
        for (off_a, off_v) in [(1e-9, 0.0), (0.0, 1e-9)] {
            let steep = if a < 7.0 || v < 7.0 { 1.0 } else { 1e-4 };
            prop_assert!((mos(a + off_a, v + off_v) - mos(a, v)).abs() < steep);
        }
    }

    #[test]
    fn p_1203_second_is_bounded_and_monotone(a in 1.0..=5.0_f64, v in 1.0..=5.0_f64, more in 0.0..4.0_f64) {
        let o34 = |a, v| p1203_o34(Mos::clamped(a).unwrap(), Mos::clamped(v).unwrap());
        prop_assert!(o34(a, v) <= o34(a + more, v) && o34(a, v) <= o34(a, v + more));
    }
}
