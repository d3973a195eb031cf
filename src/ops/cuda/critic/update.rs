//! Training steps of critics on the card, all critics of one shape together: Adam on mean f(s) −
//! mean f(t) + λ·GP.

use cudarc::driver::CudaSlice;
use dfdx::prelude::Cuda;

use super::batch::{Arrays, Together};
use super::net::{CriticNets, CriticRows};
use super::penalty::CardPenalty;
use super::spectral::CardSpectral;
use super::weights::{addresses, fill_weights, list_of};
use crate::ops::CriticTask;
use crate::ops::Precision;
use crate::ops::cpu::critic::AdamStep;
use crate::ops::critic::{Constraint, CriticReport, CriticSettings};
use crate::ops::cuda::api::Address;
use crate::ops::cuda::buffers::address;
use crate::ops::cuda::card::{CardValue, at, card, float, int, size, word};

/// Numbers of one layer's rows that all critics have in memory at a time, unless one row of each is
/// more. Few in tests, so that they come to several chunks.
const ROW_ELEMENTS: usize = if cfg!(test) { 1 << 10 } else { 1 << 25 };
/// Interpolates at which the gradient's norm is recorded where no penalty needs it.
const PROBES: usize = 128;

/// See [`crate::ops::Losses::critic_updates`].
pub(in crate::ops::cuda) fn critic_updates(
    tasks: &mut [CriticTask<Cuda>],
) -> Vec<CriticReport<CardValue>> {
    let goes_with = |a: &CriticTask<Cuda>, b: &CriticTask<Cuda>| {
        a.critic.settings == b.critic.settings
            && a.critic.precision == b.critic.precision
            && a.student.shape() == b.student.shape()
            && a.updates == b.updates
    };
    let mut reports = Vec::with_capacity(tasks.len());
    for together in tasks.chunk_by_mut(goes_with) {
        // They follow the critics into each update.
        let settings = together[0].critic.settings.clone();
        let layout = together[0].critic.layout.clone();
        let precision = together[0].critic.precision;
        let critics = Together(together.len());
        let nets = CriticNets::new(critics, &settings, &layout, precision);
        reports.extend(train(together, nets));
    }
    reports
}

/// All updates of critics that go together.
fn train(tasks: &mut [CriticTask<Cuda>], nets: CriticNets) -> Vec<CriticReport<CardValue>> {
    let updates = tasks[0].updates;
    let batch = CriticBatch::new(tasks, nets);
    for update in 0..updates {
        let draws = UpdateDraws::new(tasks, update, batch.pairs);
        // SAFETY: the batch was made for these tasks, which hold what it has the addresses of.
        unsafe { batch.update(&draws) };
    }
    tasks
        .iter_mut()
        .for_each(|task| task.critic.step += updates as u64);
    batch.reports()
}

/// What is another in every update.
struct UpdateDraws {
    /// ε of every pair: (critics, N).
    epsilons: CudaSlice<f32>,
    /// Rate and root of Adam: (critics, 2).
    numbers: CudaSlice<f32>,
}

impl UpdateDraws {
    fn new(tasks: &[CriticTask<Cuda>], update: usize, pairs: usize) -> Self {
        let epsilons: Vec<f32> = tasks
            .iter()
            .flat_map(|task| (task.epsilon)(update))
            .collect();
        assert_eq!(
            epsilons.len(),
            tasks.len() * pairs,
            "an epsilon for each pair"
        );
        let numbers = |task: &CriticTask<Cuda>| {
            let step = task.critic.step + update as u64 + 1;
            let adam = AdamStep::new(&task.critic.settings, step);
            [adam.rate, adam.root]
        };
        Self {
            epsilons: card().upload(epsilons),
            numbers: card().upload(tasks.iter().flat_map(numbers).collect()),
        }
    }
}

/// Critics that are trained together, and what their updates work in.
struct CriticBatch<'a> {
    nets: CriticNets<'a>,
    /// Pairs of vectors of every critic, N.
    pairs: usize,
    /// Of the student and of the teacher.
    inputs: [Arrays; 2],
    /// What holds the inputs, where they had to be copied or rounded.
    _copies: (Option<CudaSlice<f32>>, Option<CudaSlice<u16>>),
    /// The addresses of every critic's parameters, first and second moments, and vectors.
    places: CudaSlice<u64>,
    spectral: Option<CardSpectral>,
    /// f of every vector: (critics, 2, N).
    values: CudaSlice<f64>,
    /// The places of what the last update saw, three numbers of every critic.
    report: (Vec<CardValue>, Address),
}

