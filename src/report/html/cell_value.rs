//! What a cell of a table is sorted by: the number that it shows, whatever form it has.

/// The number at the beginning of a text, in the forms of a report: `−0.0273`, `1,234`,
/// `3.85·10¹¹`, `59.8 %`, `1.42 MB`, `353 k`, `2.50 min`. Words may follow it (`4 (1 diverged)`,
/// `0.1 to 0.2`); letters that touch it make the text a name.
pub fn cell_value(text: &str) -> Option<f64> {
    let text = text.trim();
    let (sign, rest) = match text.chars().next()? {
        '−' | '-' => (-1.0, &text[text.chars().next()?.len_utf8()..]),
        '+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if let Some(rest) = rest.strip_prefix('∞') {
        return ends_here(rest).then_some(sign * f64::INFINITY);
    }
    let (number, rest) = digits(rest)?;
    let (exponent, rest) = power_of_ten(rest);
    let value: f64 = format!("{number}e{exponent}").parse().ok()?;
    if !ends_here(rest) {
        return None;
    }
    let unit = rest.split_whitespace().next().unwrap_or("");
    Some(sign * value * factor(unit))
}

/// Digits with commas between thousands and a point, without the commas, and what follows.
fn digits(text: &str) -> Option<(String, &str)> {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut number = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let next = rest[c.len_utf8()..].chars().next();
        let joins = match c {
            '0'..='9' => true,
            '.' => !number.contains('.') && is_digit(next),
            ',' => !number.is_empty() && !number.contains('.') && is_digit(next),
            _ => false,
        };
        if !joins {
            break;
        }
        if c != ',' {
            number.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    is_digit(number.chars().next()).then_some((number, rest))
}

/// `·10¹¹` or `e-05` behind a number; 0 where neither is.
fn power_of_ten(text: &str) -> (i32, &str) {
    if let Some(rest) = text.strip_prefix("·10") {
        let end = rest
            .find(|c: char| plain_digit(c).is_none())
            .unwrap_or(rest.len());
        let digits: String = rest[..end].chars().filter_map(plain_digit).collect();
        return digits
            .parse()
            .map_or((0, text), |exponent| (exponent, &rest[end..]));
    }
    let Some(rest) = text.strip_prefix(['e', 'E']) else {
        return (0, text);
    };
    let end = rest
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || at == 0 && matches!(c, '-' | '+')))
        .map_or(rest.len(), |(at, _)| at);
    rest[..end]
        .parse()
        .map_or((0, text), |exponent| (exponent, &rest[end..]))
}

/// The digit, or minus, that a superscript one stands for.
fn plain_digit(c: char) -> Option<char> {
    let superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";
    let at = superscripts.chars().position(|other| other == c)?;
    "0123456789-".chars().nth(at)
}

/// Whether a number ends where this text begins.
fn ends_here(text: &str) -> bool {
    let next = text.chars().next();
    next.is_none_or(|c| c.is_whitespace() || matches!(c, '%' | '×' | ',' | ';' | ')'))
}

/// What a unit multiplies by: the prefixes of the report, of bytes too, and times in seconds.
fn factor(unit: &str) -> f64 {
    let prefixed = unit.strip_suffix('B').unwrap_or(unit);
    match (prefixed, unit) {
        ("k", _) => 1e3,
        ("M", _) => 1e6,
        ("G", _) => 1e9,
        ("T", _) => 1e12,
        ("P", _) => 1e15,
        ("E", _) => 1e18,
        (_, "ms") => 1e-3,
        (_, "min") => 60.0,
        (_, "h") => 3600.0,
        _ => 1.0,
    }
}

#[cfg(test)]
#[path = "cell_value_tests.rs"]
mod tests;
