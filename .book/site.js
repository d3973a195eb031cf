// Specs and the licence are files, and pages that show them: a link to the file, which a browser would save, leads to the page.
for (const link of document.querySelectorAll("main a[href]")) {
    const to = link.getAttribute("href");
    if (!to.includes(":") && /(\.toml|(^|\/)LICENSE)$/.test(to)) link.setAttribute("href", to + ".html");
}
