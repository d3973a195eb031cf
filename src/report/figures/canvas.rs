//! A sheet to draw on in pixels, as SVG. Text sizes come from a table of this module, so that a
//! layout is the same on every machine.

use std::fmt::Write as _;

use super::palette::{Dash, INK, Mark, Rgb, WHITE};

/// The size of text in pixels.
pub const TEXT: f64 = 12.0;
/// The size of small text in pixels.
pub const SMALL: f64 = 11.0;

/// Where a text lies from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Left,
    Middle,
    Right,
}

/// A sheet under the pen.
pub struct Canvas {
    svg: String,
}

/// Draws a sheet of `width` × `height` pixels on white; `title` is what a screen reader says.
pub fn sheet(width: f64, height: f64, title: &str, draw: impl FnOnce(&mut Canvas)) -> String {
    let mut canvas = Canvas { svg: String::new() };
    let (w, h) = (number(width.ceil()), number(height.ceil()));
    canvas.push(format_args!(
        "<svg width=\"{w}\" height=\"{h}\" role=\"img\" viewBox=\"0 0 {w} {h}\" \
         xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<title>{}</title>",
        escaped(title)
    ));
    canvas.rectangle((0.0, 0.0), (width.ceil(), height.ceil()), WHITE, 1.0);
    draw(&mut canvas);
    canvas.svg.push_str("</svg>\n");
    canvas.svg
}

/// A number of the SVG: hundredths of a pixel at most.
fn number(value: f64) -> String {
    let hundredths = (value * 100.0).round() / 100.0;
    // Minus zero is zero.
    format!("{}", hundredths + 0.0)
}

fn points(points: &[(f64, f64)]) -> String {
    let points = points.iter();
    let texts: Vec<String> = points
        .map(|&(x, y)| format!("{},{}", number(x), number(y)))
        .collect();
    texts.join(" ")
}

fn hex(Rgb(r, g, b): Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// An attribute of opacity, where there is one.
fn opacity(alpha: f64) -> String {
    if alpha < 1.0 {
        format!(" opacity=\"{}\"", number(alpha))
    } else {
        String::new()
    }
}

/// Text as XML holds it: characters that it forbids are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The width of a text in pixels at a font size: shares of the size by class of letter, on the wide
/// side of the common sans-serif fonts.
pub fn text_width(text: &str, size: f64) -> f64 {
    let share = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.30,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' => 0.92,
        'A'..='Z' | '±' | '−' | '+' | '=' | '<' | '>' | '×' | '→' | '←' => 0.70,
        // Ideographs and the like are as wide as they are high.
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffef}' | '\u{10000}'.. => 1.0,
        _ => 0.60,
    };
    text.chars().map(share).sum::<f64>() * size
}

/// `text` with an ellipsis in its middle where it is wider than `width` pixels: names that begin
/// alike are told apart by how they end.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let (mut head, mut tail) = (0, letters.len());
    let mut room = width - text_width("…", size);
    // A letter of each end in turn, until one has no room.
    while head < tail {
        let is_of_head = head <= letters.len() - tail;
        let letter = if is_of_head {
            letters[head]
        } else {
            letters[tail - 1]
        };
        room -= text_width(&letter.to_string(), size);
        if room < 0.0 {
            break;
        }
        if is_of_head {
            head += 1;
        } else {
            tail -= 1;
        }
    }
    let part = |letters: &[char]| -> String { letters.iter().collect() };
    let (head, tail) = (part(&letters[..head]), part(&letters[tail..]));
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

impl Canvas {
    fn push(&mut self, element: std::fmt::Arguments) {
        // Writing into a text does not fail.
        let _ = self.svg.write_fmt(element);
        self.svg.push('\n');
    }

