//! The same command as a cargo subcommand: `cargo lockcheck ...`.

fn main() -> std::process::ExitCode {
    lockcheck::cli::main(std::env::args_os().collect())
}
