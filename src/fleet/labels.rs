//! Interns the labels of conferences and counts their users. It does not know which conference has which label.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::config::FleetLimits;
use super::error::FleetError;

/// The labels in use, and how many conferences and windows use each.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(BTreeMap<Arc<str>, u32>);

impl Labels {
    /// Formats and checks the label `key=value`.
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

    /// Adds a label for a conference that added `before` labels already. A new label must leave at least as many unused
    /// labels as the conference added before, so that one conference cannot take them all.
    ///
    /// # Errors
    /// [`FleetError::FleetLabelsFull`].
    pub(super) fn add(&mut self, label: &str, before: usize, limits: FleetLimits) -> Result<Arc<str>, FleetError> {
        let left = limits.labels().saturating_sub(self.0.len());
        if before >= left && !self.0.contains_key(label) {
            return Err(FleetError::FleetLabelsFull);
        }
        Ok(self.acquire(label))
    }

    /// Counts another use of a label without checking limits, because the label was accepted before.
    pub(super) fn acquire(&mut self, label: &str) -> Arc<str> {
        let known = self.0.get_key_value(label).map(|(label, _)| Arc::clone(label));
        let label = known.unwrap_or_else(|| label.into());
        let count = self.0.entry(Arc::clone(&label)).or_default();
        *count = count.saturating_add(1);
        label
    }

    /// Counts one use less, and removes a label without uses.
    pub(super) fn release(&mut self, label: &str) {
        if let Some(count) = self.0.get_mut(label) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(label);
            }
        }
    }
}