    /// What `draw` draws, with a title that is shown where a pointer rests on it.
    pub fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        self.push(format_args!("<g><title>{}</title>", escaped(title)));
        draw(self);
        self.push(format_args!("</g>"));
    }

    /// A line through points, `width` pixels wide.
    pub fn line(&mut self, line: &[(f64, f64)], color: Rgb, alpha: f64, width: f64) {
        self.broken(line, color, alpha, width, Dash::Solid);
    }

    /// A line through points, broken into dashes.
    pub fn broken(&mut self, line: &[(f64, f64)], color: Rgb, alpha: f64, width: f64, dash: Dash) {
        if line.len() < 2 {
            return;
        }
        let dash = dash.pattern().map_or_else(String::new, |pattern| {
            format!(" stroke-dasharray=\"{pattern}\"")
        });
        self.push(format_args!(
            "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
             stroke-linejoin=\"round\"{dash}{} points=\"{}\"/>",
            hex(color),
            number(width),
            opacity(alpha),
            points(line)
        ));
    }

    /// A filled polygon.
    pub fn polygon(&mut self, corners: &[(f64, f64)], color: Rgb, alpha: f64) {
        if corners.len() >= 3 {
            self.push(format_args!(
                "<polygon fill=\"{}\"{} points=\"{}\"/>",
                hex(color),
                opacity(alpha),
                points(corners)
            ));
        }
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&mut self, from: (f64, f64), to: (f64, f64), color: Rgb, alpha: f64) {
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}/>",
            number(from.0.min(to.0)),
            number(from.1.min(to.1)),
            number((to.0 - from.0).abs()),
            number((to.1 - from.1).abs()),
            hex(color),
            opacity(alpha)
        ));
    }

    /// A mark of `radius` pixels with a thin white edge, so that marks on top of each other can be
    /// told from each other.
    pub fn mark(&mut self, mark: Mark, at: (f64, f64), radius: f64, color: Rgb, alpha: f64) {
        let corners: &[(f64, f64)] = match mark {
            Mark::Dot => return self.circle(at, radius, Some(color), Some((WHITE, 0.7)), alpha),
            Mark::Ring => return self.circle(at, radius, None, Some((color, 1.4)), alpha),
            Mark::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Mark::Triangle => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Mark::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        };
        let corners = corners.iter();
        let corners: Vec<(f64, f64)> = corners
            .map(|(x, y)| (at.0 + x * radius, at.1 + y * radius))
            .collect();
        self.push(format_args!(
            "<polygon fill=\"{}\" stroke=\"{}\" stroke-width=\"0.7\"{} points=\"{}\"/>",
            hex(color),
            hex(WHITE),
            opacity(alpha),
            points(&corners)
        ));
    }

    /// A dot without an edge, for clouds of many.
    pub fn plain_dot(&mut self, at: (f64, f64), radius: f64, color: Rgb, alpha: f64) {
        self.circle(at, radius, Some(color), None, alpha);
    }

    fn circle(
        &mut self,
        (x, y): (f64, f64),
        radius: f64,
        fill: Option<Rgb>,
        edge: Option<(Rgb, f64)>,
        alpha: f64,
    ) {
        let edge = edge.map_or_else(String::new, |(color, width)| {
            format!(" stroke=\"{}\" stroke-width=\"{width}\"", hex(color))
        });
        self.push(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{edge}{}/>",
            number(x),
            number(y),
            number(radius),
            // Without a fill the inside of a ring would not answer to a pointer.
            fill.map_or_else(|| "#FFFFFF\" fill-opacity=\"0".to_owned(), hex),
            opacity(alpha)
        ));
    }

    /// Text whose middle line is at the point.
    pub fn text(&mut self, text: &str, at: (f64, f64), size: f64, color: Rgb, anchor: Anchor) {
        self.write(text, at, size, color, anchor, "");
    }

    /// The same in bold.
    pub fn bold(&mut self, text: &str, at: (f64, f64), size: f64, color: Rgb, anchor: Anchor) {
        self.write(text, at, size, color, anchor, " font-weight=\"bold\"");
    }

    /// Text that can be read on top of lines: it has a white edge.
    pub fn label(&mut self, text: &str, at: (f64, f64), size: f64, color: Rgb, anchor: Anchor) {
        let edge = " stroke=\"#FFFFFF\" stroke-width=\"3\" stroke-linejoin=\"round\" \
                    aria-hidden=\"true\"";
        self.write(text, at, size, WHITE, anchor, edge);
        self.write(text, at, size, color, anchor, "");
    }

    /// Text that reads upwards, its middle at the point.
    pub fn upwards(&mut self, text: &str, at: (f64, f64), size: f64) {
        let turned = format!(
            " transform=\"rotate(-90 {} {})\"",
            number(at.0),
            number(at.1)
        );
        self.write(text, at, size, INK, Anchor::Middle, &turned);
    }

    fn write(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        size: f64,
        color: Rgb,
        anchor: Anchor,
        attributes: &str,
    ) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Left => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::Right => " text-anchor=\"end\"",
        };
        // The middle of digits and capitals is about a third of the size above the base line.
        self.push(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{attributes}>{}</text>",
            number(x),
            number(y + 0.35 * size),
            number(size),
            hex(color),
            escaped(text)
        ));
    }
}

#[cfg(test)]
#[path = "canvas_tests.rs"]
mod tests;
