//! What it takes to carry one cloud of vectors to another, exactly: as measures of a finished
//! model, on the host, in f64. Nothing here has a gradient.

use rayon::prelude::*;

use super::gemm::transposed_product_f64;

/// Nobody is assigned.
const FREE: usize = usize::MAX;
/// How often free rows are looked at before paths are searched.
const PASSES: usize = 2;

/// How far two clouds are from each other, from one matrix of distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetweenClouds {
    /// Wasserstein-1 distance: the mean Euclidean distance of the pairs that make it least, each
    /// vector in one pair. In units of the vectors; exact.
    pub wasserstein_1: f64,
    /// Mean distance of all pairs.
    pub mean: f64,
}

impl BetweenClouds {
    /// Energy distance 2·E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖ (Székely and
    /// Rizzo), the latter two as [`mean_within`] has them: unbiased, so it may be a little
    /// below 0.
    pub fn energy(&self, within: [f64; 2]) -> f64 {
        2.0 * self.mean - within[0] - within[1]
    }
}

/// The distances between two clouds of as many vectors, (rows, width) each, row-major. It takes
/// O(rows³) operations at the most.
pub fn between_clouds(a: &[f32], b: &[f32], width: usize) -> BetweenClouds {
    let rows = a.len() / width;
    assert!(a.len() == b.len() && a.len() == rows * width && rows > 0);
    let costs = distances(a, b, width);
    let assigned = Assignment::of(&costs, rows).column_of_row;
    let total: f64 = (0..rows).map(|i| costs[i * rows + assigned[i]]).sum();
    BetweenClouds {
        wasserstein_1: total / rows as f64,
        mean: costs.iter().sum::<f64>() / (rows * rows) as f64,
    }
}

/// Mean distance of two different vectors of a cloud of two at least.
pub fn mean_within(cloud: &[f32], width: usize) -> f64 {
    let rows = cloud.len() / width;
    assert!(cloud.len() == rows * width && rows > 1);
    // The distance of a vector to itself is 0, and is left out of the mean.
    distances(cloud, cloud, width).iter().sum::<f64>() / (rows * (rows - 1)) as f64
}

/// Euclidean distances of all pairs, (rows of a, rows of b).
fn distances(a: &[f32], b: &[f32], width: usize) -> Vec<f64> {
    let (m, n) = (a.len() / width, b.len() / width);
    let squares = |cloud: &[f32]| -> Vec<f64> {
        let square = |row: &[f32]| row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        cloud.chunks_exact(width).map(square).collect()
    };
    let (of_a, of_b) = (squares(a), squares(b));
    let mut products = transposed_product_f64(&columns(a, width), m, &columns(b, width), n);
    products.par_chunks_mut(n).enumerate().for_each(|(i, row)| {
        for (j, value) in row.iter_mut().enumerate() {
            *value = (of_a[i] + of_b[j] - 2.0 * *value).max(0.0).sqrt();
        }
    });
    if std::ptr::eq(a, b) {
        (0..m).for_each(|i| products[i * n + i] = 0.0);
    }
    products
}

/// The cloud in f64, (width, rows).
fn columns(cloud: &[f32], width: usize) -> Vec<f64> {
    let rows = cloud.len() / width;
    let mut out = vec![0.0; cloud.len()];
    for (r, row) in cloud.chunks_exact(width).enumerate() {
        for (c, &x) in row.iter().enumerate() {
            out[c * rows + r] = f64::from(x);
        }
    }
    out
}

/// The cheapest assignment of rows to columns, by shortest augmenting paths (Jonker and Volgenant
/// 1987): column prices are kept with which every assigned pair is the cheapest of its row, which
/// proves at the end that no assignment is cheaper.
struct Assignment<'a> {
    costs: &'a [f64],
    n: usize,
    prices: Vec<f64>,
    column_of_row: Vec<usize>,
    row_of_column: Vec<usize>,
}

impl<'a> Assignment<'a> {
    /// `costs` is (n, n), row-major, and finite.
    fn of(costs: &'a [f64], n: usize) -> Self {
        let mut found = Self {
            costs,
            n,
            prices: vec![0.0; n],
            column_of_row: vec![FREE; n],
            row_of_column: vec![FREE; n],
        };
        found.take_cheapest_of_columns();
        for _ in 0..PASSES {
            found.bid();
        }
        let mut search = PathSearch::new(n);
        for row in found.free_rows() {
            found.augment(row, &mut search);
        }
        found
    }

