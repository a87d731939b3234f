//! Mails as files, for trials. Each is one `.eml` file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use futures_util::future::BoxFuture;
use greenroom_media::mail::{Mail, MailError, Mailer};

use crate::message::Addresses;

/// Writes mails into a directory.
#[derive(Debug)]
pub(super) struct FileMailer {
    dir: PathBuf,
    addresses: Addresses,
}

impl FileMailer {
    pub(super) fn new(dir: &Path, addresses: Addresses) -> Self {
        Self { dir: dir.to_owned(), addresses }
    }
}

impl Mailer for FileMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(async move {
            let (dir, path) = (self.dir.clone(), self.dir.join(format!("{}.eml", mail.id)));
            let message = self.addresses.write(mail)?;
            let write = move || make(&dir).and_then(|()| greenroom_files::write(&path, &message));
            let written = tokio::task::spawn_blocking(write).await;
            let written = written.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()));
            written.map_err(|error| MailError::Unavailable(error.kind().to_string()))
        })
    }
}

/// Makes the directory if there is none. Only its owner can read it, because mails hold personal data.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{ID, addresses, mail},
        *,
    };

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_mail_is_one_file_however_often_it_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("below/another");
        let mailer = FileMailer::new(&dir, addresses());
        for _ in 0..2 {
            assert_eq!(mailer.send(&mail()).await, Ok(()));
        }
        assert_eq!(names(&dir), [format!("{ID}.eml")]);
        let message = fs::read(dir.join(format!("{ID}.eml"))).unwrap();
        assert_eq!(message, addresses().write(&mail()).unwrap());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_reads_a_mail() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("mail");
        FileMailer::new(&dir, addresses()).send(&mail()).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(format!("{ID}.eml")))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_is_said_without_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = FileMailer::new(&file.path().join("mail"), addresses()).send(&mail()).await;
        assert_eq!(error, Err(MailError::Unavailable("not a directory".to_owned())));
    }

    #[tokio::test]
    async fn half_a_mail_is_not_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        // A directory in the mail's place makes the renaming fail.
        fs::create_dir(dir.path().join(format!("{ID}.eml"))).unwrap();
        assert!(FileMailer::new(dir.path(), addresses()).send(&mail()).await.is_err());
        assert_eq!(names(dir.path()), [format!("{ID}.eml")]);
    }
}
