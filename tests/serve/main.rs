//! The `greenroom` command as the person at the terminal meets it.

mod commands;
mod process;
mod serving;
