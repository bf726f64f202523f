//! The labels of conferences, each kept once.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::{FleetError, FleetLimits};

/// The labels in use, and how many conferences and windows have each.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(BTreeMap<Arc<str>, u32>);

impl Labels {
    /// The label `key=value`.
    ///
    /// # Errors
    /// [`FleetError::InvalidLabel`].
    pub(super) fn text(key: &str, value: &str, limits: FleetLimits) -> Result<String, FleetError> {
        let is_long = key.len().saturating_add(value.len()).saturating_add(1) > limits.label_bytes();
        if key.is_empty() || value.is_empty() || key.contains('=') || is_long {
            return Err(FleetError::InvalidLabel);
        }
        Ok(format!("{key}={value}"))
    }

    /// A label for a conference that brought so many before. Who brings one that nobody has leaves as many to others as
    /// it brought: no conference can take them all.
    ///
    /// # Errors
    /// [`FleetError::FleetLabelsFull`].
    pub(super) fn bring(&mut self, label: &str, before: usize, limits: FleetLimits) -> Result<Arc<str>, FleetError> {
        let left = limits.labels().saturating_sub(self.0.len());
        if before >= left && !self.0.contains_key(label) {
            return Err(FleetError::FleetLabelsFull);
        }
        Ok(self.keep(label))
    }

    /// Somebody has a label, without regard to limits: it was taken before.
    pub(super) fn keep(&mut self, label: &str) -> Arc<str> {
        let known = self.0.get_key_value(label).map(|(label, _)| Arc::clone(label));
        let label = known.unwrap_or_else(|| label.into());
        let count = self.0.entry(Arc::clone(&label)).or_default();
        *count = count.saturating_add(1);
        label
    }

    /// Somebody has it no longer.
    pub(super) fn release(&mut self, label: &str) {
        if let Some(count) = self.0.get_mut(label) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(label);
            }
        }
    }
}
