//! The same command as a cargo subcommand: `cargo lockcheck ...`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    lockcheck::cli::main(std::env::args_os().collect())
}
