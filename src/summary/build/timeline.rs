//! Lists events, errors and feedback in the order of time. The order of arrival has no effect.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::scores;
use super::streams::{millis, order, views};
use crate::conference::{Conference, FeedbackRating, StoredFeedback};
use crate::event::{CallEvent, EventKind, StateChange};
use crate::fabric::Fabric;
use crate::id::{FabricId, UserId};
use crate::summary::{ErrorSummary, EventSummary, FeedbackSummary, GroupScore};
use crate::unit::Timestamp;

/// The events with their users.
pub(super) fn events(call: &Conference) -> Vec<(Option<UserId>, EventSummary)> {
    let all = &call.out.timeline.events;
    let setups = last_setups(call);
    let refuted: BTreeSet<(Option<FabricId>, Timestamp)> = all.iter().filter_map(refuted_at).collect();
    let valid = all.iter().enumerate().filter(|&(index, event)| match event.fabric {
        Some(fabric) if event.kind == EventKind::FabricSetup => setups.get(&fabric) == Some(&index),
        fabric => !is_of_failure(event.kind) || !refuted.contains(&(fabric, event.at)),
    });
    let mut events: Vec<_> = valid.map(|(_, event)| event_summary(call, event)).collect();
    // Events at the same time are sorted by user, from joining to leaving, then by fabric, each fabric's in the order
    // of occurrence. The end comes last.
    events.sort_by(|(_, a), (_, b)| place(a).cmp(&place(b)));
    events
}

/// The index of the set-up of each fabric that has one: a set-up that was withdrawn is none, and a later one replaces
/// it.
fn last_setups(call: &Conference) -> BTreeMap<FabricId, usize> {
    let mut setups = BTreeMap::new();
    for (index, event) in call.out.timeline.events.iter().enumerate() {
        if event.kind == EventKind::FabricSetup
            && let Some(id) = event.fabric
            && call.fabrics.get(id.index()).is_some_and(|fabric| fabric.lifecycle.was_set_up())
        {
            setups.insert(id, index);
        }
    }
    setups
}

/// The fabric and the time of a failure that traffic refuted.
fn refuted_at(event: &CallEvent) -> Option<(Option<FabricId>, Timestamp)> {
    let micros = libm::round(event.delay_ms.filter(|_| event.kind == EventKind::StateRefuted)? * 1e3) as u64;
    Some((event.fabric, Timestamp::from_micros(event.at.as_micros().saturating_sub(micros))))
}

/// Whether an event follows from a state of failed or closed.
const fn is_of_failure(kind: EventKind) -> bool {
    use EventKind::{FabricDropped, FabricSetupFailed, IceAborted, IceFailed, IceTerminated};
    matches!(kind, FabricDropped | FabricSetupFailed | IceAborted | IceFailed | IceTerminated)
}

/// The place of an event in the timeline.
fn place(event: &EventSummary) -> impl Ord + use<'_> {
    let is_end = event.event == EventKind::ConferenceEnded;
    (OrderedFloat(event.t_ms), is_end, &event.user, stage(event), &event.fabric)
}

/// The order of one user's events of the same time.
const fn stage(event: &EventSummary) -> u8 {
    match event.event {
        EventKind::UserJoined => 0,
        EventKind::UserLeft => 2,
        _ => 1,
    }
}

fn event_summary(call: &Conference, event: &CallEvent) -> (Option<UserId>, EventSummary) {
    let owner = event.user.or_else(|| local_user(call, event.fabric));
    let event = EventSummary {
        t_ms: millis(event.at),
        event: event.kind,
        user: user(call, owner),
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
    (owner, event)
}

/// The errors.
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

/// The measured score of what feedback is about: a fabric; all fabrics of the user; without a user, the whole call.
fn measured(call: &Conference, stored: &StoredFeedback) -> GroupScore {
    let fabrics = order(call).into_iter().filter(|fabric| concerns(stored, fabric));
    let views: Vec<_> = fabrics.flat_map(views).collect();
    scores::group(views.iter().map(|view| view.record), &call.config)
}

fn concerns(stored: &StoredFeedback, fabric: &Fabric) -> bool {
    match (stored.about, stored.user) {
        (Some(about), _) => fabric.id() == about,
        (None, Some(user)) => fabric.spec.local_user == Some(user),
        (None, None) => true,
    }
}

/// The feedback of the users that `of` admits.
pub(super) fn feedback(call: &Conference, of: impl Fn(Option<UserId>) -> bool) -> Vec<FeedbackSummary> {
    let stored = call.log.feedback.iter().filter(|stored| of(stored.user));
    let mut feedback: Vec<FeedbackSummary> = stored.map(|stored| feedback_summary(call, stored)).collect();
    feedback.sort_by(|a, b| {
        (&a.user, &a.fabric, ratings(a), &a.comment).cmp(&(&b.user, &b.fabric, ratings(b), &b.comment))
    });
    feedback
}

fn feedback_summary(call: &Conference, stored: &StoredFeedback) -> FeedbackSummary {
    let measured = measured(call, stored);
    let StoredFeedback { feedback, .. } = stored;
    FeedbackSummary {
        user: user(call, stored.user),
        fabric: fabric(call, stored.about),
        overall: feedback.overall.get(),
        audio: feedback.audio.map(FeedbackRating::get),
        video: feedback.video.map(FeedbackRating::get),
        screen: feedback.screen.map(FeedbackRating::get),
        comment: feedback.comment.as_ref().map(|comment| comment.text.clone()),
        cut_bytes: feedback.comment.as_ref().map_or(0, |comment| comment.cut_bytes as u64),
        measured_mos: measured.mos,
        measured_audio_mos: measured.audio.and_then(|score| score.mos),
        measured_video_mos: measured.video.and_then(|score| score.mos),
    }
}

const fn ratings(feedback: &FeedbackSummary) -> (u8, Option<u8>, Option<u8>, Option<u8>) {
    (feedback.overall, feedback.audio, feedback.video, feedback.screen)
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
