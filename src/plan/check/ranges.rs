//! The numbers that a key takes: those of its schema, as far as the kernels hold them.

use serde_json::Value as Json;

/// The sizes that an f32 holds with all its digits, 0 aside. Training computes in f32: a larger
/// number is infinite there, and a smaller one nothing, or its reciprocal infinite.
const SIZES: std::ops::RangeInclusive<f64> = f32::MIN_POSITIVE as f64..=f32::MAX as f64;
/// The same in words.
pub(super) const SIZES_IN_WORDS: &str =
    "training computes in f32, which holds 0 and sizes from 1.2e-38 to 3.4e38";

/// Whether a number is within the bounds of its schema.
pub(super) fn is_inside(schema: &Json, value: f64) -> bool {
    let bound = |keyword: &str| schema.get(keyword).and_then(Json::as_f64);
    bound("minimum").is_none_or(|bound| value >= bound)
        && bound("maximum").is_none_or(|bound| value <= bound)
        && bound("exclusiveMinimum").is_none_or(|bound| value > bound)
        && bound("exclusiveMaximum").is_none_or(|bound| value < bound)
}

/// Whether the kernels hold a number.
pub(super) fn is_held(value: f64) -> bool {
    value == 0.0 || SIZES.contains(&value.abs())
}
