//! Values that change over the steps of a run: loss weights and temperatures.
//!
//! Steps count from 0; with x = min(1, k / over) a schedule goes from `from` at step 0 to `to` at
//! step `over` and stays there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of training: so many steps, or a share of all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    Steps(u64),
    /// 0 to 100.
    Percent(f64),
}

/// A value by step.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    Constant(f64),
    /// `from + (to − from)·x`.
    Linear {
        from: f64,
        to: f64,
        over: Span,
    },
    /// `to + (from − to)·(1 + cos πx)/2`.
    Cosine {
        from: f64,
        to: f64,
        over: Span,
    },
    /// `from·(to / from)^x`; both have one sign and neither is 0.
    Exponential {
        from: f64,
        to: f64,
        over: Span,
    },
    /// `from` before the step `over`, `to` from it on.
    Step {
        from: f64,
        to: f64,
        over: Span,
    },
    /// Straight lines between (step or share, value), in order; constant outside.
    Piecewise {
        points: Vec<(Span, f64)>,
    },
}

/// Tables as they are written; a number is a constant.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "shape", rename_all = "kebab-case", deny_unknown_fields)]
enum WrittenSchedule {
    /// The same at every step, as a plain number is.
    Constant {
        /// The value.
        value: f64,
    },
    /// A straight line, then constant.
    Linear {
        /// Value at step 0.
        from: f64,
        /// Value from step `over` on.
        to: f64,
        /// Steps, or a share of all.
        over: Span,
    },
    /// Half a cosine, then constant.
    Cosine {
        /// Value at step 0.
        from: f64,
        /// Value from step `over` on.
        to: f64,
        /// Steps, or a share of all.
        over: Span,
    },
    /// A constant ratio from step to step, then constant; neither end is 0.
    Exponential {
        /// Value at step 0.
        from: f64,
        /// Value from step `over` on.
        to: f64,
        /// Steps, or a share of all.
        over: Span,
    },
    /// One jump.
    Step {
        /// Value before step `over`.
        from: f64,
        /// Value from step `over` on.
        to: f64,
        /// Steps, or a share of all.
        over: Span,
    },
    /// Straight lines between points, constant outside.
    Piecewise {
        /// Pairs of a step (or a share of all) and a value, in order.
        #[schemars(length(min = 1, max = 10_000))]
        points: Vec<(Span, f64)>,
    },
}

/// Schema of a share that is written as a percentage.
#[derive(Debug)]
pub(crate) struct Percent;

/// A percentage from 0% to 100% as a regular expression.
const PERCENT: &str = r"^0*(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$";

/// The number before the `%` of a percentage from 0% to 100%; exactly what `PERCENT` matches.
pub(crate) fn percentage(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    number
        .parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": PERCENT })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let steps = schemars::json_schema!({ "type": "integer", "minimum": 0 });
        let share = schemars::json_schema!({ "type": "string", "pattern": PERCENT });
        schemars::json_schema!({ "anyOf": [steps, share] })
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<WrittenSchedule>();
        schemars::json_schema!({ "anyOf": [{ "type": "number" }, table] })
    }
}

impl Span {
    /// The length in steps of a run of `total` steps, not rounded.
    pub fn steps(self, total: u64) -> f64 {
        match self {
            Self::Steps(steps) => steps as f64,
            Self::Percent(percent) => percent / 100.0 * total as f64,
        }
    }

    /// The step at which it ends, for what happens at one step: a percentage that comes to a whole
    /// number of steps is that number, which [`Self::steps`] may miss by the last bit.
    pub fn end(self, total: u64) -> f64 {
        match self {
            Self::Steps(steps) => steps as f64,
            Self::Percent(percent) => percent * total as f64 / 100.0,
        }
    }

    /// The share itself, 0 to 1, of a span that is a percentage; a number of steps is taken as the
    /// share it was written as.
    pub fn share(self) -> f64 {
        match self {
            Self::Steps(steps) => steps as f64,
            Self::Percent(percent) => percent / 100.0,
        }
    }
}

