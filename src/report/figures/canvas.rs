//! A sheet to draw on in pixels: plotters' SVG backend at a tenth of a pixel, with text sizes that
//! come from a table of this module, so that a layout is the same on every machine.

use anyhow::{Result, anyhow};
use plotters::prelude::{
    Color as _, DrawingBackend, FontFamily, FontStyle, FontTransform, IntoFont, RGBColor,
    SVGBackend, ShapeStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Units of the SVG in a pixel: the backend draws in whole units.
const UNITS: f64 = 10.0;
/// What the backend divides a font's size by.
const FONT_SCALE: f64 = 1.24;

/// Colours that people tell apart whatever their eyesight (Okabe and Ito 2008), those that are
/// legible on white first.
pub const PALETTE: [Rgb; 7] = [
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0xE6, 0x9F, 0x00),
    Rgb(0x56, 0xB4, 0xE9),
    Rgb(0x00, 0x00, 0x00),
];
/// Text and axes.
pub const INK: Rgb = Rgb(0x22, 0x22, 0x22);
/// What is beside the point: references and remarks.
pub const GREY: Rgb = Rgb(0x77, 0x77, 0x77);
/// Lines behind the data.
pub const PALE: Rgb = Rgb(0xE4, 0xE4, 0xE4);
/// The ground.
pub const WHITE: Rgb = Rgb(0xFF, 0xFF, 0xFF);

/// The size of text in pixels.
pub const TEXT: f64 = 12.0;
/// The size of small text in pixels.
pub const SMALL: f64 = 11.0;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The colour of the n-th series.
pub fn color(index: usize) -> Rgb {
    PALETTE[index % PALETTE.len()]
}

/// Where a text lies from its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Left,
    Middle,
    Right,
}

/// The shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Dot,
    Ring,
    Diamond,
    Square,
    Triangle,
}

/// The mark of the n-th series: another one where the colours repeat.
pub fn mark(index: usize) -> Mark {
    [Mark::Dot, Mark::Square, Mark::Triangle, Mark::Diamond][index / PALETTE.len() % 4]
}

/// A sheet under the pen.
pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draws a sheet of `width` × `height` pixels on white; `title` is what a screen reader says.
///
/// # Errors
/// The backend's own.
pub fn sheet(
    width: f64,
    height: f64,
    title: &str,
    draw: impl FnOnce(&mut Canvas) -> Result<()>,
) -> Result<String> {
    let mut text = String::new();
    {
        let size = (units(width) as u32, units(height) as u32);
        let mut canvas = Canvas {
            backend: SVGBackend::with_string(&mut text, size),
        };
        canvas.rectangle((0.0, 0.0), (width, height), WHITE, 1.0)?;
        draw(&mut canvas)?;
        canvas.backend.present().map_err(failed)?;
    }
    // The backend knows one unit only; the size in pixels and the title are added to its first
    // line.
    let rest = text.split_once("viewBox").map_or("", |(_, rest)| rest);
    let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let title = title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    Ok(format!(
        "<svg width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" \
         viewBox{head}\n<title>{title}</title>\n{body}"
    ))
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a figure cannot be drawn: {error}")
}

fn shape(color: Rgb, alpha: f64, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: RGBColor(color.0, color.1, color.2).mix(alpha),
        filled: true,
        stroke_width: units(width) as u32,
    }
}

/// The width of a text in pixels at a font size: shares of the size by class of letter, on the wide
/// side of the common sans-serif fonts.
pub fn text_width(text: &str, size: f64) -> f64 {
    let share = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.30,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' => 0.92,
        'A'..='Z' | '±' | '−' | '+' | '=' | '<' | '>' | '×' | '→' => 0.70,
        _ => 0.60,
    };
    text.chars().map(share).sum::<f64>() * size
}

/// `text` cut with an ellipsis to at most `width` pixels.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if text_width(&cut, size) + text_width(&c.to_string(), size) + text_width("…", size) > width
        {
            break;
        }
        cut.push(c);
    }
    format!("{}…", cut.trim_end())
}

