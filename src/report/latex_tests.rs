//! Tests of `latex.rs`.

use super::*;

#[test]
fn tables_become_booktabs_and_end_at_the_appendix() {
    let page = "\
# s\n\n## Results\n\n| arm | NLL | p |\n| --- | ---: | :-: |\n| a\\_b & 50 % | −0.5 | 3.85·10¹¹ |\n\
| *x* `c_d` **e** | 1.79× | – |\n\n| x |\n| --- |\n| 1→2 |\n\n## Appendix\n\n\
| y |\n| --- |\n| 1 |\n";
    let tex = tables(page, "s", "kdpipe run s.toml");
    let float = "\n\\begin{table}[htbp]\n  \\centering\n  \\small\n  \\caption{Results}\n  \
        \\label{tab:results}\n  \\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}\
        {!}{%\n  \\begin{tabular}{@{}lrc@{}}\n    \\toprule\n    \
        arm & NLL & p \\\\\n    \\midrule\n    \
        a\\_b \\& 50 \\% & $-$0.5 & 3.85$\\cdot$10$^{11}$ \\\\\n    \
        \\emph{x} \\texttt{c\\_d} \\textbf{e} & 1.79$\\times$ & -- \\\\\n    \
        \\bottomrule\n  \\end{tabular}}\n\\end{table}\n";
    assert!(tex.contains(float), "{tex}");
    assert!(
        tex.contains("\\label{tab:results-2}") && tex.contains("1$\\to$2"),
        "{tex}"
    );
    assert!(
        !tex.contains("{tab:appendix") && tex.contains("%   \\usepackage{booktabs}"),
        "{tex}"
    );
    assert!(
        tex.starts_with("% Tables of the study s, by `kdpipe run s.toml`.\n"),
        "{tex}"
    );
}

#[test]
fn no_name_becomes_a_command() {
    assert_eq!(
        escaped("\\input{x} $a^b~c#d_e%f&g <h> |i| \"j\""),
        "\\textbackslash{}input\\{x\\} \\$a\\textasciicircum{}b\\textasciitilde{}c\\#d\\_e\\%f\\&g \
         $<$h$>$ $|$i$|$ \\char34{}j\\char34{}"
    );
    let page = "## t\n\n| a |\n| --- |\n| \\[1\\] |\n| \\*2 |\n";
    let tex = tables(page, "a\nb", "c");
    assert!(tex.contains("    {}[1] \\\\\n    {}*2 \\\\\n"), "{tex}");
    assert!(tex.starts_with("% Tables of the study a b, by"), "{tex}");
}

#[test]
fn a_study_may_be_called_as_the_section_where_tables_end() {
    let page = "# appendix\n\n## Results\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n";
    assert!(tables(page, "appendix", "kdpipe").contains("\\toprule"));
}
