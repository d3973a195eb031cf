//! A figure inside a page with others.

/// The figure's markup, made to stand in an HTML page: without the name of its namespace, and with
/// ids that no other figure has.
pub fn inline_svg(name: &str, svg: &str) -> String {
    let start = svg.find("<svg").unwrap_or(0);
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg[start..].trim_end();
    // Attributes alone are changed, never a text between tags.
    while let Some(open) = rest.find('<') {
        let close = rest[open..]
            .find('>')
            .map_or(rest.len(), |at| open + at + 1);
        out.push_str(&rest[..open]);
        out.push_str(&tag(name, &rest[open..close]));
        rest = &rest[close..];
    }
    out.push_str(rest);
    out
}

fn tag(name: &str, tag: &str) -> String {
    let own = |before: &str| format!("{before}{name}.");
    let mut tag = tag.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    for before in [
        " id=\"",
        "url(#",
        "href=\"#",
        " aria-labelledby=\"",
        " aria-describedby=\"",
    ] {
        if tag.contains(before) {
            tag = tag.replace(before, &own(before));
        }
    }
    tag
}
