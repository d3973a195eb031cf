//! Tests of `html/`, some of them in a browser where there is one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};
use crate::report::{ReportForm, render, render_forms};

/// The report of the fixture as HTML, and how many figures it has.
fn fixture_page() -> (String, usize) {
    let fixture = Fixture::new(&StudyShape::default());
    let study = fixture.study.clone();
    let rendered = render_forms(&fixture.layout, study, None, &[ReportForm::Html]).unwrap();
    let html = String::from_utf8(rendered.form(ReportForm::Html).unwrap().to_vec()).unwrap();
    let is_figure = |path: &Path| path.extension().is_some_and(|ending| ending == "svg");
    let figures = rendered.files.iter().filter(|(path, _)| is_figure(path));
    (html, figures.count())
}

/// The page without its style and script.
fn body(html: &str) -> &str {
    let start = html.find("<body>").unwrap();
    &html[start..html.rfind("<script>").unwrap()]
}

fn figure(name: &'static str, svg: &str) -> Figure {
    Figure {
        name,
        alt: String::new(),
        caption: String::new(),
        svg: svg.to_owned(),
    }
}

/// Every tag closed in the order in which they were opened.
fn assert_well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a bare > in {:?}", &rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->").unwrap() + 3..];
            continue;
        }
        let close = rest.find('>').unwrap();
        let tag = &rest[1..close];
        rest = &rest[close + 1..];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{html}");
        } else if !tag.starts_with('!') && !tag.ends_with('/') {
            open.push(name);
            // What is no markup ends at its end alone.
            if matches!(name, "style" | "script") {
                rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
            }
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn a_page_is_one_well_formed_file_with_every_figure_and_nothing_from_outside() {
    let (html, figures) = fixture_page();
    assert_well_formed(&html);
    assert!(figures > 5);
    assert_eq!(body(&html).matches("<svg").count(), figures);
    assert_eq!(html.matches("<figcaption>").count(), figures);
    for outside in [
        "http:", "https:", "//www", "@import", "src=", "<img", "<link", "url(",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
    assert_eq!(html, fixture_page().0);
    // What the page links to is there, once.
    let ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len());
    for link in html
        .split("href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(ids.contains(&link), "{link}");
    }
}

#[test]
fn a_form_that_lies_in_the_folder_is_kept_up_to_date() {
    let fixture = Fixture::new(&StudyShape {
        steps: 10,
        ..StudyShape::default()
    });
    let has = |name: &str| {
        let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
        rendered
            .files
            .iter()
            .any(|(path, _)| path == Path::new(name))
    };
    for form in ["report.html", "report.tex", "report.json"] {
        assert!(!has(form));
        std::fs::write(fixture.layout.root.join(form), "").unwrap();
        assert!(has(form));
    }
}

#[test]
fn figures_keep_their_ids_apart() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" aria-labelledby=\"t\">\
               <title id=\"t\">url(#a) \
               </title><clipPath id=\"a\"/><g clip-path=\"url(#a)\"/><use href=\"#a\"/></svg>\n";
    let figures = [figure("one", svg), figure("two", svg)];
    let html = page(
        "![](figures/one.svg)\n\n*A **caption***\n\n![](figures/two.svg)\n",
        &figures,
    );
    assert!(
        html.contains(
            "<figure>\n<svg aria-labelledby=\"one.t\"><title id=\"one.t\">url(#a) </title>\
         <clipPath id=\"one.a\"/><g clip-path=\"url(#one.a)\"/><use href=\"#one.a\"/></svg>\n\
         <figcaption>A <strong>caption</strong></figcaption>\n</figure>\n"
        ),
        "{html}"
    );
    assert!(html.contains("id=\"two.a\""));
}

#[test]
fn markup_and_images_of_a_template_cannot_reach_outside() {
    let html = page(
        "# a <script>x</script> &amp; b\n\n<script src=\"http://x/y.js\"></script>\n\n\
         ![words](http://x/y.png) <img src=\"http://x\">\n\n<!-- note -->\n\n\
         <details><summary>1 &lt; 2 & 3</summary>\n\n| a |\n| --- |\n| <b>x</b> |\n\n</details>\n\n\
         ## Same\n\n## Same\n\n<!-- times -->\ntext\n<!-- /times -->\n",
        &[],
    );
    assert_well_formed(&html);
    let body = body(&html);
    assert!(
        !body.contains("<script") && !body.contains("<img") && !body.contains("note"),
        "{body}"
    );
    for kept in [
        "<details><summary>1 &lt; 2 &amp; 3</summary>",
        "[words]",
        "&lt;b&gt;x&lt;/b&gt;",
        "<h2 id=\"same\">",
        "<h2 id=\"same-1\">",
        "<!-- times -->",
        "<nav><a href=\"#same\">Same</a> <a href=\"#same-1\">Same</a></nav>",
    ] {
        assert!(body.contains(kept), "{kept}: {body}");
    }
    assert!(html.contains("<title>a x &amp; b</title>"), "{html}");
}

