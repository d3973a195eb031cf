//! The card that this process computes on: kernels and products on the stream that dfdx uses, the
//! default stream of the device's primary context.
//!
//! A process has one card; several cards are several processes. Kernels are compiled where they
//! run, to the card's own instructions. Results are checked at the call; what goes wrong while a
//! kernel runs shows at the next wait.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaDevice, CudaSlice, DevicePtr, DeviceRepr};
use dfdx::prelude::Cuda;

use super::api::{self, Address, checked};
use super::compile::{Handle, KernelStore, kernels_for};
use super::driver;
use super::pool::MemoryPool;
use crate::panics::Fault;

/// Numbers of a board.
const BOARD: usize = 4096;

/// The driver's own numbers for what is asked of it.
const COMPUTE_MAJOR: u32 = 75;
const COMPUTE_MINOR: u32 = 76;

/// The oldest cards whose products take bfloat16 and TF32: Ampere.
const OLDEST: (c_int, c_int) = (8, 0);

/// What a kernel is given: an address or a number, as its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument(u64);

/// An address, or a `size_t`.
pub(super) fn word(x: u64) -> Argument {
    Argument(x)
}

/// A `size_t`.
pub(super) fn size(x: usize) -> Argument {
    Argument(x as u64)
}

/// An `int`, which every size of a model fits.
pub(super) fn int(x: usize) -> Argument {
    Argument(x as u32 as u64)
}

pub(super) fn float(x: f32) -> Argument {
    Argument(u64::from(x.to_bits()))
}

pub(super) fn double(x: f64) -> Argument {
    Argument(x.to_bits())
}

/// A number on the card that nobody may have waited for yet.
#[derive(Debug, Clone)]
pub struct CardValue {
    board: Arc<CudaSlice<f64>>,
    index: usize,
}

/// The card, its kernels and libraries.
pub(super) struct GpuCard {
    pub device: Arc<CudaDevice>,
    ordinal: usize,
    /// That memory is taken from; none where the card has no pools.
    pool: Option<MemoryPool>,
    kernels: BTreeMap<String, Handle>,
    pub(super) blas: Handle,
    board: Mutex<(Arc<CudaSlice<f64>>, usize)>,
    /// Model, driver and versions of the libraries.
    pub about: String,
}

static CARD: OnceLock<GpuCard> = OnceLock::new();

/// The card that was opened.
pub(super) fn card() -> &'static GpuCard {
    CARD.get()
        .expect("a tensor on a card comes after the card was opened")
}

/// Ends the work in hand: the card is out of memory, or lost.
pub(super) fn fail(what: &str, why: &str) -> ! {
    Fault(format!("{what} failed on the GPU: {why}")).raise()
}

/// Opens a card and makes dfdx's handle of it.
///
/// # Errors
/// Libraries that are not there, no such card, or one that cannot be used: in a sentence.
pub fn open_card(ordinal: usize, store: &dyn KernelStore) -> Result<Cuda, String> {
    driver::load()?;
    let name = name_of(ordinal)?;
    if let Some(card) = CARD.get()
        && card.ordinal != ordinal
    {
        return Err(format!(
            "this process computes on cuda:{} already; start another for cuda:{ordinal}",
            card.ordinal
        ));
    }
    let unusable = |why: String| format!("{name} (cuda:{ordinal}) cannot be used: {why}");
    let device = Cuda::try_build(ordinal, 0).map_err(|error| unusable(error.to_string()))?;
    if CARD.get().is_none() {
        let card = GpuCard::open(ordinal, &name, store).map_err(unusable)?;
        // Whoever was first is as good.
        let _ = CARD.set(card);
    }
    Ok(device)
}

/// The name of a card.
fn name_of(ordinal: usize) -> Result<String, String> {
    let mut count = 0;
    let mut name: [c_char; 256] = [0; 256];
    // SAFETY: the driver is loaded; both places are of the size that is said.
    unsafe {
        checked(api::cuInit(0))
            .and_then(|()| checked(api::cuDeviceGetCount(&raw mut count)))
            .map_err(|why| driver::no_gpu(&why))?;
        if ordinal >= count as usize {
            return Err(format!(
                "there is no cuda:{ordinal}: the driver has {count} GPU(s), counted from 0{}",
                if std::env::var_os("CUDA_VISIBLE_DEVICES").is_some() {
                    ", by CUDA_VISIBLE_DEVICES"
                } else {
                    ""
                }
            ));
        }
        checked(api::cuDeviceGetName(
            name.as_mut_ptr(),
            255,
            ordinal as c_int,
        ))
        .map_err(|why| format!("the driver does not tell what cuda:{ordinal} is: {why}"))?;
        Ok(CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned())
    }
}

