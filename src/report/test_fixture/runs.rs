//! The spec and the metrics of a run.

use crate::plan::run::RunSpec;
use crate::record::evaluation::MetricValues;
use crate::record::study::Cell;
use crate::table::{Column, Table};

use super::evaluations::loss;

/// A run that has everything but what the cell changes.
pub fn spec(cell: &Cell) -> RunSpec {
    let arm = cell.at["arm"].as_str();
    let tokens = if arm.ends_with("unpaired") {
        "tokens = \"shuffled\"\n"
    } else {
        ""
    };
    let hidden = match arm {
        "none" => "",
        "wasserstein" | "wasserstein-unpaired" => {
            "[loss.hidden]\nkind = \"hidden.wasserstein\"\nweight = 1.0\nstates = \"raw\"\ncritic \
             = { width = 64, depth = 2, steps = 5, slope = 0.2, lipschitz = \"gradient-penalty\", \
             penalty = 10.0, lr = 1e-4, betas = [0.0, 0.9], warmup = 100 }\n"
        }
        _ => {
            "[loss.hidden]\nkind = \"hidden.mse\"\nweight = 1.0\nstates = \"raw\"\nnormalize = \
             false\n"
        }
    };
    let train = "steps = 400\nbatch = 4\ncontext = 64\naccumulate = 1\nshuffle = true\nlr = { \
                 peak = 5e-4, warmup = \"5%\", decay = \"cosine\", floor = \"10%\" }\nbetas = \
                 [0.9, 0.999]\neps = 1e-8\nweight_decay = 0.01\nclip = 1.0\nkeep = \
                 \"last\"\ncheckpoint_every = 100\nevaluate_every = 40\n";
    let text = format!(
        "seed = {}\n[dataset]\nsource = \"synthetic\"\nseed = 0\ntrain_words = \
         1000\nvalidation_words = 100\ntest_words = 100\n[tokenizer]\nsource = \
         \"train\"\nvocab_size = 512\n[teacher]\nsource = \"train\"\nlayers = 8\nwidth = \
         64\nheads = 4\nseed = 0\n[teacher.train]\n{train}[student]\nlayers = {}\nwidth = \
         64\nheads = 4\ninit = \"random\"\n[match]\nstrategy = \"pairs\"\npairs = [[1, \
         2]]\n{tokens}[loss.kl]\nkind = \"logits.kl\"\nweight = 0.5\ntemperature = 2.0\n\
         direction = \"forward\"\n{hidden}[balance]\nmode = \"gradient\"\nbatches = 8\nreference = \
         \"kl\"\n[train]\n{train}[evaluate]\ncontext = 256\nstride = 128\nsamples = {{ prompts = \
         2, tokens = 16 }}\nprobe_tokens = 512\ndirections = 64\nembed_tokens = 100\n",
        cell.at["seed"], cell.at["student.layers"]
    );
    toml::from_str(&text).unwrap()
}

/// Arms whose tokens are shuffled have what newer studies record of maps and critics. The function
/// is long because every value is a formula of its own.
pub fn metrics(cell: &Cell, steps: u64) -> Table {
    let end = loss(cell);
    let seed: f64 = cell.at["seed"].parse().unwrap();
    let arm = cell.at["arm"].as_str();
    let mut rows: Vec<MetricValues> = Vec::new();
    for step in 0..steps {
        let x = step as f64 / steps as f64;
        let fall = (-6.0 * x).exp();
        let noise = 0.03 * (step as f64 * 1.3 + seed).sin();
        let mut row = MetricValues::from([
            ("lr".to_owned(), 5e-4 * (1.0 - x)),
            ("gradient_norm".to_owned(), 1.0 + fall),
            ("loss".to_owned(), 3.0 + 3.0 * fall),
            ("term.kl".to_owned(), 1.0 + 4.0 * fall + noise),
            ("weight.kl".to_owned(), 0.5),
            ("temperature.kl".to_owned(), 2.0),
        ]);
        if arm != "none" {
            row.insert("term.hidden".to_owned(), 0.2 + 2.0 * fall + noise / 4.0);
            row.insert("weight.hidden".to_owned(), (5.0 * x).min(1.0));
            row.insert("balance.hidden".to_owned(), 0.25 + 0.01 * seed);
        }
        if arm.ends_with("unpaired") {
            row.insert("map.hidden.1.entropy".to_owned(), 1.0 - 0.5 * x);
        }
        if arm.starts_with("wasserstein") {
            for layer in 1..=4u32 {
                if arm.ends_with("unpaired") && step + 1 == steps {
                    row.insert(format!("critic.hidden.{layer}.held_out"), 0.25);
                    row.insert(format!("critic.hidden.{layer}.held_out_further"), 1.25);
                }
                row.insert(
                    format!("critic.hidden.{layer}.estimate"),
                    (0.3 + 2.0 * fall) * f64::from(layer) / 2.0 + noise,
                );
                row.insert(format!("critic.hidden.{layer}.penalty"), 0.05 * fall);
                row.insert(
                    format!("critic.hidden.{layer}.gradient_norm"),
                    1.0 + 0.02 * f64::from(layer) - 0.8 * (-20.0 * x).exp(),
                );
            }
        }
        if (step + 1) % (steps / 10).max(1) == 0 {
            row.insert(
                "validation.nll".to_owned(),
                end + 0.01 + 3.0 * (-6.0 * (x + 1.0 / steps as f64)).exp(),
            );
        }
        rows.push(row);
    }
    let names: std::collections::BTreeSet<&String> =
        rows.iter().flat_map(MetricValues::keys).collect();
    let table = Table::new().with("step", Column::U64((0..steps).collect()));
    names.into_iter().fold(table, |table, name| {
        table.with(
            name.clone(),
            Column::Sparse(rows.iter().map(|row| row.get(name).copied()).collect()),
        )
    })
}
