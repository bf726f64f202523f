//! Alerts from calls counted by hand.

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::diagnosis::Kind;
use callgauge::event::{CallClass, ConnectionState, IceState};
use callgauge::fleet::{AlertReason, AlertRule, AlertThreshold, Fleet, FleetConfig, Period, Tally};
use callgauge::report::{Num, Report, StatsType};
use callgauge::unit::{Ratio, StatTime};
use callgauge::{Conference, Config, FabricSpec};

use super::{at, connect, end_of_time, open, parts};

fn ice(fleet: &mut Fleet, second: u64, id: &str, fabric: callgauge::id::FabricId, state: IceState) {
    fleet.enter(at(second), id).unwrap().ice_state(at(second), fabric, state).unwrap();
}

/// Ten calls of one minute: four good ones, one of them with a set-up of 9 s; two in which no user connected; one in
/// which Bob did not connect; two dropped ones; and one in which Carol returned twice and Alice was dissatisfied.
fn minute() -> Tally {
    let mut fleet = Fleet::new(FleetConfig::new());
    for id in ["good-1", "good-2", "good-3", "slow"] {
        let alice = open(&mut fleet, 0, id, "alice");
        connect(&mut fleet, if id == "slow" { 9 } else { 1 }, id, alice);
    }
    for id in ["failed-1", "failed-2", "part"] {
        if id == "part" {
            let alice = open(&mut fleet, 0, id, "alice");
            connect(&mut fleet, 1, id, alice);
        }
        let bob = open(&mut fleet, 2, id, "bob");
        ice(&mut fleet, 3, id, bob, IceState::Checking);
        ice(&mut fleet, 4, id, bob, IceState::Failed);
    }
    for id in ["dropped-1", "dropped-2"] {
        let alice = open(&mut fleet, 0, id, "alice");
        connect(&mut fleet, 1, id, alice);
        ice(&mut fleet, 5, id, alice, IceState::Failed);
    }
    let alice = open(&mut fleet, 0, "churn", "alice");
    connect(&mut fleet, 1, "churn", alice);
    for second in [2, 4, 6] {
        let mut call = fleet.enter(at(second), "churn").unwrap();
        let carol = call.user("carol").unwrap();
        call.join(at(second), carol).unwrap();
        if second < 6 {
            call.leave(at(second + 1), carol).unwrap();
        }
        call.feedback(Some(carol), None, Feedback::new(FeedbackRating::BEST)).unwrap();
        let user = call.find_user("alice");
        call.feedback(user, None, Feedback::new(FeedbackRating::new(2).unwrap())).unwrap();
    }
    fleet.handle_timeout(end_of_time());
    let parts = parts(&mut fleet);
    assert_eq!(parts.len(), 1);
    parts[0].rollup.total.clone()
}

fn period() -> Period {
    Period::new(at(0), at(60))
}

#[test]
fn each_alert_reason_counts_its_calls() {
    let tally = minute();
    assert_eq!((tally.conferences, tally.classed()), (10, 10));
    // alice in eight of them, bob in three, carol in one.
    assert_eq!(tally.participants, 12);
    for (reason, actual, total) in [
        (AlertReason::FailedConferences, 2, 10),
        (AlertReason::DroppedConferences, 2, 10),
        (AlertReason::PartiallyFailedConferences, 1, 10),
        (AlertReason::HighChurn, 1, 12),
        (AlertReason::HighSetupDelays, 1, 8),
        (AlertReason::DissatisfactoryUserFeedback, 1, 2),
    ] {
        let rule = AlertRule::new(reason, AlertThreshold::Absolute(actual));
        let alert = rule.alert(period(), &tally).unwrap_or_else(|| panic!("no {reason:?}"));
        assert_eq!((alert.reason, alert.actual_value), (reason, actual));
        assert_eq!(alert.fractional_value, Some(actual as f64 / f64::from(total)), "{reason:?}");
        assert_eq!((alert.period.start, alert.period.end), (0.0, 60_000.0));
        assert_eq!(AlertRule::new(reason, AlertThreshold::Absolute(actual + 1)).alert(period(), &tally), None);
        let share = |share: f64| AlertThreshold::Fractional(Ratio::new(share).unwrap());
        let exactly = actual as f64 / f64::from(total);
        assert!(AlertRule::new(reason, share(exactly)).alert(period(), &tally).is_some());
        assert!(AlertRule::new(reason, share(exactly + 0.01)).alert(period(), &tally).is_none());
    }
    // No round trip was measured.
    let rule = AlertRule::new(AlertReason::HighRoundTripTime, AlertThreshold::Absolute(0));
    assert_eq!(rule.alert(period(), &tally), None);
    let rule = AlertRule::new(AlertReason::HighSetupDelays, AlertThreshold::Absolute(1));
    assert_eq!(rule.with_limit_ms(500.0).alert(period(), &tally).unwrap().actual_value, 8);
    assert_eq!(rule.with_limit_ms(10_000.0).alert(period(), &tally), None);
}

