//! Arguments, subcommand, exit code.

fn main() {}
