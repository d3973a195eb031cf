//! Tests of `grid_progress.rs`.

use super::*;

#[test]
fn the_time_that_is_left_counts_what_is_in_hand_and_nothing_that_was_done_before() {
    let mut grid = GridProgress::new(10, None);
    grid.skip(4);
    assert_eq!(grid.left(3.0), None, "nothing has begun");
    grid.began = Instant::now().checked_sub(Duration::from_secs(90));
    let minutes = |left: Option<Duration>| (left.unwrap().as_secs_f64() / 60.0).round();
    // 0.9 of 3 of 6 runs took 90 seconds.
    assert_eq!(minutes(grid.left(3.0)), 2.0);
    grid.trained(3);
    assert_eq!(minutes(grid.left(0.0)), 2.0);
    for _ in 0..3 {
        grid.finished();
    }
    assert_eq!((grid.over, grid.done, grid.trained), (7, 3, 0));
    assert_eq!(grid.left(0.0).unwrap().as_secs(), 90);
    grid.failed();
    grid.diverged();
    assert_eq!((grid.over, grid.failed, grid.diverged), (8, 1, 1));
}
