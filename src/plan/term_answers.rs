//! What the other modules ask about a loss term.

use super::comparison::{CloudLoss, Comparison, HiddenDistance, HiddenLoss, LogitLoss, StateForm};
use super::critic::CriticSpec;
use super::schedule::Schedule;
use super::term::Term;

impl Term {
    /// The weight's schedule, which every kind has.
    pub fn weight(&self) -> &Schedule {
        match self {
            Self::Lm { weight }
            | Self::LogitsKl { weight, .. }
            | Self::LogitsJs { weight, .. }
            | Self::LogitsTv { weight, .. }
            | Self::LogitsMse { weight }
            | Self::LogitsWasserstein { weight, .. }
            | Self::LogitsLens { weight, .. }
            | Self::HiddenMse { weight, .. }
            | Self::HiddenCosine { weight, .. }
            | Self::HiddenWasserstein { weight, .. }
            | Self::HiddenSlicedWasserstein { weight, .. }
            | Self::HiddenEnergy { weight, .. }
            | Self::HiddenMmd { weight, .. }
            | Self::HiddenGaussianW2 { weight, .. }
            | Self::HiddenSinkhorn { weight, .. }
            | Self::HiddenCka { weight, .. }
            | Self::AttentionKl { weight } => weight,
        }
    }

