//! Serializes a score for a checkpoint, with all its fields, unlike outputs. It omits the model, which the checkpoint
//! stores once.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::evidence::{Cause, Inputs, Parts};
use super::model::{ModelId, MosScale, Native, Score, Tier};
use crate::unit::Rx;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Score")]
struct StoredScoreParts {
    rx: Rx,
    rx_low: Rx,
    rx_high: Rx,
    rx_lq: Option<Rx>,
    scale: MosScale,
    native: Option<Native>,
    #[serde(skip, default = "ModelId::unknown")]
    model: ModelId,
    tier: Tier,
    inputs: Inputs,
    cause: Option<Cause>,
    parts: Parts,
    gains: Parts,
}

pub(crate) fn serialize<S: Serializer>(score: &Score, serializer: S) -> Result<S::Ok, S::Error> {
    StoredScoreParts::serialize(score, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Score, D::Error> {
    StoredScoreParts::deserialize(deserializer)
}
