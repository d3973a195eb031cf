//! Numbers and texts as a report shows them: four significant digits, units that a reader knows,
//! and nothing that Markdown could take for markup.

use crate::plan::grouped;

/// What stands where there is no value.
pub const ABSENT: &str = "–";
/// Names that a sentence, a cell or a caption gives; of more it has the number of the rest.
pub const MOST_NAMES: usize = 4;

/// `value` with `digits` significant digits; powers of ten below 0.001 and from a million.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() {
            ABSENT.to_owned()
        } else {
            format!("{}∞", if value < 0.0 { "−" } else { "" })
        };
    }
    let exponent = exponent_of(value, digits);
    if !(-4..6).contains(&exponent) {
        return power(value, digits);
    }
    fixed(value, (digits as i32 - 1 - exponent).max(0) as usize)
}

/// The power of ten of the first digit, after rounding to so many digits.
fn exponent_of(value: f64, digits: usize) -> i32 {
    let written = format!("{:.*e}", digits.saturating_sub(1), value.abs());
    written
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0)
}

/// `value` with so many decimals, and a true minus sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return significant(value, 4);
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| byte == b'0' || byte == b'.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// The shortest decimals that are right to ten digits: 95, 97.5.
pub fn plain(value: f64) -> String {
    let rounded: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    rounded.to_string().replace('-', "−")
}

/// As [`fixed`], with a plus sign before what is positive.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if value > 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        format!("+{text}")
    } else {
        text
    }
}

/// As [`signed`], of the end of an interval, whose side of 0 is the verdict: where it would read as
/// 0 and is none, with one or two decimals more, and else with its sign.
pub fn interval_end(value: f64, decimals: usize) -> String {
    let says_more = |text: &String| text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let mut told = (decimals..=decimals + 2).map(|decimals| signed(value, decimals));
    let zero = || {
        let sign = match value {
            value if !value.is_finite() || value == 0.0 => "",
            value if value < 0.0 => "−",
            _ => "+",
        };
        format!("{sign}{}", fixed(value, decimals))
    };
    told.find(says_more).unwrap_or_else(zero)
}

/// `−0.0295 to −0.0106`.
pub fn interval(low: f64, high: f64, decimals: usize) -> String {
    let [low, high] = [low, high].map(|end| interval_end(end, decimals));
    format!("{low} to {high}")
}

/// `1.234·10¹⁵`.
pub fn power(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return significant(value, digits);
    }
    let written = format!("{:.*e}", digits.saturating_sub(1), value);
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    format!("{}·10{}", mantissa.replace('-', "−"), superscript(exponent))
}

/// A number in superscript digits.
pub fn superscript(number: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number
        .chars()
        .map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]))
        .collect()
}

/// A whole number with commas between thousands.
pub fn count(value: f64) -> String {
    format!(
        "{}{}",
        if value <= -0.5 { "−" } else { "" },
        grouped(&format!("{:.0}", value.abs()))
    )
}

/// `82.1 M`: with the prefixes k, M, G, T, P, E.
pub fn prefixed(value: f64, digits: usize) -> String {
    const PREFIXES: [&str; 7] = ["", " k", " M", " G", " T", " P", " E"];
    let exponent = if value == 0.0 || !value.is_finite() {
        0
    } else {
        exponent_of(value, digits)
    };
    let step = (exponent.max(0) / 3).min(PREFIXES.len() as i32 - 1);
    format!(
        "{}{}",
        significant(value / 1000f64.powi(step), digits),
        PREFIXES[step as usize]
    )
}

/// Seconds as a person says them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 120.0 => format!("{} s", significant(s, 3)),
        s if s < 7200.0 => format!("{} min", significant(s / 60.0, 3)),
        s => format!("{} h", significant(s / 3600.0, 3)),
    }
}

/// Text that stays text inside a Markdown table: no markup, no HTML, one line.
pub fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' => {
                inert.push('\\');
                inert.push(c);
            }
            '\n' => inert.push_str(" ↵ "),
            c if c.is_control() => inert.push(' '),
            c => inert.push(c),
        }
    }
    inert
}

/// Text as code inside a table: one line, in as many backticks as it needs.
pub fn code(text: &str) -> String {
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
