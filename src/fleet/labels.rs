//! The labels of conferences, each kept once.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;

use super::{FleetError, FleetLimits};

/// The labels in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(BTreeSet<Arc<str>>);

impl Labels {
    /// A label without regard to limits: one that was taken before.
    pub(super) fn keep(&mut self, label: &str) -> Arc<str> {
        if let Some(label) = self.0.get(label) {
            return Arc::clone(label);
        }
        let label: Arc<str> = label.into();
        self.0.insert(Arc::clone(&label));
        label
    }

    /// The label `key=value`, which is added when nobody has it.
    pub(super) fn get(&mut self, key: &str, value: &str, limits: FleetLimits) -> Result<Arc<str>, FleetError> {
        let is_long = key.len().saturating_add(value.len()).saturating_add(1) > limits.label_bytes();
        if key.is_empty() || value.is_empty() || key.contains('=') || is_long {
            return Err(FleetError::InvalidLabel);
        }
        let label = format!("{key}={value}");
        if let Some(label) = self.0.get(&*label) {
            return Ok(Arc::clone(label));
        }
        if self.0.len() >= limits.labels() {
            // Those that no conference and no window has.
            self.0.retain(|label| Arc::strong_count(label) > 1);
        }
        if self.0.len() >= limits.labels() {
            return Err(FleetError::LabelsFull);
        }
        Ok(self.keep(&label))
    }
}
