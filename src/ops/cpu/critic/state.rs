//! A critic: its parameters, optimizer state and buffers. It lives on the host in plain arrays, so
//! that a checkpoint holds it exactly.

use anyhow::{Result, bail};

use super::layout::CriticLayout;
use super::spectral::Spectral;
use super::workspace::Workspace;
use crate::ops::Precision;
use crate::ops::critic::{Constraint, CriticSettings, CriticState, StateArray};
use crate::random::Stream;

/// A critic with everything that its next update depends on.
#[derive(Debug, Clone)]
pub struct Critic {
    pub(in crate::ops) settings: CriticSettings,
    pub(in crate::ops) layout: CriticLayout,
    /// Weights as they are trained (not divided by their spectral norm), in the order of the
    /// layout.
    pub(super) parameters: Vec<f32>,
    /// Adam's first moments.
    pub(super) first: Vec<f32>,
    /// Adam's second moments.
    pub(super) second: Vec<f32>,
    /// Updates so far.
    pub(super) step: u64,
    /// Singular vectors of every weight, with the spectral constraint only.
    pub(super) spectral: Option<Spectral>,
    /// Buffers kept between updates; no part of the state.
    pub(super) workspace: Workspace,
    /// Of its layers' products; those of the gradient penalty alone are f32 always.
    pub(super) precision: Precision,
}

/// What of a critic changes while it learns, in plain arrays: a device that keeps critics elsewhere
/// gives and takes it so.
#[derive(Debug)]
pub(in crate::ops) struct CriticArrays {
    /// In the order of the layout, as the moments are.
    pub parameters: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub step: u64,
    /// u and v of every weight, with the spectral constraint only.
    pub vectors: Option<Vec<(Vec<f32>, Vec<f32>)>>,
}

/// The two digits of a step count, each exact in f32.
const STEP_BASE: u64 = 1 << 24;

impl CriticState for Critic {
    fn new(settings: &CriticSettings, mut stream: Stream) -> Self {
        assert!(
            settings.input > 0 && settings.width > 0 && settings.depth > 0,
            "a critic has at least one unit in at least one layer"
        );
        assert!(
            (0.0..1.0).contains(&settings.slope),
            "the slope {} of a leaky ReLU is not in [0, 1)",
            settings.slope
        );
        let layout = CriticLayout::new(settings);
        let mut parameters = Vec::with_capacity(layout.count());
        let mut fill = |count: usize, fan_in: usize| {
            let bound = 1.0 / (fan_in as f64).sqrt();
            parameters.extend((0..count).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32));
        };
        for layer in &layout.layers {
            fill(layer.weight.len() + layer.bias.len(), layer.input);
        }
        fill(layout.out.len(), settings.width);
        if let Constraint::Clip(bound) = settings.constraint {
            clamp(&mut parameters, bound);
        }
        let spectral = (settings.constraint == Constraint::Spectral)
            .then(|| Spectral::new(&layout, settings.width, &parameters, &mut stream));
        let count = layout.count();
        Self {
            settings: settings.clone(),
            layout,
            parameters,
            first: vec![0.0; count],
            second: vec![0.0; count],
            step: 0,
            spectral,
            workspace: Workspace::default(),
            precision: Precision::F32,
        }
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    fn state(&self) -> Vec<StateArray> {
        let mut all = self.parameters();
        for (prefix, moments) in [("adam.first", &self.first), ("adam.second", &self.second)] {
            let arrays = self.layout.arrays(self.settings.width).into_iter();
            all.extend(arrays.map(|(name, shape, range)| {
                (format!("{prefix}.{name}"), shape, moments[range].to_vec())
            }));
        }
        all.push((
            "adam.step".to_owned(),
            vec![2],
            vec![
                (self.step / STEP_BASE) as f32,
                (self.step % STEP_BASE) as f32,
            ],
        ));
        for (i, (u, v)) in self
            .spectral
            .iter()
            .flat_map(|spectral| &spectral.vectors)
            .enumerate()
        {
            all.push((format!("spectral.{i}.u"), vec![u.len()], u.clone()));
            all.push((format!("spectral.{i}.v"), vec![v.len()], v.clone()));
        }
        all
    }

