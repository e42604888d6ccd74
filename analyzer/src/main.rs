//! The `lockcheck` command.

fn main() -> std::process::ExitCode {
    lockcheck::cli::main(std::env::args_os().collect())
}
