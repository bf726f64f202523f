//! What happened and what was said, as the summary shows it: in the order of time, whatever the order of arrival.

use alloc::string::String;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::scores;
use super::streams::{millis, order, views};
use crate::conference::Conference;
use crate::conference::{FeedbackRating, StoredFeedback};
use crate::event::{CallEvent, EventKind, StateChange};
use crate::fabric::Fabric;
use crate::id::{FabricId, UserId};
use crate::summary::{ErrorSummary, EventSummary, FeedbackSummary, GroupScore, ScoreSummary};

/// What happened, and to whom.
pub(super) fn events(call: &Conference) -> Vec<(Option<UserId>, EventSummary)> {
    let mut events: Vec<_> = call.out.timeline.iter().map(|event| event_summary(call, event)).collect();
    // At one time: user by user, from joining to leaving, and then fabric by fabric, on each in the order in which it
    // happened. The end comes last.
    events.sort_by(|(_, a), (_, b)| place(a).cmp(&place(b)));
    events
}

/// The place of an event in the timeline.
fn place(event: &EventSummary) -> impl Ord + use<'_> {
    let stage = match event.event {
        EventKind::UserJoined => 0_u8,
        EventKind::UserLeft => 2,
        _ => 1,
    };
    let is_end = event.event == EventKind::ConferenceEnded;
    (OrderedFloat(event.t_ms), is_end, &event.user, stage, &event.fabric)
}

fn event_summary(call: &Conference, event: &CallEvent) -> (Option<UserId>, EventSummary) {
    let whose = event.user.or_else(|| local_user(call, event.fabric));
    let event = EventSummary {
        t_ms: millis(event.at),
        event: event.kind,
        user: user(call, whose),
        fabric: fabric(call, event.fabric),
        ssrc: event.ssrc,
        delay_ms: event.delay_ms,
        reason: event.reason,
        end_reason: event.end,
        changed: event.change.map(StateChange::of).map(String::from),
        before: event.change.map(StateChange::before).map(String::from),
        after: event.change.map(StateChange::after).map(String::from),
        relay: event.relay,
        inferred: event.is_inferred,
    };
    (whose, event)
}

/// What failed.
pub(super) fn errors(call: &Conference) -> Vec<ErrorSummary> {
    let mut errors: Vec<ErrorSummary> = call
        .log
        .errors
        .iter()
        .map(|error| ErrorSummary {
            t_ms: millis(error.at),
            user: user(call, error.user.or_else(|| local_user(call, error.fabric))),
            fabric: fabric(call, error.fabric),
            function: error.function,
            reason: error.reason,
            dom_error: error.dom_error.clone(),
            message: error.message.as_ref().map(|message| message.text.clone()),
            cut_bytes: error.message.as_ref().map_or(0, |message| message.cut_bytes as u64),
        })
        .collect();
    errors.sort_by(|a, b| {
        let place = |error: &ErrorSummary| OrderedFloat(error.t_ms);
        (place(a), &a.user, &a.fabric).cmp(&(place(b), &b.user, &b.fabric))
    });
    errors
}

/// The score of what feedback is about: a fabric; what its user was given; where nobody says who it is, the whole call.
fn measured(call: &Conference, stored: &StoredFeedback) -> GroupScore {
    let is_meant = |fabric: &&Fabric| match (stored.about, stored.user) {
        (Some(about), _) => fabric.id() == about,
        (None, Some(user)) => fabric.spec.local_user == Some(user),
        (None, None) => true,
    };
    let views: Vec<_> = order(call).into_iter().filter(is_meant).flat_map(views).collect();
    scores::group(views.iter().map(|view| view.record), &call.config)
}

/// What those whom `of` admits said.
pub(super) fn feedback(call: &Conference, of: impl Fn(Option<UserId>) -> bool) -> Vec<FeedbackSummary> {
    let one = |stored: &StoredFeedback| {
        let measured = measured(call, stored);
        let of_kind = |of: Option<ScoreSummary>| of.and_then(|score| score.mos);
        FeedbackSummary {
            user: user(call, stored.user),
            fabric: fabric(call, stored.about),
            overall: stored.feedback.overall.get(),
            audio: stored.feedback.audio.map(FeedbackRating::get),
            video: stored.feedback.video.map(FeedbackRating::get),
            screen: stored.feedback.screen.map(FeedbackRating::get),
            comment: stored.feedback.comment.as_ref().map(|comment| comment.text.clone()),
            cut_bytes: stored.feedback.comment.as_ref().map_or(0, |comment| comment.cut_bytes as u64),
            measured_mos: measured.mos,
            measured_audio_mos: of_kind(measured.audio),
            measured_video_mos: of_kind(measured.video),
        }
    };
    let mut said: Vec<FeedbackSummary> = call.log.feedback.iter().filter(|stored| of(stored.user)).map(one).collect();
    said.sort_by(|a, b| {
        let whole = |said: &FeedbackSummary| (said.overall, said.audio, said.video, said.screen);
        (&a.user, &a.fabric, whole(a), &a.comment).cmp(&(&b.user, &b.fabric, whole(b), &b.comment))
    });
    said
}

fn user(call: &Conference, user: Option<UserId>) -> Option<String> {
    call.user_name(user?).map(String::from)
}

fn fabric(call: &Conference, fabric: Option<FabricId>) -> Option<String> {
    Some(call.fabrics.get(fabric?.index())?.spec.name().into())
}

fn local_user(call: &Conference, fabric: Option<FabricId>) -> Option<UserId> {
    call.fabrics.get(fabric?.index())?.spec.local_user
}
