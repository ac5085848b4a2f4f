//! The file of `--log`, which other programs may rename or delete to begin a new one.

use super::queue::Destination;
use papo::os_error::describe;
use papo::platform::{self, FileId};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the path is looked at, when something is written.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// An open log file that stays at its path.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    checked_at: Instant,
    /// The path leads to another file or to none, it could not be opened, and the old file says so.
    failed: bool,
}

impl LogFile {
    /// Opens the file to append to it, or creates it, readable for this account only: names and addresses are in it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: open(path)?,
            checked_at: Instant::now(),
            failed: false,
        })
    }

    fn is_at_its_path(&self) -> bool {
        let at_path = FileId::at(&self.path).ok().flatten();
        at_path.is_some() && at_path == FileId::of(&self.file).ok()
    }
}

impl Destination for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.checked_at.elapsed() >= CHECK_INTERVAL {
            self.checked_at = Instant::now();
            if !self.is_at_its_path() {
                self.reopen();
            }
        }
        platform::write_fully(&self.file, bytes)
    }

    fn reopen(&mut self) {
        match open(&self.path) {
            Ok(file) => {
                self.file = file;
                self.failed = false;
            }
            Err(error) if !self.failed => {
                self.failed = true;
                let notice = format!(
                    "Não consegui abrir {} de novo ({}). Os registros continuam neste arquivo.\n",
                    self.path.display(),
                    describe(&error)
                );
                let _ = platform::write_fully(&self.file, notice.as_bytes());
            }
            Err(_) => {}
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    platform::open_at_once(platform::owner_only(&mut options)).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A log file whose path is looked at again with the next line.
    fn written_long_ago(path: &Path) -> LogFile {
        let mut log = LogFile::open(path).unwrap();
        log.checked_at -= CHECK_INTERVAL;
        log
    }

    #[test]
    fn renamed_log_is_begun_anew_at_its_path() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("papo.log");
        let mut log = written_long_ago(&path);
        fs::rename(&path, folder.path().join("papo.log.1")).unwrap();
        log.write(b"nova\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "nova\n");
    }

    #[test]
    fn path_that_cannot_be_opened_is_reported_once_in_the_old_file() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("papo.log");
        let old = folder.path().join("velho");
        let mut log = written_long_ago(&path);
        fs::rename(&path, &old).unwrap();
        fs::create_dir(&path).unwrap();
        log.write(b"um\n").unwrap();
        log.checked_at -= CHECK_INTERVAL;
        log.write(b"dois\n").unwrap();
        let text = fs::read_to_string(&old).unwrap();
        assert!(text.ends_with("neste arquivo.\num\ndois\n"), "{text}");
        assert_eq!(text.matches("de novo").count(), 1, "{text}");
        fs::remove_dir(&path).unwrap();
        log.checked_at -= CHECK_INTERVAL;
        log.write("três\n".as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "três\n");
    }
}