impl<'a> CriticBatch<'a> {
    fn new(tasks: &[CriticTask<Cuda>], nets: CriticNets<'a>) -> Self {
        let (pairs, critics) = (tasks[0].student.shape().0, tasks.len());
        let input = nets.settings.input;
        for task in tasks {
            assert!(
                pairs > 0
                    && *task.student.shape() == (pairs, input)
                    && *task.teacher.shape() == (pairs, input),
                "rows of width {input}"
            );
        }
        let places = card().upload(addresses(tasks.iter().map(|task| &*task.critic)));
        let spectral = (nets.settings.constraint == Constraint::Spectral).then(|| {
            let lists = [0, 3].map(|list| list_of(&places, list, critics));
            CardSpectral::new(nets.critics, nets.layout, nets.settings.width, lists)
        });
        let (inputs, copies) = gathered(tasks, nets.precision);
        Self {
            nets,
            pairs,
            inputs,
            _copies: copies,
            places,
            spectral,
            values: card().scratch(2 * critics * pairs),
            report: card().values(3 * critics),
        }
    }

    /// The addresses of one of the arrays of every critic.
    fn list(&self, list: usize) -> Address {
        list_of(&self.places, list, self.nets.critics.0)
    }

    /// Every `every`-th pair's interpolate is looked at; λ/N where its norm is penalised.
    fn probes(&self) -> (usize, f64) {
        match self.nets.settings.constraint {
            Constraint::GradientPenalty(lambda) => (1, lambda / self.pairs as f64),
            Constraint::Spectral | Constraint::Clip(_) => (self.pairs.div_ceil(PROBES), 0.0),
        }
    }

    /// # Safety
    /// The critics and the pairs are where they were.
    unsafe fn update(&self, draws: &UpdateDraws) {
        let (nets, critics) = (&self.nets, self.nets.critics);
        let count = nets.layout.count();
        // SAFETY: as the caller promised.
        unsafe {
            if let Some(spectral) = &self.spectral {
                spectral.iterate();
            }
            fill_weights(nets, self.list(0), self.spectral.as_ref());
        }
        let gradients = card().zeros(critics.0 * count);
        let gradient = Arrays::new(at(&gradients), count);
        let (every, factor) = self.probes();
        let penalty = CardPenalty::new(nets, factor, self.pairs.div_ceil(every));
        let chunk = ROW_ELEMENTS / (3 * critics.0 * nets.settings.width);
        let chunk = chunk.clamp(1, self.pairs);
        let mut rows = CriticRows::new(nets, 2 * chunk + chunk.div_ceil(every));
        for start in (0..self.pairs).step_by(chunk) {
            let part = [start, chunk.min(self.pairs - start)];
            // SAFETY: as the caller promised.
            unsafe { self.add_chunk(draws, part, &mut rows, &penalty, gradient) };
        }
        // SAFETY: as the caller promised; gradients are those of all parameters.
        unsafe {
            penalty.finish(nets, gradient);
            if let Some(spectral) = &self.spectral {
                spectral.backward(nets.parameters(), gradient);
            }
            self.adam(draws, gradient);
            self.tell(&penalty);
        }
    }

    /// What `count` pairs from `start` on add to the gradients.
    ///
    /// # Safety
    /// As [`CriticBatch::update`].
    unsafe fn add_chunk(
        &self,
        draws: &UpdateDraws,
        [start, count]: [usize; 2],
        rows: &mut CriticRows,
        penalty: &CardPenalty,
        gradient: Arrays,
    ) {
        let (nets, width) = (&self.nets, self.nets.settings.width);
        let (every, _) = self.probes();
        let first = (every - start % every) % every;
        let probes = count.saturating_sub(first).div_ceil(every);
        let rows = rows.of(2 * count + probes);
        let offset = start * nets.settings.input;
        let [z, stride] = rows.activations(0).arguments();
        let epsilons = at(&draws.epsilons) + (start * size_of::<f32>()) as u64;
        let mix = [
            int(width),
            int(count),
            int(first),
            int(every),
            stride,
            word(epsilons),
            size(self.pairs),
            z,
        ];
        let values = at(&self.values) + (start * size_of::<f64>()) as u64;
        // SAFETY: as the caller promised; there are so many rows.
        unsafe {
            for (side, inputs) in self.inputs.into_iter().enumerate() {
                nets.first_products(inputs.from(offset), [side * count, count], rows);
            }
            nets.critics.each("critic_mix", probes * width, &mix);
            nets.forward(rows);
            nets.values(
                rows,
                [2 * count, count],
                values,
                [self.pairs, 2 * self.pairs],
            );
            nets.factors(rows);
            self.means_backward(offset, count, rows, gradient);
            if probes > 0 {
                let number = (start + first) / every;
                penalty.add_chunk(nets, rows, [2 * count, probes, number], gradient);
            }
        }
    }