#[test]
fn empty_part_has_no_alert_and_no_ratio() {
    let nothing = Tally::default();
    for &reason in AlertReason::ALL {
        for threshold in [AlertThreshold::Absolute(0), AlertThreshold::Fractional(Ratio::MIN)] {
            assert_eq!(AlertRule::new(reason, threshold).alert(period(), &nothing), None);
        }
    }
    assert_eq!((nothing.failure_ratio(), nothing.churn_ratio()), (None, None));
    assert_eq!((nothing.mean_feedback(), nothing.rejoins_per_user_hour(), nothing.mos().mean), (None, None, None));
}

#[test]
fn tally_ratios_match_hand_counts() {
    let tally = minute();
    assert_eq!(tally.failure_ratio().map(Ratio::as_f64), Some(0.3));
    assert_eq!((tally.stays, tally.rejoined, tally.mean_feedback()), (14, 1, Some(3.5)));
}

#[cfg(feature = "serde")]
#[test]
fn alert_has_the_keys_of_the_webhook() {
    let rule = AlertRule::new(AlertReason::FailedConferences, AlertThreshold::Absolute(2));
    let alert = rule.alert(period(), &minute()).unwrap();
    assert_eq!(
        serde_json::to_value(&alert).unwrap(),
        serde_json::json!({
            "reason": "failedConferences", "actualValue": 2, "threshold": 2.0, "fractionalValue": 0.2,
            "period": {"start": 0.0, "end": 60_000.0}, "text": "2 of 10 conferences failed; the limit is 2",
        })
    );
}

/// The tally of a call of Alice whose connection carries media, in which `more` happens besides.
fn tally_with(more: impl Fn(&mut Conference)) -> Tally {
    let mut call = Conference::new("call", Config::new());
    let alice = call.user("alice").unwrap();
    let fabric = call.open_fabric(at(0), FabricSpec::new("pc").with_local_user(alice)).unwrap();
    call.ice_state(at(1), fabric, IceState::Connected).unwrap();
    let mut report = Report::new();
    let mut entry = report.push(StatsType::InboundRtp, "I");
    entry.set_timestamp(StatTime::from_millis(1e12)).set(Num::Ssrc, 7.0).set(Num::PacketsReceived, 100.0);
    call.ingest(at(2), fabric, &report).unwrap();
    more(&mut call);
    Tally::of(&call.summary(), call.distributions())
}

#[test]
fn connection_that_never_carried_anything_is_no_failed_call() {
    let tally = tally_with(|call| {
        let alice = call.find_user("alice").unwrap();
        let test = call.open_fabric(at(3), FabricSpec::new("loopback").with_local_user(alice)).unwrap();
        call.ice_state(at(4), test, IceState::Checking).unwrap();
        call.ice_state(at(9), test, IceState::Failed).unwrap();
    });
    assert_eq!(tally.fabrics, 2);
    assert_eq!(tally.fabric_classes, [(CallClass::Established, 1)].into());
    assert_eq!(tally.setup_delay_ms.n(), 1);
    assert_eq!(tally.diagnoses.get(&Kind::ConnectionFailed), None);
    // Another user without any other connection could not connect.
    let tally = tally_with(|call| {
        let bob = call.user("bob").unwrap();
        let only = call.open_fabric(at(3), FabricSpec::new("pc").with_local_user(bob)).unwrap();
        call.ice_state(at(4), only, IceState::Checking).unwrap();
        call.ice_state(at(9), only, IceState::Failed).unwrap();
    });
    assert_eq!(tally.fabric_classes, [(CallClass::Established, 1), (CallClass::Failed, 1)].into());
    assert_eq!((tally.class(CallClass::PartiallyFailed), tally.diagnoses.get(&Kind::ConnectionFailed)), (1, Some(&1)));
}

#[test]
fn failure_counts_in_a_fleet_whatever_source_states_it() {
    let tally = tally_with(|call| {
        let alice = call.find_user("alice").unwrap();
        let fabric = call.find_fabric(&FabricSpec::new("pc").with_local_user(alice)).unwrap();
        call.connection_state(at(9), fabric, ConnectionState::Failed).unwrap();
    });
    assert_eq!((tally.class(CallClass::Dropped), tally.diagnoses.get(&Kind::ConnectionDropped)), (1, Some(&1)));
    let rule = AlertRule::new(AlertReason::DroppedConferences, AlertThreshold::Absolute(1));
    assert_eq!(rule.alert(period(), &tally).map(|alert| alert.actual_value), Some(1));
}