    fn cost(&self, row: usize, column: usize) -> f64 {
        self.costs[row * self.n + column]
    }

    fn free_rows(&self) -> Vec<usize> {
        (0..self.n)
            .filter(|&row| self.column_of_row[row] == FREE)
            .collect()
    }

    fn assign(&mut self, row: usize, column: usize) {
        self.column_of_row[row] = column;
        self.row_of_column[column] = row;
    }

    /// Every column's price is its least cost; the row that has it takes the column if it has none.
    fn take_cheapest_of_columns(&mut self) {
        for column in 0..self.n {
            let mut least = (f64::INFINITY, 0);
            for row in 0..self.n {
                let cost = self.cost(row, column);
                if cost < least.0 {
                    least = (cost, row);
                }
            }
            self.prices[column] = least.0;
            if self.column_of_row[least.1] == FREE {
                self.assign(least.1, column);
            }
        }
    }

    /// Every free row takes the column that is cheapest for it, whoever had it, and lowers its
    /// price to where the second cheapest would be as good.
    fn bid(&mut self) {
        let mut waiting = self.free_rows();
        waiting.reverse();
        // Rows may outbid each other for long; paths do the rest.
        let mut left = 4 * self.n;
        while let Some(row) = waiting.pop() {
            if left == 0 {
                return;
            }
            left -= 1;
            let (mut first, mut second) = ((f64::INFINITY, FREE), f64::INFINITY);
            for column in 0..self.n {
                let reduced = self.cost(row, column) - self.prices[column];
                if reduced < first.0 {
                    second = first.0;
                    first = (reduced, column);
                } else if reduced < second {
                    second = reduced;
                }
            }
            let (least, column) = first;
            let former = self.row_of_column[column];
            let gain = second - least;
            // A tie would go back and forth.
            if former != FREE && !(gain > 0.0 && gain.is_finite()) {
                continue;
            }
            if gain.is_finite() {
                self.prices[column] -= gain;
            }
            self.assign(row, column);
            if former != FREE {
                self.column_of_row[former] = FREE;
                waiting.push(former);
            }
        }
    }

    /// Gives a free row a column along the path of least reduced cost to a free column.
    fn augment(&mut self, free: usize, search: &mut PathSearch) {
        search.begin();
        let (mut row, mut travelled) = (free, 0.0);
        let last = loop {
            let (mut least, mut next) = (f64::INFINITY, FREE);
            // What the row's own column costs it, which the path does not pay again.
            let own = match self.column_of_row[row] {
                FREE => 0.0,
                column => self.cost(row, column) - self.prices[column],
            };
            for column in 0..self.n {
                if search.is_done[column] {
                    continue;
                }
                let reduced = self.cost(row, column) - self.prices[column] - own + travelled;
                if reduced < search.distance[column] {
                    search.distance[column] = reduced;
                    search.from_row[column] = row;
                }
                if search.distance[column] < least {
                    (least, next) = (search.distance[column], column);
                }
            }
            search.is_done[next] = true;
            search.done.push(next);
            travelled = least;
            match self.row_of_column[next] {
                FREE => break next,
                taken => row = taken,
            }
        };
        for &column in &search.done {
            self.prices[column] += search.distance[column] - travelled;
        }
        let mut column = last;
        loop {
            let row = search.from_row[column];
            let former = std::mem::replace(&mut self.column_of_row[row], column);
            self.row_of_column[column] = row;
            if row == free {
                return;
            }
            column = former;
        }
    }
}

/// What one search needs, kept from one to the next.
struct PathSearch {
    distance: Vec<f64>,
    from_row: Vec<usize>,
    is_done: Vec<bool>,
    done: Vec<usize>,
}

impl PathSearch {
    fn new(n: usize) -> Self {
        Self {
            distance: vec![0.0; n],
            from_row: vec![FREE; n],
            is_done: vec![false; n],
            done: Vec::with_capacity(n),
        }
    }

    fn begin(&mut self) {
        self.distance.fill(f64::INFINITY);
        self.is_done.fill(false);
        self.done.clear();
    }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
