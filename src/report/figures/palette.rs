//! Colours, marks and dashes: one set for arms, another for loss terms, for layers and for kinds of
//! tokens, so that none of these is taken for an arm.

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Text and axes.
pub const INK: Rgb = Rgb(0x22, 0x22, 0x22);
/// What is beside the point: references and remarks.
pub const GREY: Rgb = Rgb(0x6B, 0x6B, 0x6B);
/// Lines behind the data.
pub const PALE: Rgb = Rgb(0xE4, 0xE4, 0xE4);
/// The ground.
pub const WHITE: Rgb = Rgb(0xFF, 0xFF, 0xFF);

/// Arms: colours that people tell apart whatever their eyesight (Okabe and Ito 2008), without the
/// yellow, which is not legible on white, and with a brown that is darker than the others. Black is
/// the last resort: text has it.
const ARMS: [Rgb; 8] = [
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0xE6, 0x9F, 0x00),
    Rgb(0x56, 0xB4, 0xE9),
    Rgb(0x7A, 0x45, 0x10),
    Rgb(0x00, 0x00, 0x00),
];
/// How many of them a name may wish for.
const WISHED: u64 = 6;

/// Layers: from dark blue over grey to ochre (the map "cividis", made for all eyesights by Nuñez,
/// Anderton and Renslow 2018, without its palest end).
const LAYERS: [Rgb; 5] = [
    Rgb(0x00, 0x22, 0x4E),
    Rgb(0x35, 0x45, 0x6C),
    Rgb(0x66, 0x69, 0x70),
    Rgb(0x94, 0x8E, 0x77),
    Rgb(0xC8, 0xB8, 0x66),
];

/// Kinds of tokens ("muted" and "high contrast" of Tol 2021).
const TOKENS: [Rgb; 6] = [
    Rgb(0x33, 0x22, 0x88),
    Rgb(0x88, 0xCC, 0xEE),
    Rgb(0xBB, 0x55, 0x66),
    Rgb(0xDD, 0xAA, 0x33),
    Rgb(0x11, 0x77, 0x33),
    Rgb(0x88, 0x88, 0x88),
];

impl Rgb {
    /// The same hue, dark enough to be read as small text on white.
    pub fn for_text(self) -> Self {
        let darker = |part: u8| (f64::from(part) * 0.72) as u8;
        Self(darker(self.0), darker(self.1), darker(self.2))
    }

    /// The same hue, half way to white.
    pub fn pale(self) -> Self {
        let paler = |part: u8| u8::midpoint(part, 0xFF);
        Self(paler(self.0), paler(self.1), paler(self.2))
    }
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

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    Alternating,
}

impl Dash {
    /// Lengths of strokes and gaps in pixels, as SVG has them; none of a solid line.
    pub fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some("6 3.5"),
            Self::Dotted => Some("1.6 2.6"),
            Self::Alternating => Some("7 3 1.6 3"),
        }
    }
}

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesStyle {
    pub color: Rgb,
    pub mark: Mark,
    pub dash: Dash,
}

impl SeriesStyle {
    /// What stands for every value of an axis.
    pub const NEUTRAL: Self = Self {
        color: GREY,
        mark: Mark::Dot,
        dash: Dash::Solid,
    };

    /// The style of the n-th place of arms. Neighbours have another mark and another dash, for
    /// whoever sees no colours, and so have those of one colour. Dotted is left to null controls.
    fn of_place(place: usize) -> Self {
        const MARKS: [Mark; 4] = [Mark::Dot, Mark::Square, Mark::Triangle, Mark::Diamond];
        const DASHES: [Dash; 3] = [Dash::Solid, Dash::Dashed, Dash::Alternating];
        let (color, round) = (place % ARMS.len(), place / ARMS.len());
        Self {
            color: ARMS[color],
            mark: MARKS[(color + round) % MARKS.len()],
            dash: DASHES[(color + round) % DASHES.len()],
        }
    }
}

/// The styles of a study's arms, in their order. Each name wishes for a colour of its own and has
/// it unless an arm before it took it, so that an arm mostly looks the same in other studies too.
pub fn styles_of_arms(names: &[String]) -> Vec<SeriesStyle> {
    let mut taken = Vec::new();
    for name in names {
        let round = taken.len() / ARMS.len() * ARMS.len();
        let wish = (hash(name) % WISHED) as usize;
        let wishes = (0..WISHED as usize).map(|step| (wish + step) % WISHED as usize);
        let place = wishes
            .chain(WISHED as usize..ARMS.len())
            .map(|place| round + place)
            .find(|place| !taken.contains(place))
            .unwrap_or(taken.len());
        taken.push(place);
    }
    taken.into_iter().map(SeriesStyle::of_place).collect()
}

/// The styles of so many values of another axis, in their order.
pub fn styles_in_order(count: usize) -> Vec<SeriesStyle> {
    (0..count).map(SeriesStyle::of_place).collect()
}

/// FNV-1a, from a start at which the arms of the built-in studies wish for different colours.
fn hash(name: &str) -> u64 {
    const START: u64 = 0xCBF2_9CE4_8422_2325 ^ 23_711;
    let hash = name.bytes().fold(START, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    hash ^ (hash >> 32)
}

/// The style of the n-th loss term: black and grey, told apart by dashes.
pub fn term(place: usize) -> SeriesStyle {
    SeriesStyle {
        color: if (place / 4).is_multiple_of(2) {
            INK
        } else {
            Rgb(0x96, 0x96, 0x96)
        },
        mark: Mark::Dot,
        dash: [Dash::Solid, Dash::Dashed, Dash::Alternating, Dash::Dotted][place % 4],
    }
}

/// The style of the n-th of so many layers: a scale from dark to light.
pub fn layer(place: usize, count: usize) -> SeriesStyle {
    let at = if count < 2 {
        0.0
    } else {
        place.min(count - 1) as f64 / (count - 1) as f64 * (LAYERS.len() - 1) as f64
    };
    let low = (at as usize).min(LAYERS.len() - 2);
    let share = at - low as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    let (Rgb(r, g, b), Rgb(to_r, to_g, to_b)) = (LAYERS[low], LAYERS[low + 1]);
    SeriesStyle {
        color: Rgb(mix(r, to_r), mix(g, to_g), mix(b, to_b)),
        mark: Mark::Dot,
        dash: Dash::Solid,
    }
}

/// The colour of the n-th kind of tokens.
pub fn token(place: usize) -> Rgb {
    TOKENS[place % TOKENS.len()]
}

#[cfg(test)]
#[path = "palette_tests.rs"]
mod tests;
