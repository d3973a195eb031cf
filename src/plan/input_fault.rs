//! What is wrong with an input, and at which key of the spec it is to be told.
//!
//! Inputs are read far from the spec: in `data`, which knows files, columns and splits, but no
//! lines. What is found there is an error that carries the key; whoever has the spec finds the
//! place ([`Loaded::diagnose`]), before a run and in its preparation alike.
//!
//! [`Loaded::diagnose`]: super::Loaded::diagnose

use std::fmt;

/// One mistake in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// The dotted key that names the input, such as `dataset.train[1]`; absent where whoever found
    /// the mistake knows of no spec.
    pub key: Option<String>,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Every mistake that was found in some inputs; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFaults(pub Vec<InputFault>);

impl InputFault {
    /// A mistake without a key yet.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            key: None,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A mistake of what a key names.
    pub fn of_key(
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            key: Some(key.into()),
            ..Self::new(message, hint)
        }
    }

    /// The mistakes that an error is made of; none where it is of another kind, such as one of the
    /// disk or of the network.
    pub fn found_in(error: &anyhow::Error) -> Option<Vec<Self>> {
        let one = || error.downcast_ref::<Self>().map(|one| vec![one.clone()]);
        let several = || Some(error.downcast_ref::<InputFaults>()?.0.clone());
        one().or_else(several)
    }

    /// The same error with a key for its mistakes that have none.
    pub fn at_key(error: anyhow::Error, key: &str) -> anyhow::Error {
        match Self::found_in(&error) {
            None => error,
            Some(faults) => {
                let keyed = |mut fault: Self| {
                    fault.key.get_or_insert_with(|| key.to_owned());
                    fault
                };
                InputFaults(faults.into_iter().map(keyed).collect()).into()
            }
        }
    }
}

impl fmt::Display for InputFault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for InputFaults {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            let between = if place > 0 { "\n" } else { "" };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InputFault {}

impl std::error::Error for InputFaults {}
