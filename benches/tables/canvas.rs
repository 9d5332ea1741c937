//! Axes, bars and lines on a white page, which reads on light and dark backgrounds alike.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// Part of a page.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Colours of M. Okabe and K. Ito, which people with any colour vision can distinguish: blue, orange,
/// green, purple.
pub(crate) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
];
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(222, 222, 222);
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);

const TITLE: i32 = 17;
const TEXT: i32 = 13;
const SMALL: i32 = 11;

/// Where a text is fixed.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Left,
    Middle,
    Right,
}

/// A page that holds as many rows and columns of panels as asked for.
pub(crate) fn page(size: (u32, u32), draw: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).expect("a string takes everything");
        draw(&area);
        area.present().expect("a string takes everything");
    }
    svg
}

fn line(area: &Area<'_>, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) {
    let line = PathElement::new(points, colour.stroke_width(width));
    area.draw(&line).expect("a string takes everything");
}

fn rectangle(area: &Area<'_>, corners: [(i32, i32); 2], colour: RGBColor, opacity: f64) {
    let rectangle = Rectangle::new(corners, colour.mix(opacity).filled());
    area.draw(&rectangle).expect("a string takes everything");
}

fn write(area: &Area<'_>, at: (i32, i32), text: &str, size: i32, side: Side) {
    let side = match side {
        Side::Left => HPos::Left,
        Side::Middle => HPos::Center,
        Side::Right => HPos::Right,
    };
    let style = ("sans-serif", size).into_font().color(&INK).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).expect("a string takes everything");
}

pub(crate) fn title(area: &Area<'_>, text: &str) {
    write(area, (14, 20), text, TITLE, Side::Left);
}

/// Swatches with names, from left to right.
pub(crate) fn legend(area: &Area<'_>, at: (i32, i32), entries: &[(&str, RGBColor)]) {
    let (mut x, y) = at;
    for (name, colour) in entries {
        rectangle(area, [(x, y - 6), (x + 14, y + 6)], *colour, 1.0);
        write(area, (x + 20, y), name, TEXT, Side::Left);
        x += 46 + 7 * i32::try_from(name.len()).unwrap_or(0);
    }
}

/// One axis: what is where, and which values are named.
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) logarithmic: bool,
    /// Values with their names, each with a line across the panel.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// The share of the axis before a value: 0 at its start, 1 at its end.
    fn share(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.log10() } else { value };
        let share = (scale(value) - scale(self.from)) / (scale(self.to) - scale(self.from));
        share.clamp(0.0, 1.0)
    }

    /// Powers of ten that hold all values.
    pub(crate) fn decades(label: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let (least, most) =
            values.fold((f64::MAX, f64::MIN), |(least, most), v| (least.min(v), most.max(v)));
        let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        let ticks = (first..=last).map(|power| (10_f64.powi(power), decade(power))).collect();
        let (from, to) = (10_f64.powi(first), 10_f64.powi(last.max(first + 1)));
        Self { label, from, to, logarithmic: true, ticks }
    }
}

fn decade(power: i32) -> String {
    let digits = usize::try_from(-power).unwrap_or(0);
    format!("{:.digits$}", 10_f64.powi(power))
}

/// Bars of one row: a name, and for each colour a value with its text.
pub(crate) type Bars = (String, Vec<(RGBColor, f64, String)>);

/// Horizontal bars in groups.
pub(crate) fn bars(area: &Area<'_>, heading: &str, axis: &Axis, rows: &[Bars]) {
    const LEFT: i32 = 190;
    const TOP: i32 = 30;
    const BAR: i32 = 12;
    const GAP: i32 = 10;
    let (width, _) = area.dim_in_pixel();
    let span = f64::from(width as i32 - LEFT - 60);
    let x = |value: f64| LEFT + (axis.share(value) * span) as i32;
    let height = |row: &Bars| BAR * i32::try_from(row.1.len()).unwrap_or(0) + GAP;
    let bottom = TOP + rows.iter().map(height).sum::<i32>();

    write(area, (LEFT, 14), heading, TEXT + 1, Side::Left);
    for (value, name) in &axis.ticks {
        line(area, vec![(x(*value), TOP), (x(*value), bottom)], GRID, 1);
        write(area, (x(*value), bottom + 11), name, SMALL, Side::Middle);
    }
    write(area, (LEFT + span as i32 / 2, bottom + 29), axis.label, SMALL, Side::Middle);
    let mut y = TOP + GAP / 2;
    for row in rows {
        write(area, (LEFT - 8, y + (height(row) - GAP) / 2), &row.0, TEXT, Side::Right);
        for (colour, value, text) in &row.1 {
            rectangle(area, [(LEFT, y), (x(*value), y + BAR - 1)], *colour, 1.0);
            write(area, (x(*value) + 4, y + BAR / 2), text, SMALL, Side::Left);
            y += BAR;
        }
        y += GAP;
    }
    line(area, vec![(LEFT, TOP), (LEFT, bottom)], INK, 1);
}

