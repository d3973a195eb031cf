//! Places of labels and of seeds that would cover each other.

/// How far the marks of the seeds of a row are moved aside, so that they can be told apart: from
/// −4.5 to 4.5 pixels in the order of seeds.
pub fn seed_offset(seed: usize, seeds: usize) -> f64 {
    if seeds < 2 {
        0.0
    } else {
        (seed as f64 / (seeds - 1) as f64 - 0.5) * 9.0
    }
}

/// Labels that touch and move together.
struct Cluster {
    /// The sum of where the first label would have to be for each member to be where it wants.
    sum_of_starts: f64,
    members: Vec<usize>,
}

/// Moves places so that neighbours have `gap` between them, as near to where they were as that
/// allows, within low … high. Gives the places in the order given.
pub fn separated(places: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
    let start = |cluster: &Cluster| {
        let length = gap * (cluster.members.len() - 1) as f64;
        (cluster.sum_of_starts / cluster.members.len() as f64)
            .min(high - length)
            .max(low)
    };
    let end = |cluster: &Cluster| start(cluster) + gap * cluster.members.len() as f64;
    let mut clusters: Vec<Cluster> = Vec::new();
    for index in order {
        let mut last = Cluster {
            sum_of_starts: places[index],
            members: vec![index],
        };
        while let Some(mut before) = clusters.pop_if(|before| end(before) > start(&last)) {
            let shift = gap * before.members.len() as f64 * last.members.len() as f64;
            before.sum_of_starts += last.sum_of_starts - shift;
            before.members.extend(last.members);
            last = before;
        }
        clusters.push(last);
    }
    let mut moved = vec![0.0; places.len()];
    for cluster in &clusters {
        let from = start(cluster);
        for (rank, &index) in cluster.members.iter().enumerate() {
            moved[index] = from + gap * rank as f64;
        }
    }
    moved
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
