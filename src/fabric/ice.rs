//! The ICE state and the events of its transitions: a state machine without a clock.
//!
//! The transitions are those that callstats lists (REST definitions and Android client); an unlisted transition raises
//! nothing. Where its sources leave a gap or disagree:
//! - Each start has one end. A disruption that continues through `checking` or a restart ends when packets can flow
//!   again, not when checks begin. One that fails or is closed has no end but the failure.
//! - Set-up is raised for the first connection only; a restart does not raise another.

use smallvec::{SmallVec, smallvec};

use crate::event::IceState;

/// The ICE state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Ice {
    state: IceState,
    /// Connected since the beginning or the last restart.
    is_established: bool,
    /// Ever connected.
    is_set_up: bool,
    disruption: Option<Disruption>,
}

/// A disruption that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Disruption {
    /// Packets were flowing.
    OfMedia,
    /// Checks were under way.
    OfChecks,
}

/// The event that a transition raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IceEvent {
    Setup,
    DisruptionStart,
    DisruptionEnd,
    ConnectionDisruptionStart,
    ConnectionDisruptionEnd,
    Restarted,
    Failed,
    Dropped,
    Aborted,
    Terminated,
}

impl Default for Ice {
    fn default() -> Self {
        Self { state: IceState::New, is_established: false, is_set_up: false, disruption: None }
    }
}

impl Ice {
    pub(crate) const fn state(&self) -> IceState {
        self.state
    }

    /// Whether it was ever connected.
    pub(crate) const fn is_set_up(&self) -> bool {
        self.is_set_up
    }

    /// Whether packets flowed but do not at present.
    pub(crate) const fn is_disrupted(&self) -> bool {
        matches!(self.disruption, Some(Disruption::OfMedia))
    }

    /// Whether checks were under way but are not at present.
    pub(crate) const fn is_checking_disrupted(&self) -> bool {
        matches!(self.disruption, Some(Disruption::OfChecks))
    }

    /// Withdraws the set-up: ICE was connected, but no packet could flow without DTLS.
    pub(crate) const fn withdraw(&mut self) {
        *self = Self { state: IceState::Checking, is_established: false, is_set_up: false, disruption: None };
    }