    /// Adds the gradient of mean f(s) − mean f(t) of a chunk, whose inputs begin at an offset.
    ///
    /// # Safety
    /// As [`CriticBatch::add_chunk`].
    unsafe fn means_backward(
        &self,
        offset: usize,
        count: usize,
        rows: &CriticRows,
        gradient: Arrays,
    ) {
        let (nets, width) = (&self.nets, self.nets.settings.width);
        let share = 1.0 / self.pairs as f32;
        let both = [2 * count, count];
        for (l, layer) in nets.layout.layers.iter().enumerate() {
            let into = gradient.from(layer.weight.start);
            for (side, scale) in [share, -share].into_iter().enumerate() {
                let first = side * count * width;
                let below = if l == 0 {
                    self.inputs[side].from(offset)
                } else {
                    rows.activations(l - 1).from(first)
                };
                let factors = rows.factors(l).from(first);
                let shape = nets.shape([layer.input, count, width], [true, false]);
                let shape = shape.scale(scale).accumulate();
                // SAFETY: as the caller promised.
                unsafe { nets.critics.product(shape, below, factors, into) };
            }
            let into = gradient.from(layer.bias.start);
            // SAFETY: as above.
            unsafe { nets.add_columns(both, share, rows.factors(l), into) };
        }
        let last = rows.activations(nets.layout.layers.len() - 1);
        let into = gradient.from(nets.layout.out.start);
        // SAFETY: as above.
        unsafe { nets.add_columns(both, share, last, into) };
    }

    /// Adam on all parameters, and the bound of a clipped critic.
    ///
    /// # Safety
    /// As [`CriticBatch::update`].
    unsafe fn adam(&self, draws: &UpdateDraws, gradient: Arrays) {
        let settings: &CriticSettings = self.nets.settings;
        let adam = AdamStep::new(settings, 1);
        let bound = match settings.constraint {
            Constraint::Clip(bound) => bound as f32,
            Constraint::GradientPenalty(_) | Constraint::Spectral => 0.0,
        };
        let mut arguments = Vec::with_capacity(11);
        arguments.extend([adam.keep, adam.add].concat().into_iter().map(float));
        arguments.extend([float(adam.epsilon), float(bound)]);
        arguments.extend([word(at(&draws.numbers)), gradient.arguments()[0]]);
        arguments.extend([0, 1, 2].map(|list| word(self.list(list))));
        let count = self.nets.layout.count();
        // SAFETY: as the caller promised.
        unsafe { self.nets.critics.each("critic_adam", count, &arguments) };
    }

    /// What an update saw, at the places of the report.
    ///
    /// # Safety
    /// As [`CriticBatch::update`].
    unsafe fn tell(&self, penalty: &CardPenalty) {
        let (norms, probes) = penalty.norms();
        let arguments = [
            int(self.pairs),
            word(at(&self.values)),
            int(probes),
            word(norms),
            int(usize::from(penalty.is_penalised())),
            word(self.report.1),
        ];
        // SAFETY: as the caller promised.
        unsafe { self.nets.critics.blocks("critic_report", &arguments) };
    }

    fn reports(self) -> Vec<CriticReport<CardValue>> {
        let report = |values: &[CardValue; 3]| CriticReport {
            estimate: values[0].clone(),
            penalty: values[1].clone(),
            gradient_norm: values[2].clone(),
        };
        self.report.0.as_chunks().0.iter().map(report).collect()
    }
}

/// Copies that products read from, which are kept as long as they do.
type GatheredCopies = (Option<CudaSlice<f32>>, Option<CudaSlice<u16>>);

/// The vectors of student and teacher of every critic at even distances, rounded where products
/// take them so; a single critic's in f32 are taken where they are.
fn gathered(tasks: &[CriticTask<Cuda>], precision: Precision) -> ([Arrays; 2], GatheredCopies) {
    let (pairs, input) = *tasks[0].student.shape();
    let count = pairs * input;
    let sides = |task: &CriticTask<Cuda>| [address(task.student), address(task.teacher)];
    let all: Vec<Address> = tasks.iter().flat_map(sides).collect();
    let stride = 2 * count;
    match precision {
        Precision::F32 | Precision::Tf32 if tasks.len() == 1 => {
            let inputs = sides(&tasks[0]).map(|address| Arrays::new(address, stride));
            (inputs, (None, None))
        }
        Precision::F32 | Precision::Tf32 => {
            let copies: CudaSlice<f32> = card().scratch(all.len() * count);
            for (index, &from) in all.iter().enumerate() {
                let to = at(&copies) + (index * count * size_of::<f32>()) as u64;
                // SAFETY: every matrix has as many numbers.
                unsafe { card().copy(count, from, to) };
            }
            let inputs = Arrays::new(at(&copies), stride);
            ([inputs, inputs.from(count)], (Some(copies), None))
        }
        Precision::Bf16 => {
            let copies: CudaSlice<u16> = card().scratch(all.len() * count);
            for (index, &from) in all.iter().enumerate() {
                let to = at(&copies) + (index * count * size_of::<u16>()) as u64;
                let arguments = [size(count), word(from), word(to)];
                // SAFETY: as above.
                unsafe { card().launch_each("round_all", count, &arguments) };
            }
            let inputs = Arrays::new(0, stride).rounded_at(at(&copies));
            ([inputs, inputs.from(count)], (None, Some(copies)))
        }
    }
}
