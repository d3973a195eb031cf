//! Parses the command line, runs the command, and exits with its code.

use kdpipe::train::LargeBlocks;

#[global_allocator]
static ALLOCATOR: LargeBlocks = LargeBlocks;

fn main() -> std::process::ExitCode {
    kdpipe::cli::main()
}
