//! `greenroom key`: the keys that tokens are signed with.

use clap::Subcommand;

use super::{CliError, DataDir, data_dir::OpenDataDir};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Put a new signing key beside the present one, whose tokens stay good
    Rotate {
        #[command(flatten)]
        data_dir: DataDir,
    },
}

impl KeyCommand {
    pub(crate) fn run(self) -> Result<(), CliError> {
        let Self::Rotate { data_dir } = self;
        OpenDataDir::open(&data_dir.path)?.rotate_signing_key()?;
        println!("A new key signs from the next start on; tokens of the one before it stay good.");
        Ok(())
    }
}