    /// Enters a state. Returns at most two events, in order.
    pub(crate) fn transition(&mut self, to: IceState) -> SmallVec<[IceEvent; 2]> {
        use IceState::{Checking, Closed, Completed, Connected, Disconnected, Failed, New};
        let from = core::mem::replace(&mut self.state, to);
        if from == to {
            return SmallVec::new();
        }
        match (from, to) {
            (_, New) => {
                self.is_established = false;
                smallvec![IceEvent::Restarted]
            }
            (_, Checking) if self.is_checking_disrupted() => {
                self.disruption = None;
                smallvec![IceEvent::ConnectionDisruptionEnd]
            }
            (_, Checking) => SmallVec::new(),
            (_, Connected | Completed) => {
                let end = self.disruption.take().map(|disruption| match disruption {
                    Disruption::OfMedia => IceEvent::DisruptionEnd,
                    Disruption::OfChecks => IceEvent::ConnectionDisruptionEnd,
                });
                let is_first = !core::mem::replace(&mut self.is_set_up, true);
                self.is_established = true;
                end.into_iter().chain(is_first.then_some(IceEvent::Setup)).collect()
            }
            (Connected | Completed, Disconnected) => {
                self.disruption = Some(Disruption::OfMedia);
                smallvec![IceEvent::DisruptionStart]
            }
            (Checking, Disconnected) if self.disruption.is_none() => {
                self.disruption = Some(Disruption::OfChecks);
                smallvec![IceEvent::ConnectionDisruptionStart]
            }
            (_, Disconnected) => SmallVec::new(),
            (_, Failed) => {
                let of_checks = matches!(self.disruption.take(), Some(Disruption::OfChecks));
                let event = match from {
                    Connected | Completed => Some(IceEvent::Dropped),
                    Disconnected if of_checks => Some(IceEvent::Failed),
                    Disconnected if self.is_established => Some(IceEvent::Dropped),
                    Checking => Some(IceEvent::Failed),
                    _ => None,
                };
                event.into_iter().collect()
            }
            (_, Closed) => {
                self.disruption = None;
                let event = if matches!(from, New | Checking) { IceEvent::Aborted } else { IceEvent::Terminated };
                smallvec![event]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Every state before a transition that the table distinguishes: the states passed, from `new` on.
    const BEFORE: [(&str, &[IceState]); 13] = [
        ("new", &[]),
        ("new after connected", &[IceState::Connected, IceState::New]),
        ("checking", &[IceState::Checking]),
        ("checking after connected", &[IceState::Connected, IceState::Checking]),
        ("checking after a disruption", &[IceState::Connected, IceState::Disconnected, IceState::Checking]),
        ("connected", &[IceState::Checking, IceState::Connected]),
        ("completed", &[IceState::Checking, IceState::Completed]),
        ("disconnected from connected", &[IceState::Connected, IceState::Disconnected]),
        ("disconnected from checking", &[IceState::Checking, IceState::Disconnected]),
        ("disconnected from new", &[IceState::Disconnected]),
        ("failed from checking", &[IceState::Checking, IceState::Failed]),
        ("failed from connected", &[IceState::Connected, IceState::Failed]),
        ("closed", &[IceState::Checking, IceState::Closed]),
    ];

    /// The listed transitions: from, to, and the events raised. From callstats' REST definitions and Android client,
    /// with the choices at the head of this file. Every other transition raises nothing.
    const LISTED: &str = "
        new > connected: Setup
        new > completed: Setup
        new > closed: Aborted
        new after connected > closed: Aborted
        checking > connected: Setup
        checking > completed: Setup
        checking > disconnected: ConnectionDisruptionStart
        checking > failed: Failed
        checking > closed: Aborted
        checking > new: Restarted
        checking after connected > disconnected: ConnectionDisruptionStart
        checking after connected > failed: Failed
        checking after connected > closed: Aborted
        checking after connected > new: Restarted
        checking after a disruption > connected: DisruptionEnd
        checking after a disruption > completed: DisruptionEnd
        checking after a disruption > failed: Failed
        checking after a disruption > closed: Aborted
        checking after a disruption > new: Restarted
        connected > disconnected: DisruptionStart
        connected > failed: Dropped
        connected > closed: Terminated
        connected > new: Restarted
        completed > disconnected: DisruptionStart
        completed > failed: Dropped
        completed > closed: Terminated
        completed > new: Restarted
        disconnected from connected > connected: DisruptionEnd
        disconnected from connected > completed: DisruptionEnd
        disconnected from connected > failed: Dropped
        disconnected from connected > closed: Terminated
        disconnected from connected > new: Restarted
        disconnected from checking > checking: ConnectionDisruptionEnd
        disconnected from checking > connected: ConnectionDisruptionEnd Setup
        disconnected from checking > completed: ConnectionDisruptionEnd Setup
        disconnected from checking > failed: Failed
        disconnected from checking > closed: Terminated
        disconnected from checking > new: Restarted
        disconnected from new > connected: Setup
        disconnected from new > completed: Setup
        disconnected from new > closed: Terminated
        disconnected from new > new: Restarted
        failed from checking > connected: Setup
        failed from checking > completed: Setup
        failed from checking > closed: Terminated
        failed from checking > new: Restarted
        failed from connected > closed: Terminated
        failed from connected > new: Restarted
        closed > connected: Setup
        closed > completed: Setup
        closed > new: Restarted
    ";

    fn raised(events: SmallVec<[IceEvent; 2]>) -> String {
        events.iter().map(|event| std::format!("{event:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_listed_transitions_raise_events() {
        let mut listed: std::collections::BTreeMap<&str, &str> =
            LISTED.lines().filter_map(|line| line.trim().split_once(": ")).collect();
        assert_eq!(listed.len(), 51);
        for (name, path) in BEFORE {
            for &to in IceState::ALL {
                let mut ice = Ice::default();
                for &state in path {
                    ice.transition(state);
                }
                let expected = listed.remove(&*std::format!("{name} > {}", to.name())).unwrap_or("");
                assert_eq!(raised(ice.transition(to)), expected, "{name} > {}", to.name());
                assert_eq!(ice.state(), to);
            }
        }
        assert!(listed.is_empty(), "never walked: {listed:?}");
    }

    proptest! {
        #[test]
        fn disruptions_alternate_and_setup_is_raised_once(
            path in prop::collection::vec(prop::sample::select(IceState::ALL.to_vec()), 0..40)
        ) {
            let mut ice = Ice::default();
            let (mut media, mut checks, mut setups) = (false, false, 0);
            for to in path {
                for event in ice.transition(to) {
                    match event {
                        IceEvent::DisruptionStart => prop_assert!(!core::mem::replace(&mut media, true) && !checks),
                        IceEvent::DisruptionEnd => prop_assert!(core::mem::take(&mut media)),
                        IceEvent::ConnectionDisruptionStart => prop_assert!(!core::mem::replace(&mut checks, true) && !media),
                        IceEvent::ConnectionDisruptionEnd => prop_assert!(core::mem::take(&mut checks)),
                        IceEvent::Setup => setups += 1,
                        _ => {}
                    }
                }
                if matches!(to, IceState::Failed | IceState::Closed) {
                    (media, checks) = (false, false);
                }
                prop_assert_eq!(ice.is_disrupted(), media);
                prop_assert_eq!(ice.is_checking_disrupted(), checks);
            }
            prop_assert!(setups <= 1 && (setups == 1) == ice.is_set_up());
        }
    }
}