#[test]
fn cells_have_the_numbers_that_they_are_sorted_by() {
    let html = page(
        "| a | b |\n| --- | ---: |\n| x | 1.42 MB |\n| 7 | – |\n| y | 817 kB |\n",
        &[],
    );
    assert!(
        html.contains("<td class=\"r\" data-v=\"1.42e6\">1.42 MB</td>"),
        "{html}"
    );
    assert!(
        html.contains("<td class=\"r\">–</td>") && html.contains("<td>7</td>"),
        "{html}"
    );
    let one = page("| a |\n| --- |\n| 1 |\n", &[]);
    assert!(!one.contains("class=\"sortable\""), "nothing to sort");
    let headless = page("| | |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n", &[]);
    assert!(
        !headless.contains("<thead") && headless.contains("class=\"plain\""),
        "{headless}"
    );
}

/// The browser that tests use: what `KDPIPE_TEST_CHROMIUM` names, or a Chromium on the path.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KDPIPE_TEST_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    ["chromium", "chromium-browser", "google-chrome", "chrome"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

/// The document after a browser has run its scripts; nothing where there is no browser.
fn opened(html: &str) -> Option<String> {
    let Some(browser) = chromium() else {
        println!("skipped: no Chromium is on the path, and KDPIPE_TEST_CHROMIUM names none");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, html).unwrap();
    let mut output = tempfile::NamedTempFile::new_in(&folder).unwrap();
    let mut process = Command::new(&browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .args(["--dump-dom", &format!("file://{}", file.display())])
        .stdout(Stdio::from(output.as_file().try_clone().unwrap()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not start: {error}", browser.display()));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > Duration::from_secs(120) {
            process.kill().unwrap();
            panic!("{} does not end", browser.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{status}");
    let mut text = String::new();
    std::io::Seek::rewind(output.as_file_mut()).unwrap();
    std::io::Read::read_to_string(output.as_file_mut(), &mut text).unwrap();
    Some(text)
}

#[test]
fn a_click_on_a_head_sorts_the_table_by_value_in_a_browser() {
    let markdown = "\
| name | size | difference | compute |\n| --- | ---: | ---: | ---: |\n\
| b 10 | 1.42 MB | −0.5 | 3.85·10¹¹ |\n| a | 817 kB | +0.1 | 1.15·10¹² |\n\
| b 9 | – | −0.06 | 2 |\n| c | 2.1 kB | 0 | 99,000 |\n";
    // The names in the order of the rows, after each of some clicks.
    let clicks = "<script>
const heads = [...document.querySelectorAll(\"th\")];
const firsts = document.getElementsByTagName(\"tr\");
const names = () => [...firsts].slice(1).map((row) => row.cells[0].textContent);
const seen = [0, 1, 1, 1, 2, 3].map((at) => {
  heads[at].querySelector(\"button\").click();
  return names().join(\",\") + \":\" + heads[at].getAttribute(\"aria-sort\");
});
document.title = \"seen \" + seen.join(\";\") + \" end\";
</script>";
    let html = page(markdown, &[]).replace("</body>", &format!("{clicks}</body>"));
    let Some(document) = opened(&html) else {
        return;
    };
    assert!(
        document.contains(
            "seen a,b 9,b 10,c:ascending;c,a,b 10,b 9:ascending;b 10,a,c,b 9:descending;\
             b 10,a,b 9,c:null;b 10,b 9,c,a:ascending;b 9,c,b 10,a:ascending end"
        ),
        "{document}"
    );
}

#[test]
fn a_browser_shows_the_whole_report_and_sorts_each_of_its_tables() {
    let (html, figures) = fixture_page();
    let clicks = "<script>
let clicks = 0;
window.onerror = (error) => { document.title = \"failed \" + error; };
for (const button of document.querySelectorAll(\"th button\")) { button.click(); clicks += 1; }
const isDrawn = (svg) => svg.getBoundingClientRect().height > 50;
const drawn = [...document.querySelectorAll(\"figure svg\")].filter(isDrawn);
document.title = \"drawn \" + drawn.length + \" clicks \" + (clicks > 10);
</script>";
    let html = html.replace("</body>", &format!("{clicks}</body>"));
    let Some(document) = opened(&html) else {
        return;
    };
    let title = format!("<title>drawn {figures} clicks true</title>");
    assert!(document.contains(&title), "{}", &document[..2000]);
}