    /// What the term compares, and how. The function is long because every kind is told apart in
    /// it.
    pub fn comparison(&self) -> Comparison<'_> {
        let (states, distance) = match self {
            Self::Lm { weight: _ } => return Comparison::Logits(LogitLoss::Lm),
            Self::LogitsKl {
                weight: _,
                temperature,
                direction,
                skew,
            } => {
                return Comparison::Logits(LogitLoss::Kl {
                    temperature,
                    direction: *direction,
                    skew: *skew,
                });
            }
            Self::LogitsJs {
                weight: _,
                temperature,
            } => return Comparison::Logits(LogitLoss::Js { temperature }),
            Self::LogitsTv {
                weight: _,
                temperature,
            } => return Comparison::Logits(LogitLoss::Tv { temperature }),
            Self::LogitsMse { weight: _ } => return Comparison::Logits(LogitLoss::Mse),
            Self::LogitsWasserstein {
                weight: _,
                temperature,
            } => return Comparison::Logits(LogitLoss::Wasserstein { temperature }),
            Self::LogitsLens {
                weight: _,
                temperature,
            } => (&StateForm::Raw, HiddenDistance::Lens { temperature }),
            Self::HiddenMse {
                weight: _,
                states,
                normalize,
            } => (
                states,
                HiddenDistance::Mse {
                    normalize: *normalize,
                },
            ),
            Self::HiddenCosine { weight: _, states } => (states, HiddenDistance::Cosine),
            Self::HiddenWasserstein {
                weight: _,
                states,
                critic,
            } => (states, HiddenDistance::Wasserstein(critic)),
            Self::HiddenSlicedWasserstein {
                weight: _,
                states,
                directions,
            } => {
                let directions = *directions;
                (states, CloudLoss::SlicedWasserstein { directions }.into())
            }
            Self::HiddenEnergy {
                weight: _,
                states,
                tokens,
            } => (states, CloudLoss::Energy { tokens: *tokens }.into()),
            Self::HiddenMmd {
                weight: _,
                states,
                tokens,
            } => (states, CloudLoss::Mmd { tokens: *tokens }.into()),
            Self::HiddenGaussianW2 { weight: _, states } => (states, CloudLoss::GaussianW2.into()),
            Self::HiddenSinkhorn {
                weight: _,
                states,
                tokens,
                epsilon,
                iterations,
            } => {
                let loss = CloudLoss::Sinkhorn {
                    tokens: *tokens,
                    epsilon: *epsilon,
                    iterations: *iterations,
                };
                (states, loss.into())
            }
            Self::HiddenCka { weight: _, states } => (states, CloudLoss::Cka.into()),
            Self::AttentionKl { weight: _ } => (&StateForm::Raw, HiddenDistance::Attention),
        };
        Comparison::Hidden(HiddenLoss {
            states: *states,
            distance,
        })
    }

    /// The loss, if it is one of predictions.
    pub fn logits(&self) -> Option<LogitLoss<'_>> {
        match self.comparison() {
            Comparison::Logits(loss) => Some(loss),
            Comparison::Hidden(_) => None,
        }
    }

    /// The loss, if it is one of hidden states.
    pub fn hidden(&self) -> Option<HiddenLoss<'_>> {
        match self.comparison() {
            Comparison::Logits(_) => None,
            Comparison::Hidden(loss) => Some(loss),
        }
    }

    /// Whether the term compares hidden states of matched layers. Those are the terms that
    /// `[balance]` scales, and that are projected to the teacher's width.
    pub fn is_hidden(&self) -> bool {
        self.hidden().is_some()
    }

    /// Whether the term compares predictions with the teacher's.
    pub fn compares_logits(&self) -> bool {
        match self.comparison() {
            Comparison::Logits(LogitLoss::Lm) | Comparison::Hidden(_) => false,
            Comparison::Logits(
                LogitLoss::Kl { .. }
                | LogitLoss::Js { .. }
                | LogitLoss::Tv { .. }
                | LogitLoss::Mse
                | LogitLoss::Wasserstein { .. },
            ) => true,
        }
    }

    /// Whether the term takes anything from the teacher.
    pub fn needs_teacher(&self) -> bool {
        self.is_hidden() || self.compares_logits()
    }

    /// The schedule of its temperature, if it has one.
    pub fn temperature(&self) -> Option<&Schedule> {
        match self.comparison() {
            Comparison::Logits(LogitLoss::Lm | LogitLoss::Mse) => None,
            Comparison::Logits(
                LogitLoss::Kl { temperature, .. }
                | LogitLoss::Js { temperature }
                | LogitLoss::Tv { temperature }
                | LogitLoss::Wasserstein { temperature },
            ) => Some(temperature),
            Comparison::Hidden(loss) => match loss.distance {
                HiddenDistance::Lens { temperature } => Some(temperature),
                HiddenDistance::Mse { .. }
                | HiddenDistance::Cosine
                | HiddenDistance::Wasserstein(_)
                | HiddenDistance::Cloud(_)
                | HiddenDistance::Attention => None,
            },
        }
    }

    /// What its value is divided by to be in nats per token, at a step's temperature; none where
    /// the value is in a unit of its own.
    pub fn nats_scale(&self, temperature: Option<f64>) -> Option<f64> {
        match self.comparison() {
            Comparison::Logits(LogitLoss::Lm) => Some(1.0),
            Comparison::Logits(LogitLoss::Kl { .. } | LogitLoss::Js { .. }) => {
                temperature.map(|tau| tau.powi(2))
            }
            Comparison::Logits(
                LogitLoss::Tv { .. } | LogitLoss::Mse | LogitLoss::Wasserstein { .. },
            )
            | Comparison::Hidden(_) => None,
        }
    }

    /// Its critic, if it takes one.
    pub fn critic(&self) -> Option<&CriticSpec> {
        self.hidden()?.distance.critic()
    }

    /// Its critic, to be changed.
    pub fn critic_mut(&mut self) -> Option<&mut CriticSpec> {
        if let Self::HiddenWasserstein { critic, .. } = self {
            Some(critic)
        } else {
            assert!(self.critic().is_none(), "a critic of another kind");
            None
        }
    }

    /// How many tokens it compares with each other at most, to be changed; none where it takes all.
    pub fn tokens_mut(&mut self) -> Option<&mut usize> {
        if let Self::HiddenEnergy { tokens, .. }
        | Self::HiddenMmd { tokens, .. }
        | Self::HiddenSinkhorn { tokens, .. } = self
        {
            Some(tokens)
        } else {
            let tokens = self.hidden().and_then(|loss| match loss.distance {
                HiddenDistance::Cloud(loss) => loss.tokens(),
                _ => None,
            });
            assert!(tokens.is_none(), "a cloud of another kind");
            None
        }
    }

    /// Whether states of another width pass through a learned projection for it.
    pub fn is_projected(&self) -> bool {
        self.hidden()
            .is_some_and(|loss| loss.distance.is_projected())
    }
}