impl GpuCard {
    fn open(ordinal: usize, name: &str, store: &dyn KernelStore) -> Result<Self, String> {
        let device = CudaDevice::new(ordinal).map_err(|error| error.to_string())?;
        let number = |attribute: u32| {
            let mut value = 0;
            // SAFETY: a place for a number, and a card that is there.
            checked(unsafe {
                api::cuDeviceGetAttribute(&raw mut value, attribute, ordinal as c_int)
            })
            .map(|()| value)
        };
        let compute = (number(COMPUTE_MAJOR)?, number(COMPUTE_MINOR)?);
        if compute < OLDEST {
            return Err(format!(
                "it has compute capability {}.{}, and kdpipe needs {}.{} (Ampere) or newer",
                compute.0, compute.1, OLDEST.0, OLDEST.1
            ));
        }
        let pool = MemoryPool::of_card(ordinal)?;
        let (mut driver_version, mut blas, mut blas_version) = (0, std::ptr::null_mut(), 0);
        let (mut major, mut minor) = (0, 0);
        // SAFETY: places for numbers, and for a handle that is used for as long as the process
        // lives.
        unsafe {
            checked(api::cuDriverGetVersion(&raw mut driver_version))?;
            blas_checked(api::cublasCreate_v2(&raw mut blas))?;
            blas_checked(api::cublasGetVersion_v2(blas, &raw mut blas_version))?;
            api::nvrtcVersion(&raw mut major, &raw mut minor);
        }
        let kernels = kernels_for(compute, (major, minor), store)?;
        let board = device
            .alloc_zeros(BOARD)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            about: format!(
                "{name}, compute {}.{}, driver {driver_version}, cuBLAS {blas_version}, NVRTC \
                 {major}.{minor}",
                compute.0, compute.1
            ),
            device,
            ordinal,
            pool,
            kernels,
            blas: Handle(blas),
            board: Mutex::new((Arc::new(board), 0)),
        })
    }

    pub(super) fn board(&self) -> MutexGuard<'_, (Arc<CudaSlice<f64>>, usize)> {
        self.board.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// Makes the card's context that of this thread.
    pub(super) fn bind(&self) {
        if let Err(error) = self.device.bind_to_thread() {
            fail("a call", &error.to_string());
        }
    }

    /// Memory that nothing was written to.
    pub fn scratch<T: DeviceRepr>(&self, count: usize) -> CudaSlice<T> {
        // SAFETY: whoever asks for it has a kernel write all of it first. A card gives no memory of
        // size 0.
        unsafe { self.device.alloc(count.max(1)) }.unwrap_or_else(|error| {
            // An earlier kernel's fault shows at the next call, which is often this one.
            if error.0 != CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                fail("a call", &error.to_string());
            }
            let free = self.free_memory().unwrap_or(0) >> 20;
            let wanted = (count * size_of::<T>()) >> 20;
            fail(
                "memory",
                &format!(
                    "{wanted} MB more were asked for, and {free} MB are free; a training takes \
                     less with a lower train.batch (and train.accumulate raised by as much) or \
                     train.context"
                ),
            )
        })
    }

    /// Bytes that are free: those that nobody has, and those that the pool keeps for what is asked
    /// for next.
    pub fn free_memory(&self) -> Option<u64> {
        let (mut free, mut total) = (0, 0);
        self.bind();
        // SAFETY: places for two numbers.
        let code = unsafe { api::cuMemGetInfo_v2(&raw mut free, &raw mut total) };
        let kept = self.pool.as_ref().map_or(0, MemoryPool::kept);
        (code == 0).then_some(free as u64 + kept)
    }

    /// The most bytes that this process had in use at a time, beside what the driver and the
    /// libraries take.
    pub fn peak_memory(&self) -> Option<u64> {
        self.pool.as_ref()?.most_in_use()
    }

    /// What the host has, on the card.
    pub fn upload<T: DeviceRepr + Unpin>(&self, values: Vec<T>) -> CudaSlice<T> {
        let result = self.device.htod_copy(values);
        result.unwrap_or_else(|error| fail("a copy to it", &error.to_string()))
    }

    /// Numbers that are zero.
    pub fn zeros(&self, count: usize) -> CudaSlice<f32> {
        let mut all = self.scratch(count);
        let result = self.device.memset_zeros(&mut all);
        result.unwrap_or_else(|error| fail("a step", &error.to_string()));
        all
    }

    /// Copies `count` numbers on the card.
    ///
    /// # Safety
    /// There are as many at both addresses.
    pub unsafe fn copy(&self, count: usize, from: Address, to: Address) {
        let bytes = count * size_of::<f32>();
        self.bind();
        // SAFETY: as the caller promised.
        let code = unsafe { api::cuMemcpyDtoDAsync_v2(to, from, bytes, std::ptr::null_mut()) };
        if let Err(why) = checked(code) {
            fail("a copy", &why);
        }
    }

    /// What the card has, once everything before is computed.
    pub fn download<T: DeviceRepr + Default + Clone>(&self, values: &CudaSlice<T>) -> Vec<T> {
        let result = self.device.dtoh_sync_copy(values);
        result.unwrap_or_else(|error| fail("a step", &error.to_string()))
    }

    /// Waits for everything that was asked for.
    pub fn wait(&self) {
        self.bind();
        // SAFETY: the context is this thread's.
        if let Err(why) = checked(unsafe { api::cuCtxSynchronize() }) {
            fail("a step", &why);
        }
    }

    /// Places for so many numbers, one after the other, and the address of the first.
    pub fn values(&self, count: usize) -> (Vec<CardValue>, Address) {
        assert!(count <= BOARD, "few numbers at a time");
        let mut held = self.board();
        if held.1 + count > BOARD {
            *held = (Arc::new(self.scratch(BOARD)), 0);
        }
        let first = held.1;
        held.1 += count;
        let address = at(&held.0) + (first * size_of::<f64>()) as u64;
        let board = &held.0;
        let value = |index| CardValue {
            board: board.clone(),
            index,
        };
        ((first..first + count).map(value).collect(), address)
    }

    /// The numbers behind values: every board is copied once.
    pub fn fetch(&self, values: &[CardValue]) -> Vec<f64> {
        let mut boards: BTreeMap<Address, Vec<f64>> = BTreeMap::new();
        let number = |value: &CardValue| {
            let board = boards
                .entry(at(&value.board))
                .or_insert_with(|| self.download(&value.board));
            board[value.index]
        };
        values.iter().map(number).collect()
    }

    /// Puts a kernel on the stream.
    ///
    /// # Safety
    /// The arguments are those of the kernel `name`, in their order and kinds, and every address
    /// among them leads to as much memory as the kernel touches.
    pub unsafe fn launch(
        &self,
        name: &str,
        blocks: (usize, usize),
        threads: usize,
        arguments: &[Argument],
    ) {
        if blocks.0 == 0 || blocks.1 == 0 {
            return;
        }
        let kernel = self.kernels[name];
        let mut pointers: Vec<*mut c_void> = arguments
            .iter()
            .map(|argument| (&raw const argument.0).cast_mut().cast())
            .collect();
        self.bind();
        // SAFETY: as the caller promised; the driver copies the arguments before it returns.
        let code = unsafe {
            api::cuLaunchKernel(
                kernel.0,
                blocks.0 as u32,
                blocks.1 as u32,
                1,
                threads as u32,
                1,
                1,
                0,
                std::ptr::null_mut(),
                pointers.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        if let Err(why) = checked(code) {
            fail(name, &why);
        }
    }

    /// The same, a thread for each of `count` elements.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn launch_each(&self, name: &str, count: usize, arguments: &[Argument]) {
        // SAFETY: as the caller promised.
        unsafe { self.launch(name, (count.div_ceil(256), 1), 256, arguments) };
    }
}

/// The address of memory on the card.
pub(super) fn at<T>(slice: &CudaSlice<T>) -> Address {
    *slice.device_ptr()
}

pub(super) fn blas_checked(code: u32) -> Result<(), String> {
    if code == 0 {
        Ok(())
    } else {
        Err(format!("cuBLAS says {code}"))
    }
}
