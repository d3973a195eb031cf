//! Stub.
#[derive(Clone, Copy)]
pub struct Product { m: usize, k: usize, n: usize, ta: bool, tb: bool, alpha: f32, add: bool }
impl Product {
    pub fn new(m: usize, k: usize, n: usize) -> Self { Self { m, k, n, ta: false, tb: false, alpha: 1.0, add: false } }
    pub fn left_transposed(self) -> Self { Self { ta: true, ..self } }
    pub fn right_transposed(self) -> Self { Self { tb: true, ..self } }
    pub fn scale(self, alpha: f32) -> Self { Self { alpha, ..self } }
    pub fn accumulate(self) -> Self { Self { add: true, ..self } }
}
pub fn product(p: Product, a: &[f32], b: &[f32], c: &mut [f32]) {
    let Product { m, k, n, ta, tb, alpha, add } = p;
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n);
    let (ars, acs) = if ta { (1, m as isize) } else { (k as isize, 1) };
    let (brs, bcs) = if tb { (1, k as isize) } else { (n as isize, 1) };
    unsafe {
        gemm::gemm(m, n, k, c.as_mut_ptr(), 1, n as isize, add, a.as_ptr(), acs, ars, b.as_ptr(), bcs, brs, 1.0, alpha, false, false, false, gemm::Parallelism::Rayon(0));
    }
}