    fn restore(&mut self, state: &[StateArray]) -> Result<()> {
        let mut faults = Vec::new();
        let own = self.state();
        for (name, shape, values) in &own {
            match state.iter().find(|(other, _, _)| other == name) {
                None => faults.push(format!("{name} is missing")),
                Some((_, other, found)) if other != shape || found.len() != values.len() => faults
                    .push(format!(
                        "{name} has shape {other:?}, this critic asks for {shape:?}"
                    )),
                Some(_) => {}
            }
        }
        faults.extend(
            state
                .iter()
                .filter(|(name, _, _)| own.iter().all(|(known, _, _)| known != name))
                .map(|(name, _, _)| format!("{name} is no part of this critic")),
        );
        if !faults.is_empty() {
            bail!(
                "the saved critic does not fit its settings: {}",
                faults.join("; ")
            );
        }
        let get = |name: &str| {
            state
                .iter()
                .find(|(other, _, _)| other == name)
                .map(|(_, _, values)| values.as_slice())
                .expect("every name was checked")
        };
        for (name, _, range) in self.layout.arrays(self.settings.width) {
            self.parameters[range.clone()].copy_from_slice(get(&name));
            self.first[range.clone()].copy_from_slice(get(&format!("adam.first.{name}")));
            self.second[range].copy_from_slice(get(&format!("adam.second.{name}")));
        }
        let digits = get("adam.step");
        self.step = digits[0] as u64 * STEP_BASE + digits[1] as u64;
        for (i, (u, v)) in self
            .spectral
            .iter_mut()
            .flat_map(|spectral| &mut spectral.vectors)
            .enumerate()
        {
            u.copy_from_slice(get(&format!("spectral.{i}.u")));
            v.copy_from_slice(get(&format!("spectral.{i}.v")));
        }
        Ok(())
    }
}

impl Critic {
    /// A critic of these arrays.
    pub(in crate::ops) fn of_arrays(settings: &CriticSettings, arrays: CriticArrays) -> Self {
        let CriticArrays {
            parameters,
            first,
            second,
            step,
            vectors,
        } = arrays;
        Self {
            settings: settings.clone(),
            layout: CriticLayout::new(settings),
            parameters,
            first,
            second,
            step,
            spectral: vectors.map(|vectors| Spectral { vectors }),
            workspace: Workspace::default(),
            precision: Precision::F32,
        }
    }

    pub(in crate::ops) fn into_arrays(self) -> CriticArrays {
        CriticArrays {
            parameters: self.parameters,
            first: self.first,
            second: self.second,
            step: self.step,
            vectors: self.spectral.map(|spectral| spectral.vectors),
        }
    }

    pub fn settings(&self) -> &CriticSettings {
        &self.settings
    }

    /// The parameters by name: `layers.I.weight` (in, out), `layers.I.bias`, `out.weight` (width,
    /// 1).
    pub fn parameters(&self) -> Vec<StateArray> {
        let arrays = self.layout.arrays(self.settings.width).into_iter();
        arrays
            .map(|(name, shape, range)| (name, shape, self.parameters[range].to_vec()))
            .collect()
    }

    /// The weights that the forward pass uses: as trained, or divided by σ = uᵀWv with the
    /// current vectors.
    pub(in crate::ops) fn effective(&self) -> std::borrow::Cow<'_, [f32]> {
        match &self.spectral {
            None => self.parameters.as_slice().into(),
            Some(spectral) => spectral
                .normalized(&self.layout, self.settings.width, &self.parameters)
                .into(),
        }
    }
}

/// Clamps every value to ± `bound`.
pub(super) fn clamp(values: &mut [f32], bound: f64) {
    let bound = bound as f32;
    values.iter_mut().for_each(|x| *x = x.clamp(-bound, bound));
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