impl Canvas<'_> {
    /// A line through points, `width` pixels wide.
    ///
    /// # Errors
    /// The backend's own, as all that follow.
    pub fn line(
        &mut self,
        points: &[(f64, f64)],
        color: Rgb,
        alpha: f64,
        width: f64,
    ) -> Result<()> {
        match points {
            [] | [_] => Ok(()),
            points => self
                .backend
                .draw_path(
                    points.iter().map(|&point| at(point)),
                    &shape(color, alpha, width),
                )
                .map_err(failed),
        }
    }

    /// A straight dashed line.
    pub fn dashed(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        color: Rgb,
        width: f64,
    ) -> Result<()> {
        const DASH: (f64, f64) = (5.0, 4.0);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let point = |along: f64| {
            (
                from.0 + (to.0 - from.0) * along / length,
                from.1 + (to.1 - from.1) * along / length,
            )
        };
        let mut along = 0.0;
        while along < length {
            self.line(
                &[point(along), point((along + DASH.0).min(length))],
                color,
                1.0,
                width,
            )?;
            along += DASH.0 + DASH.1;
        }
        Ok(())
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], color: Rgb, alpha: f64) -> Result<()> {
        if points.len() < 3 {
            return Ok(());
        }
        self.backend
            .fill_polygon(
                points.iter().map(|&point| at(point)),
                &shape(color, alpha, 0.0),
            )
            .map_err(failed)
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        color: Rgb,
        alpha: f64,
    ) -> Result<()> {
        self.backend
            .draw_rect(at(from), at(to), &shape(color, alpha, 0.0), true)
            .map_err(failed)
    }

    /// A mark of `radius` pixels with a thin white edge, so that marks on top of each other can be
    /// told from each other.
    pub fn mark(
        &mut self,
        mark: Mark,
        point: (f64, f64),
        radius: f64,
        color: Rgb,
        alpha: f64,
    ) -> Result<()> {
        let corners: &[(f64, f64)] = match mark {
            Mark::Dot => {
                self.plain_dot(point, radius, color, alpha)?;
                return self.circle(point, radius, &shape(WHITE, alpha, 0.6), false);
            }
            Mark::Ring => return self.circle(point, radius, &shape(color, alpha, 1.3), false),
            Mark::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Mark::Triangle => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Mark::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        };
        let corners = corners.iter();
        let mut edge: Vec<(f64, f64)> = corners
            .map(|(x, y)| (point.0 + x * radius, point.1 + y * radius))
            .collect();
        self.polygon(&edge, color, alpha)?;
        edge.push(edge[0]);
        self.line(&edge, WHITE, alpha, 0.6)
    }

    /// A dot without an edge, for clouds of many.
    pub fn plain_dot(
        &mut self,
        point: (f64, f64),
        radius: f64,
        color: Rgb,
        alpha: f64,
    ) -> Result<()> {
        self.circle(point, radius, &shape(color, alpha, 0.0), true)
    }

    fn circle(
        &mut self,
        point: (f64, f64),
        radius: f64,
        style: &ShapeStyle,
        is_filled: bool,
    ) -> Result<()> {
        self.backend
            .draw_circle(at(point), units(radius) as u32, style, is_filled)
            .map_err(failed)
    }

    /// Text whose middle line is at the point.
    pub fn text(
        &mut self,
        text: &str,
        point: (f64, f64),
        size: f64,
        color: Rgb,
        anchor: Anchor,
    ) -> Result<()> {
        self.write(
            text,
            point,
            size,
            color,
            anchor,
            FontStyle::Normal,
            FontTransform::None,
        )
    }

    /// The same in bold.
    pub fn bold(
        &mut self,
        text: &str,
        point: (f64, f64),
        size: f64,
        color: Rgb,
        anchor: Anchor,
    ) -> Result<()> {
        self.write(
            text,
            point,
            size,
            color,
            anchor,
            FontStyle::Bold,
            FontTransform::None,
        )
    }

    /// Text that reads upwards, its middle at the point.
    pub fn upwards(&mut self, text: &str, point: (f64, f64), size: f64, color: Rgb) -> Result<()> {
        self.write(
            text,
            point,
            size,
            color,
            Anchor::Middle,
            FontStyle::Normal,
            FontTransform::Rotate270,
        )
    }

    fn write(
        &mut self,
        text: &str,
        point: (f64, f64),
        size: f64,
        color: Rgb,
        anchor: Anchor,
        style: FontStyle,
        transform: FontTransform,
    ) -> Result<()> {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style = (FontFamily::SansSerif, size * UNITS * FONT_SCALE)
            .into_font()
            .style(style)
            .transform(transform)
            .color(&RGBColor(color.0, color.1, color.2))
            .pos(Pos::new(horizontal, VPos::Center));
        self.backend
            .draw_text(text, &style, at(point))
            .map_err(failed)
    }
}
