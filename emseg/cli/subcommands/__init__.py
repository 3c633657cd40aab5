"""One subcommand a file: parse, call one function, write."""
