//! Parses the command line, runs the command, and exits with its code.

use kdpipe::train::HugePages;

#[global_allocator]
static ALLOCATOR: HugePages = HugePages;

fn main() -> std::process::ExitCode {
    kdpipe::cli::main()
}
