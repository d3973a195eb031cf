//! The cheapest way from a few sources to a few sinks.

/// What is left of a supply or a demand, of 1 in all, that counts as nothing.
const NOTHING: f64 = 1e-12;

/// The flow F of least Σ F·costs with the row sums `supplies` and the column sums `demands`, both
/// of the same sum and 0 or more: (supplies, demands), row-major. Of several cheapest, always the
/// same one; costs are finite, and may be below 0.
///
/// By shortest paths: what is left goes along the path that costs least, which may take back what
/// went before. It takes O((m + n)·m·n) operations a path; m and n are numbers of layers.
pub fn cheapest_flow(costs: &[f64], supplies: &[f64], demands: &[f64]) -> Vec<f64> {
    let (m, n) = (supplies.len(), demands.len());
    assert_eq!(costs.len(), m * n, "a cost for every way");
    let largest = costs.iter().fold(0.0f64, |top, cost| top.max(cost.abs()));
    let mut network = FlowNetwork {
        costs,
        margin: 1e-12 * largest,
        flow: vec![0.0; m * n],
        supplies: supplies.to_vec(),
        demands: demands.to_vec(),
    };
    // Far more than there are; rounding must not keep it from ending.
    for _ in 0..8 * (m + n) * (m + n) {
        if !network.send_along_the_cheapest_path() {
            break;
        }
    }
    network.send_what_is_left();
    network.flow
}

/// No node lies before.
const NOWHERE: usize = usize::MAX;

struct FlowNetwork<'a> {
    costs: &'a [f64],
    /// Paths that are cheaper by less are not.
    margin: f64,
    flow: Vec<f64>,
    /// What is left.
    supplies: Vec<f64>,
    demands: Vec<f64>,
}

/// Cheapest ways from any source that has something left.
struct CheapestPaths {
    to_sources: Vec<f64>,
    to_sinks: Vec<f64>,
    /// The sink before a source, and the source before a sink.
    sink_before: Vec<usize>,
    source_before: Vec<usize>,
}

impl FlowNetwork<'_> {
    /// Whether something could be sent.
    fn send_along_the_cheapest_path(&mut self) -> bool {
        let paths = self.cheapest_paths();
        let open = (0..self.demands.len()).filter(|&sink| self.demands[sink] > NOTHING);
        let Some(last) = open
            .filter(|&sink| paths.to_sinks[sink].is_finite())
            .min_by(|&a, &b| paths.to_sinks[a].total_cmp(&paths.to_sinks[b]))
        else {
            return false;
        };
        let n = self.demands.len();
        let (mut forward, mut back) = (Vec::new(), Vec::new());
        let mut sink = last;
        let first = loop {
            let source = paths.source_before[sink];
            forward.push(source * n + sink);
            match paths.sink_before[source] {
                NOWHERE => break source,
                before => {
                    back.push(source * n + before);
                    sink = before;
                }
            }
            if forward.len() > self.flow.len() {
                return false;
            }
        };
        let most = self.supplies[first].min(self.demands[last]);
        let amount = back
            .iter()
            .fold(most, |amount, &way| amount.min(self.flow[way]));
        forward.into_iter().for_each(|way| self.flow[way] += amount);
        for way in back {
            self.flow[way] = (self.flow[way] - amount).max(0.0);
        }
        self.supplies[first] -= amount;
        self.demands[last] -= amount;
        true
    }

    /// By relaxation until nothing is cheaper (Bellman and Ford).
    fn cheapest_paths(&self) -> CheapestPaths {
        let (m, n) = (self.supplies.len(), self.demands.len());
        let start = |left: &f64| if *left > NOTHING { 0.0 } else { f64::INFINITY };
        let mut paths = CheapestPaths {
            to_sources: self.supplies.iter().map(start).collect(),
            to_sinks: vec![f64::INFINITY; n],
            sink_before: vec![NOWHERE; m],
            source_before: vec![NOWHERE; n],
        };
        for _ in 0..m + n {
            let mut is_cheaper = false;
            for source in 0..m {
                for sink in 0..n {
                    let way = source * n + sink;
                    let there = paths.to_sources[source] + self.costs[way];
                    if there < paths.to_sinks[sink] - self.margin {
                        paths.to_sinks[sink] = there;
                        paths.source_before[sink] = source;
                        is_cheaper = true;
                    }
                    let back = paths.to_sinks[sink] - self.costs[way];
                    if self.flow[way] > NOTHING && back < paths.to_sources[source] - self.margin {
                        paths.to_sources[source] = back;
                        paths.sink_before[source] = sink;
                        is_cheaper = true;
                    }
                }
            }
            if !is_cheaper {
                break;
            }
        }
        paths
    }

    /// What rounding left over, wherever there is room.
    fn send_what_is_left(&mut self) {
        let n = self.demands.len();
        for source in 0..self.supplies.len() {
            for sink in 0..n {
                let amount = self.supplies[source].min(self.demands[sink]).max(0.0);
                self.flow[source * n + sink] += amount;
                self.supplies[source] -= amount;
                self.demands[sink] -= amount;
            }
        }
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
