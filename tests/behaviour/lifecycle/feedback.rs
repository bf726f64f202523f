//! Error reports of applications and feedback of users.

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::EventKind;
use callgauge::event::{CallClass, ErrorReport, FailureReason, IceState, MAX_TEXT, WebRtcFunction};
use callgauge::{AppEvent, Config, InputError, Limits, Outcome};

use super::{Call, at};

#[test]
fn failure_before_setup_fails_it_and_after_setup_is_an_error() {
    let mut call = Call::new();
    let report = ErrorReport::new(WebRtcFunction::SetRemoteDescription).with_dom_error("InvalidStateError", "no");
    let answer = call.call.report_error(at(2_000), Some(call.fabric), report).unwrap();
    assert!(answer.has_failed_setup && answer.is_stored);
    let fabric = call.summary();
    assert_eq!((fabric.failure_delay_ms, fabric.call_class), (Some(2_000.0), Some(CallClass::Failed)));
    assert_eq!(fabric.failure_reason, Some(FailureReason::NegotiationFailure));
    // Only the first is the failure of the set-up; a log never is.
    let second = call.call.report_error(at(2_500), Some(call.fabric), report).unwrap();
    let log = call.call.report_error(at(2_600), Some(call.fabric), ErrorReport::log("so what")).unwrap();
    assert!(!second.has_failed_setup && !log.has_failed_setup);
    use EventKind::{ApplicationErrorLog, FabricOpened, FabricSetupFailed, UserJoined, WebRtcError};
    assert_eq!(call.kinds(), [UserJoined, FabricOpened, FabricSetupFailed, WebRtcError, ApplicationErrorLog]);
    let summary = call.call.summary();
    assert_eq!((summary.errors.len(), summary.connectivity.errors, summary.connectivity.setup_failures), (3, 2, 1));
    assert_eq!(summary.errors[0].dom_error.as_deref(), Some("InvalidStateError"));
    assert_eq!((summary.errors[0].user.as_deref(), summary.errors[0].fabric.as_deref()), (Some("alice"), Some("pc")));
    // It may still succeed.
    call.call.ice_state(at(9_000), call.fabric, IceState::Connected).unwrap();
    assert_eq!(call.summary().call_class, Some(CallClass::Established));
    let late = ErrorReport::new(WebRtcFunction::IceConnectionFailure);
    assert!(!call.call.report_error(at(9_500), Some(call.fabric), late).unwrap().has_failed_setup);
    assert!(call.kinds().contains(&EventKind::IceFailed));
    assert_eq!(call.summary().call_class, Some(CallClass::Dropped));
}

#[test]
fn every_error_but_logs_and_candidates_fails_a_setup() {
    for &function in WebRtcFunction::ALL {
        let mut call = Call::new();
        let answer = call.call.report_error(at(1), Some(call.fabric), ErrorReport::new(function)).unwrap();
        let fails = !function.is_log() && function != WebRtcFunction::AddIceCandidate;
        assert_eq!((answer.has_failed_setup, function.fails_setup()), (fails, fails), "{function:?}");
        assert_eq!(call.summary().failure_delay_ms.is_some(), fails);
    }
}

#[test]
fn refused_candidate_fails_no_setup_that_succeeds() {
    let mut call = Call::new();
    let refused = ErrorReport::new(WebRtcFunction::AddIceCandidate).with_dom_error("OperationError", "no such mid");
    assert!(!call.call.report_error(at(10), Some(call.fabric), refused).unwrap().has_failed_setup);
    call.call.ice_state(at(400), call.fabric, IceState::Connected).unwrap();
    let kinds = call.kinds();
    assert!(kinds.contains(&EventKind::WebRtcError) && !kinds.contains(&EventKind::FabricSetupFailed), "{kinds:?}");
    assert_eq!(call.summary().call_class, Some(CallClass::Established));
    let summary = call.call.summary();
    assert_eq!((summary.errors.len(), summary.connectivity.setup_failures), (1, 0));
}

#[test]
fn failure_before_any_fabric_belongs_to_its_user() {
    let mut call = Call::new();
    let report = ErrorReport::new(WebRtcFunction::GetUserMedia).with_dom_error("NotAllowedError", "");
    let answer = call.call.report_error(at(5), None, report.with_user(call.bob)).unwrap();
    assert_eq!(answer.reason, FailureReason::MediaPermissionError);
    let event = call.call_events().pop().unwrap();
    assert_eq!((event.kind, event.user, event.fabric), (EventKind::WebRtcError, Some(call.bob), None));
    assert_eq!(call.call.summary().errors[0].user.as_deref(), Some("bob"));
}