/// A row of dots: what is compared, with what.
pub(crate) struct Dots {
    /// Rows of one heading stand together.
    pub(crate) heading: &'static str,
    pub(crate) name: &'static str,
    /// Marked with a bar, from which a line leads to the least of the values.
    pub(crate) reference: f64,
    pub(crate) values: Vec<(RGBColor, f64)>,
}

/// Dots beside a reference; at the end of each row, how many times the least value it is.
pub(crate) fn dots(area: &Area<'_>, axis: &Axis, rows: &[Dots]) {
    const LEFT: i32 = 220;
    const TOP: i32 = 26;
    const ROW: i32 = 27;
    const GAP: i32 = 12;
    let (width, _) = area.dim_in_pixel();
    let right = width as i32 - 130;
    let x = |value: f64| LEFT + (axis.share(value) * f64::from(right - LEFT)) as i32;
    let starts = |index: usize| index == 0 || rows[index - 1].heading != rows[index].heading;
    let gaps = (1..rows.len()).filter(|&index| starts(index)).count();
    let bottom = TOP + ROW * rows.len() as i32 + GAP * gaps as i32;

    for (value, name) in &axis.ticks {
        line(area, vec![(x(*value), TOP), (x(*value), bottom)], GRID, 1);
        write(area, (x(*value), bottom + 11), name, SMALL, Side::Middle);
    }
    write(area, ((LEFT + right) / 2, bottom + 29), axis.label, SMALL, Side::Middle);
    write(area, (right + 14, TOP - 12), "article ÷ fastest", SMALL, Side::Left);
    let mut y = TOP + ROW / 2;
    for (index, row) in rows.iter().enumerate() {
        if starts(index) {
            y += if index > 0 { GAP } else { 0 };
            write(area, (14, y), row.heading, TEXT + 1, Side::Left);
        }
        write(area, (LEFT - 10, y), row.name, TEXT, Side::Right);
        let least = row.values.iter().map(|(_, value)| *value).fold(f64::MAX, f64::min);
        line(area, vec![(x(least), y), (x(row.reference), y)], GREY, 2);
        for (colour, value) in &row.values {
            let dot = Circle::new((x(*value), y), 6, colour.filled());
            area.draw(&dot).expect("a string takes everything");
        }
        let mark = x(row.reference);
        rectangle(area, [(mark - 3, y - 10), (mark + 3, y + 10)], INK, 1.0);
        let factor = row.reference / least;
        let digits = usize::from(factor < 10.0);
        write(area, (right + 14, y), &format!("× {factor:.digits$}"), TEXT, Side::Left);
        y += ROW;
    }
    line(area, vec![(LEFT, TOP), (LEFT, bottom)], INK, 1);
}

/// A line: its points, and how it looks.
pub(crate) struct Line {
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A range of values that is not a line, with its name.
pub(crate) type Band = (f64, f64, &'static str);

/// Lines over a horizontal axis; both axes name their ticks.
pub(crate) fn lines(
    area: &Area<'_>,
    heading: &str,
    (across, up): (&Axis, &Axis),
    band: Option<Band>,
    lines: &[Line],
) {
    const LEFT: i32 = 70;
    const TOP: i32 = 44;
    let (width, height) = area.dim_in_pixel();
    let (right, bottom) = (width as i32 - 26, height as i32 - 52);
    let x = |value: f64| LEFT + (across.share(value) * f64::from(right - LEFT)) as i32;
    let y = |value: f64| bottom - (up.share(value) * f64::from(bottom - TOP)) as i32;

    write(area, (LEFT, 14), heading, TEXT + 1, Side::Left);
    for (value, name) in &across.ticks {
        line(area, vec![(x(*value), TOP), (x(*value), bottom)], GRID, 1);
        write(area, (x(*value), bottom + 13), name, SMALL, Side::Middle);
    }
    for (value, name) in &up.ticks {
        line(area, vec![(LEFT, y(*value)), (right, y(*value))], GRID, 1);
        write(area, (LEFT - 7, y(*value)), name, SMALL, Side::Right);
    }
    write(area, ((LEFT + right) / 2, bottom + 34), across.label, SMALL, Side::Middle);
    write(area, (LEFT, TOP - 12), up.label, SMALL, Side::Left);
    if let Some((from, to, name)) = band {
        rectangle(area, [(LEFT, y(to)), (right, y(from))], GREY, 0.3);
        write(area, (right - 8, y(to) - 10), name, TEXT, Side::Right);
    }
    for Line { colour, points } in lines {
        let points: Vec<_> = points.iter().map(|&(a, b)| (x(a), y(b))).collect();
        for &(a, b) in &points {
            rectangle(area, [(a - 3, b - 3), (a + 3, b + 3)], *colour, 1.0);
        }
        line(area, points, *colour, 2);
    }
    line(area, vec![(LEFT, TOP), (LEFT, bottom), (right, bottom)], INK, 1);
}
