//! What went wrong, over all fabrics.

use alloc::string::String;
use alloc::vec::Vec;

use super::Conference;
use super::Fabric;
use crate::diagnosis::{Diagnosis, sentence};
use crate::summary::DiagnosisSummary;

/// The diagnoses of all fabrics, worst first: by severity, then by how long they went on.
pub(super) fn diagnoses(call: &Conference, fabrics: &[&Fabric], start_ms: Option<f64>) -> Vec<DiagnosisSummary> {
    let mut all: Vec<(f64, usize, &Fabric, &Diagnosis)> = Vec::new();
    for (index, fabric) in fabrics.iter().enumerate() {
        let end_ms = fabric.span.map(|(_, last)| last.as_millis());
        for diagnosis in &fabric.watch.book.diagnoses {
            let end_ms = diagnosis.to.map(|to| to.as_millis()).or(end_ms).unwrap_or(diagnosis.from.as_millis());
            all.push((end_ms - diagnosis.from.as_millis(), index, fabric, diagnosis));
        }
    }
    all.sort_by(|(a_ms, a_index, _, a), (b_ms, b_index, _, b)| {
        let order = b.severity.cmp(&a.severity).then(b_ms.total_cmp(a_ms));
        let order = order.then(a.from.as_millis().total_cmp(&b.from.as_millis()));
        order.then((a.kind, a_index, a.side, a.stream.map(|key| key.ssrc)).cmp(&(
            b.kind,
            b_index,
            b.side,
            b.stream.map(|key| key.ssrc),
        )))
    });
    all.into_iter().map(|(_, _, fabric, diagnosis)| summary(call, fabric, diagnosis, start_ms.unwrap_or(0.0))).collect()
}

fn summary(call: &Conference, fabric: &Fabric, diagnosis: &Diagnosis, start_ms: f64) -> DiagnosisSummary {
    let user = fabric.spec.local_user.and_then(|user| call.user_name(user));
    let who = user.unwrap_or(&fabric.spec.name);
    DiagnosisSummary {
        kind: diagnosis.kind,
        severity: diagnosis.severity,
        fabric: fabric.spec.name.clone(),
        user: user.map(String::from),
        direction: diagnosis.side,
        ssrc: diagnosis.stream.map(|key| key.ssrc),
        from_ms: diagnosis.from.as_millis(),
        to_ms: diagnosis.to.map(|to| to.as_millis()),
        evidence: diagnosis.evidence.iter().map(|(name, value)| (name.into(), value)).collect(),
        sentence: sentence(diagnosis, if who.is_empty() { "somebody" } else { who }, start_ms),
    }
}