#[test]
fn log_is_truncated_at_a_character_with_the_cut_counted() {
    let mut call = Call::new();
    // 20 479 bytes, and then a character of two bytes across the limit.
    let text = "x".repeat(MAX_TEXT - 1) + "äöü";
    let answer = call.call.report_error(at(1), None, ErrorReport::log(&text)).unwrap();
    assert_eq!((answer.cut_bytes, answer.is_stored), (6, true));
    let error = &call.call.summary().errors[0];
    assert_eq!((error.message.as_ref().unwrap().len(), error.cut_bytes), (20_479, 6));
}

#[test]
fn errors_are_bounded_by_number_and_by_bytes() {
    for limits in [Limits::new().with_errors(3), Limits::new().with_error_bytes(3_000)] {
        let mut call = Call::with(Config::new().with_limits(limits));
        let text = "x".repeat(1_000);
        let stored: Vec<bool> =
            (0..5).map(|_| call.call.report_error(at(1), None, ErrorReport::log(&text)).unwrap().is_stored).collect();
        assert_eq!(stored, [true, true, true, false, false]);
        let summary = call.call.summary();
        assert_eq!((summary.errors.len(), summary.refused_errors), (3, 2));
    }
}

#[test]
fn timeline_is_bounded_and_counts_refused_events() {
    let mut call = Call::with(Config::new().with_limits(Limits::new().with_timeline(4)));
    for ms in 1..=5 {
        call.call.send_event(at(2 * ms), call.fabric, AppEvent::Hold).unwrap();
        call.call.send_event(at(2 * ms + 1), call.fabric, AppEvent::Resume).unwrap();
    }
    let summary = call.call.summary();
    assert_eq!((summary.events.len(), summary.refused_events), (4, 8));
    assert_eq!(call.kinds().len(), 12, "all of them can be polled");
}

#[test]
fn feedback_is_one_rating_per_user_and_subject() {
    let mut call = Call::new();
    let (alice, fabric) = (call.alice, call.fabric);
    let rating = |stars| FeedbackRating::new(stars).unwrap();
    let first = Feedback::new(rating(2)).with_comment("echo");
    let mut say = |user, about, feedback: &Feedback| call.call.feedback(user, about, feedback.clone());
    assert_eq!(say(Some(alice), None, &first), Ok(Outcome::Applied));
    assert_eq!(say(Some(alice), None, &first), Ok(Outcome::Unchanged));
    let better = Feedback::new(rating(4)).with_audio(rating(5)).with_video(rating(3)).with_screen(rating(1));
    assert_eq!(say(Some(alice), None, &better), Ok(Outcome::Applied));
    assert_eq!(say(Some(alice), Some(fabric), &first), Ok(Outcome::Applied));
    assert_eq!(say(None, None, &Feedback::new(FeedbackRating::of_two(false))), Ok(Outcome::Applied));
    let mut other = callgauge::Conference::new("", Config::new());
    let stranger = ["a", "b", "c"].map(|name| other.user(name).unwrap())[2];
    assert_eq!(say(Some(stranger), None, &first), Err(InputError::UnknownUser));
    let feedback = call.call.summary().feedback;
    assert_eq!(feedback.len(), 3);
    // Sorted: first without a user, then the call, then its connections.
    assert_eq!((feedback[0].user.as_deref(), feedback[0].overall), (None, 1));
    assert_eq!(
        (feedback[1].overall, feedback[1].audio, feedback[1].video, feedback[1].screen),
        (4, Some(5), Some(3), Some(1))
    );
    assert_eq!((feedback[2].fabric.as_deref(), feedback[2].comment.as_deref()), (Some("pc"), Some("echo")));
    assert_eq!(call.user("alice").feedback.len(), 2);
    // Feedback after the end of the call.
    call.call.leave(at(10), alice).unwrap();
    call.call.handle_timeout(at(20)).unwrap();
    assert!(call.call.ended().is_some());
    assert_eq!(call.call.feedback(Some(call.bob), None, better), Ok(Outcome::Applied));
}

#[test]
fn rating_out_of_range_is_refused() {
    for rating in 0..=255 {
        assert_eq!(FeedbackRating::new(rating).map(FeedbackRating::get), (1..=5).contains(&rating).then_some(rating));
    }
}