impl Schedule {
    /// The value at step `step` (from 0) of a run of `total` steps.
    pub fn at(&self, step: u64, total: u64) -> f64 {
        let x = |over: &Span| {
            let over = over.steps(total);
            if over > 0.0 {
                (step as f64 / over).min(1.0)
            } else {
                1.0
            }
        };
        match self {
            Self::Constant(value) => *value,
            Self::Linear { from, to, over } => from + (to - from) * x(over),
            Self::Cosine { from, to, over } => {
                to + (from - to) * (1.0 + (std::f64::consts::PI * x(over)).cos()) / 2.0
            }
            Self::Exponential { from, to, over } => from * (to / from).powf(x(over)),
            Self::Step { from, to, over } => {
                if (step as f64) < over.end(total) {
                    *from
                } else {
                    *to
                }
            }
            Self::Piecewise { points } => piecewise(points, step as f64, total),
        }
    }
}

fn piecewise(points: &[(Span, f64)], step: f64, total: u64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for (span, value) in points {
        let at = span.steps(total);
        if step < span.end(total) {
            return match before {
                Some((start, from)) => from + (value - from) * (step - start) / (at - start),
                None => *value,
            };
        }
        before = Some((at, *value));
    }
    before.map_or(0.0, |(_, value)| value)
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u64(*steps),
            Self::Percent(percent) => serializer.serialize_str(&format!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpanVisitor;
        impl serde::de::Visitor<'_> for SpanVisitor {
            type Value = Span;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number of steps or a percentage such as \"20%\"")
            }
            fn visit_i64<E: serde::de::Error>(self, steps: i64) -> Result<Span, E> {
                u64::try_from(steps)
                    .map(Span::Steps)
                    .map_err(|_| E::custom("a number of steps is 0 or more"))
            }
            fn visit_u64<E: serde::de::Error>(self, steps: u64) -> Result<Span, E> {
                Ok(Span::Steps(steps))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                percentage(text).map(Span::Percent).ok_or_else(|| {
                    E::custom(format!("\"{text}\" is not a percentage from 0% to 100%"))
                })
            }
        }
        deserializer.deserialize_any(SpanVisitor)
    }
}

impl Serialize for Schedule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self.clone() {
            Self::Constant(value) => return serializer.serialize_f64(value),
            Self::Linear { from, to, over } => WrittenSchedule::Linear { from, to, over },
            Self::Cosine { from, to, over } => WrittenSchedule::Cosine { from, to, over },
            Self::Exponential { from, to, over } => WrittenSchedule::Exponential { from, to, over },
            Self::Step { from, to, over } => WrittenSchedule::Step { from, to, over },
            Self::Piecewise { points } => WrittenSchedule::Piecewise { points },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScheduleVisitor;
        impl<'de> serde::de::Visitor<'de> for ScheduleVisitor {
            type Value = Schedule;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number or a schedule table")
            }
            fn visit_f64<E>(self, value: f64) -> Result<Schedule, E> {
                Ok(Schedule::Constant(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Schedule, E> {
                Ok(Schedule::Constant(value as f64))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Schedule, E> {
                Ok(Schedule::Constant(value as f64))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
                let written = WrittenSchedule::deserialize(
                    serde::de::value::MapAccessDeserializer::new(map),
                )?;
                Ok(match written {
                    WrittenSchedule::Constant { value } => Schedule::Constant(value),
                    WrittenSchedule::Linear { from, to, over } => {
                        Schedule::Linear { from, to, over }
                    }
                    WrittenSchedule::Cosine { from, to, over } => {
                        Schedule::Cosine { from, to, over }
                    }
                    WrittenSchedule::Exponential { from, to, over } => {
                        Schedule::Exponential { from, to, over }
                    }
                    WrittenSchedule::Step { from, to, over } => Schedule::Step { from, to, over },
                    WrittenSchedule::Piecewise { points } => Schedule::Piecewise { points },
                })
            }
        }
        deserializer.deserialize_any(ScheduleVisitor)
    }
}
